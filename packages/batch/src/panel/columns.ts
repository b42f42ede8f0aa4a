/** Which columns of the table are what, and how DuckDB gives them: as an id, a time, a number and covariates. */
import { TollamaError } from '@tollama/core/errors';
import type { Column } from '@tollama/ingest/column-kinds';
import { type ColumnOptions, guessLayout, type Layout } from '@tollama/ingest/columns';
import type { TimeKind } from '../block/panel-block.ts';
import { numberSql, timeSql } from './cell-sql.ts';
import type { CovariateColumn } from './covariate-columns.ts';
import { quoteName, quoteText } from './duckdb.ts';
import { readsByColumn } from './source.ts';
import type { TableSample } from './table-sample.ts';

export interface PanelColumns {
  readonly kind: TimeKind;
  /** Whether ids are whole numbers, which are ordered as such. */
  readonly hasIntegerIds: boolean;
  /** Whether each series was a column, so that its values may begin later than the table. */
  readonly isWide: boolean;
  /** Whether a file of its own tells the future; else the last rows without a value do. */
  readonly hasFutureFile: boolean;
  /** Expressions of SQL. `time` and `value` are doubles: NaN where missing, infinite where no finite number. */
  readonly id: string;
  readonly time: string;
  readonly value: string;
  /** Read beside the values; where there are any, a column `is_future` tells rows that are no history. */
  readonly covariates: readonly CovariateColumn[];
}

/** A relation of SQL with what stands in its columns. */
export interface PanelTable {
  readonly table: string;
  readonly columns: PanelColumns;
  /** Where each series is a column: thousands of them side by side take more memory than some at a time. */
  readonly wide?: WideSeries;
}

export interface WideSeries {
  /** How many are best read at a time. */
  readonly together: number;
  /** In the order of their bytes in UTF-8, as DuckDB orders texts. */
  readonly ids: readonly string[];
  /** The table with these series alone. */
  readonly tableOf: (ids: readonly string[]) => string;
}

export interface PanelColumnOptions extends ColumnOptions {
  /** Zone whose clocks times with a zone are told by, such as Europe/Berlin; UTC where not given. */
  readonly timeZone?: string | undefined;
}

/** What a signed 64-bit column can hold. */
const INTEGER_ID = /^(U?(TINY|SMALL)INT|U?INTEGER|BIGINT)$/;

const refuseSeveral = (shown: string, targets: readonly Column[]): never => {
  const names = targets.slice(0, 8).map(({ name }) => name);
  throw new TollamaError(
    'INVALID_INPUT',
    `${shown}: ${targets.length} columns could be forecast: ${names.join(', ')}${targets.length > names.length ? ', ...' : ''}`,
    { hint: 'name the one with --target-col; covariates with --past-covariates' },
  );
};

/** A column that was asked for, or that has the name of values, and holds none. */
const checkNumbers = (shown: string, sample: TableSample, targets: readonly Column[]): void => {
  const odd = targets.find(
    (column) =>
      (column.kind === 'text' || column.kind === 'date') && sample.typeOf(column) !== 'BOOLEAN',
  );
  if (!odd) return;
  throw new TollamaError(
    'INVALID_INPUT',
    `${shown}: column '${odd.name}' holds ${odd.kind === 'date' ? 'times' : 'words'}, no numbers`,
    { hint: 'name the column of the values with --target-col' },
  );
};

interface Told {
  readonly sample: TableSample;
  readonly layout: Layout;
  readonly covariates: readonly CovariateColumn[];
  readonly time: { readonly kind: TimeKind; readonly sql: string };
}

/** A row for each series and time. */
const longTable = (table: string, { sample, layout, covariates, time }: Told): PanelTable => {
  const { id, targets } = layout;
  const target = targets[0]!;
  const hasIntegerIds = id !== undefined && INTEGER_ID.test(sample.typeOf(id));
  const columns: PanelColumns = {
    ...{
      kind: time.kind,
      hasIntegerIds,
      isWide: false,
      hasFutureFile: false,
      time: time.sql,
      covariates,
    },
    id: id
      ? `${quoteName(id.name)}${hasIntegerIds ? '' : '::VARCHAR'}`
      : `${quoteText(target.name)}::VARCHAR`,
    value: numberSql(target.name, sample.typeOf(target)),
  };
  return { table, columns };
};

/** Columns that are turned round together: a vector of each takes memory. */
const WIDE_GROUP = 256;

/** A column for each series: turned round, so that there is a row for each series and time. */
const wideTable = (table: string, { sample, layout, covariates, time }: Told): PanelTable => {
  const { targets } = layout;
  // The time goes by a name that no series has.
  const clock = quoteName(`${targets.map(({ name }) => name).join('')}:time`.slice(-200));
  const kept = covariates.map(({ sql }, i) => `${sql} AS ${quoteName(`:covariate ${i}`)}`);
  // Text is parsed, and its columns looked through, anew each time.
  const together = readsByColumn(table) ? WIDE_GROUP : targets.length;
  const byName = new Map(targets.map((target) => [target.name, target]));
  const tableOf = (ids: readonly string[]): string => {
    const names = ids.map(quoteName);
    const values = ids.map(
      (id, i) => `${numberSql(id, sample.typeOf(byName.get(id)!))} AS ${names[i]}`,
    );
    const rows = `SELECT ${[`${time.sql} AS ${clock}`, ...kept, ...values].join(', ')} FROM ${table}`;
    return `(SELECT * FROM (${rows}) UNPIVOT INCLUDE NULLS (":value" FOR ":id" IN (${names.join(', ')})))`;
  };
  const ids = [...byName.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const columns: PanelColumns = {
    ...{ kind: time.kind, hasIntegerIds: false, isWide: true, hasFutureFile: false },
    ...{ id: '":id"', time: clock, value: '":value"' },
    covariates: covariates.map((column, i) => ({ ...column, sql: quoteName(`:covariate ${i}`) })),
  };
  return { table: tableOf(ids), columns, wide: { together, ids, tableOf } };
};

/**
 * Finds the columns by the options, else as `tollama run` does. Several columns of numbers beside times, without a
 * column of ids, are a series each.
 *
 * @throws TollamaError INVALID_INPUT when there is no column of numbers, or several for each id
 */
export const layOut = (
  table: string,
  sample: TableSample,
  {
    shown,
    covariates,
    timeZone,
    mayHaveSeveral = false,
    ...options
  }: PanelColumnOptions & {
    readonly shown: string;
    readonly covariates: readonly CovariateColumn[];
    /** Takes the first of several targets, for a first look. */
    readonly mayHaveSeveral?: boolean;
  },
): PanelTable & { readonly layout: Layout } => {
  const taken = new Set(covariates.map(({ name }) => name));
  const free = sample.columns.filter(({ name }) => !taken.has(name));
  const layout = guessLayout(shown, free, options);
  const { id, targets } = layout;
  checkNumbers(shown, sample, targets);
  const time = layout.time
    ? timeSql(layout.time.name, sample.typeOf(layout.time), timeZone)
    : { kind: 'index' as const, sql: 'row_number() OVER ()::DOUBLE' };
  const told = { sample, layout, covariates, time };
  if (targets.length === 1 || (id && mayHaveSeveral)) return { ...longTable(table, told), layout };
  if (id) refuseSeveral(shown, targets);
  return { ...wideTable(table, told), layout };
};
