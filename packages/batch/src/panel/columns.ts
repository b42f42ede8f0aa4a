/** Which columns of the table are what, and how DuckDB gives them: as an id, a time and a number. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { describeColumns } from '@tollama/ingest/column-kinds';
import { type ColumnOptions, guessLayout } from '@tollama/ingest/columns';
import type { Cell } from '@tollama/ingest/table';
import type { TimeKind } from '../block/panel-block.ts';
import { type DuckDb, quoteName, quoteText } from './duckdb.ts';

const SAMPLE_ROWS = 500;

export interface PanelColumns {
  readonly kind: TimeKind;
  /** Whether ids are whole numbers, which are ordered as such. */
  readonly hasIntegerIds: boolean;
  /** Expressions of SQL. `time` and `value` are doubles: NaN where missing, infinite where no finite number. */
  readonly id: string;
  readonly time: string;
  readonly value: string;
}

const INTEGER = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
/** What a signed 64-bit column can hold. */
const INTEGER_ID = /^(U?(TINY|SMALL)INT|U?INTEGER|BIGINT)$/;
const MISSING = ['', 'na', 'nan', 'null', 'none', 'n/a', '-'].map(quoteText).join(', ');
const NOTATIONS = ['%Y-%m', '%Y/%m/%d', '%Y%m%d', '%d.%m.%Y'].map(quoteText).join(', ');

const toCell = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return String(value);
};

interface Sample {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const sampleOf = async ({ connection }: DuckDb, table: string, shown: string): Promise<Sample> => {
  try {
    const read = await connection.runAndReadAll(`SELECT * FROM ${table} LIMIT ${SAMPLE_ROWS}`);
    return {
      names: read.columnNames(),
      types: read.columnTypes().map(String),
      rows: read.getRows().map((row) => row.map(toCell)),
    };
  } catch (cause) {
    throw new TollamaError('INVALID_INPUT', `${shown} cannot be read: ${errorMessage(cause)}`, {
      hint: 'check the path, and that the files are whole',
      cause,
    });
  }
};

const timeSql = (name: string, type: string): { kind: TimeKind; sql: string } => {
  const column = quoteName(name);
  const micros = (moment: string): string => `coalesce(epoch_us(${moment})::DOUBLE, 'nan'::DOUBLE)`;
  if (INTEGER.test(type)) {
    return { kind: 'index', sql: `coalesce(${column}::DOUBLE, 'nan'::DOUBLE)` };
  }
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) {
    return { kind: 'time', sql: micros(type.endsWith('ZONE') ? column : `${column}::TIMESTAMP`) };
  }
  const text = `${column}::VARCHAR`;
  const parsed = `coalesce(TRY_CAST(${text} AS TIMESTAMP), try_strptime(${text}, [${NOTATIONS}]))`;
  return { kind: 'time', sql: micros(parsed) };
};

const valueSql = (name: string, type: string): string => {
  const column = quoteName(name);
  const number = `coalesce(TRY_CAST(${column} AS DOUBLE), 'inf'::DOUBLE)`;
  const isMissing =
    type === 'VARCHAR'
      ? `${column} IS NULL OR lower(trim(${column})) IN (${MISSING})`
      : `${column} IS NULL`;
  return `CASE WHEN ${isMissing} THEN 'nan'::DOUBLE ELSE ${number} END`;
};

/**
 * Finds the columns by the options, else as `tollama run` does.
 *
 * @throws TollamaError INVALID_INPUT when the files cannot be read or have no column of numbers
 */
export const findColumns = async (
  database: DuckDb,
  table: string,
  { shown, ...options }: ColumnOptions & { readonly shown: string },
): Promise<PanelColumns> => {
  const { names, types, rows } = await sampleOf(database, table, shown);
  const described = describeColumns(
    names,
    rows.map((cells, i) => ({ number: i + 1, cells })),
  );
  const { id, time, targets } = guessLayout(shown, described, options);
  const [target] = targets;
  if (!target || targets.length > 1) {
    throw new TollamaError(
      'INVALID_INPUT',
      `${shown}: ${targets.length} columns could be forecast: ${targets.map(({ name }) => name).join(', ')}`,
      { hint: 'name the one with --target-col; a panel has a row for each series and time' },
    );
  }
  const typeOf = ({ index }: { readonly index: number }): string => types[index]!;
  const hasIntegerIds = id !== undefined && INTEGER_ID.test(typeOf(id));
  const read = time
    ? timeSql(time.name, typeOf(time))
    : { kind: 'index' as const, sql: 'row_number() OVER ()::DOUBLE' };
  return {
    kind: read.kind,
    hasIntegerIds,
    id: id
      ? `${quoteName(id.name)}${hasIntegerIds ? '' : '::VARCHAR'}`
      : `${quoteText(target.name)}::VARCHAR`,
    time: read.sql,
    value: valueSql(target.name, typeOf(target)),
  };
};
