/** A panel with covariates as one relation: its own rows, then those of a file that says what is known of the future. */
import { TollamaError } from '@tollama/core/errors';
import type { Layout } from '@tollama/ingest/columns';
import { numberSql, timeSql, wordSql } from './cell-sql.ts';
import type { PanelColumnOptions, PanelColumns, PanelTable } from './columns.ts';
import type { CovariateColumn } from './covariate-columns.ts';
import { quoteName } from './duckdb.ts';
import type { TableSample } from './table-sample.ts';

export interface FutureTable {
  readonly table: string;
  readonly sample: TableSample;
  /** As users know it. */
  readonly shown: string;
}

const covariateName = (at: number): string => `c${at}`;

/** All columns under names of their own. */
const ownRows = ({ table, columns }: PanelTable): string => {
  const { id, time, value, covariates } = columns;
  const kept = covariates.map(({ sql }, i) => `${sql} AS ${covariateName(i)}`);
  const all = [`${id} AS id`, `${time} AS t`, `${value} AS y`, '0::DOUBLE AS is_future', ...kept];
  return `SELECT ${all.join(', ')} FROM ${table}`;
};

const refuse = ({ shown }: FutureTable, why: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `${shown} ${why}`, { hint });
};

const columnOf = (future: FutureTable, name: string) =>
  future.sample.columns.find((column) => column.name.toLowerCase() === name.toLowerCase());

const valueSql = (future: FutureTable, covariate: CovariateColumn, at: number): string => {
  const name = covariateName(at);
  if (covariate.role !== 'future') {
    return `${covariate.isNumeric ? "'nan'::DOUBLE" : 'NULL::VARCHAR'} AS ${name}`;
  }
  const found = columnOf(future, covariate.name);
  if (!found) {
    return refuse(
      future,
      `has no column '${covariate.name}'`,
      'each future covariate stands in the panel and in the file of --future',
    );
  }
  const isNumeric = found.kind === 'number' || future.sample.typeOf(found) === 'BOOLEAN';
  if (isNumeric !== covariate.isNumeric && found.kind !== 'missing') {
    refuse(
      future,
      `covariate '${covariate.name}' has numbers on one side and words on the other`,
      'write it the same way in both files',
    );
  }
  const sql = covariate.isNumeric
    ? numberSql(found.name, future.sample.typeOf(found))
    : wordSql(found.name);
  return `${sql} AS ${name}`;
};

/** Rows of the future; without a column of ids they hold for each series of the panel. */
const futureRows = (
  future: FutureTable,
  panel: PanelTable & { readonly layout: Layout },
  { timeZone }: PanelColumnOptions,
): string => {
  const { layout, columns } = panel;
  const time = layout.time && columnOf(future, layout.time.name);
  if (!time) {
    const name = layout.time?.name;
    return refuse(
      future,
      name === undefined ? 'belongs to a panel without times' : `has no column '${name}'`,
      'both files need the column of times, under the same name',
    );
  }
  const read = timeSql(time.name, future.sample.typeOf(time), timeZone);
  if (read.kind !== columns.kind) {
    refuse(
      future,
      `counts its times otherwise than the panel ('${time.name}')`,
      'write times the same way in both files',
    );
  }
  const id = layout.id && columnOf(future, layout.id.name);
  const type = columns.hasIntegerIds ? 'BIGINT' : 'VARCHAR';
  const idSql = id ? `TRY_CAST(${quoteName(id.name)} AS ${type})` : 'all_ids.id';
  const every = `(SELECT DISTINCT ${columns.id} AS id FROM ${panel.table}) AS all_ids`;
  const kept = columns.covariates.map((covariate, i) => valueSql(future, covariate, i));
  const all = [`${idSql} AS id`, `${read.sql} AS t`, "'nan'::DOUBLE AS y", '1::DOUBLE', ...kept];
  const from = id ? future.table : `${future.table}, ${every}`;
  return `SELECT ${all.join(', ')} FROM ${from}`;
};

/** A panel with covariates, its columns under the names that readers of it know. */
export const withCovariates = (
  panel: PanelTable & { readonly layout: Layout },
  future: FutureTable | undefined,
  options: PanelColumnOptions,
): PanelTable => {
  const { covariates } = panel.columns;
  const { wide } = panel;
  const tableOf = (table: string): string => {
    const own = ownRows({ ...panel, table });
    return future
      ? `(${own} UNION ALL ${futureRows(future, { ...panel, table }, options)})`
      : `(${own})`;
  };
  const columns: PanelColumns = {
    ...panel.columns,
    ...{ id: 'id', time: 't', value: 'y', hasFutureFile: future !== undefined },
    covariates: covariates.map((column, i) => ({ ...column, sql: covariateName(i) })),
  };
  return {
    table: tableOf(panel.table),
    columns,
    ...(wide && { wide: { ...wide, tableOf: (ids) => tableOf(wide.tableOf(ids)) } }),
  };
};
