/** The first rows of a table and the types of its columns. */
import { TollamaError } from '@tollama/core/errors';
import { describeColumns } from '@tollama/ingest/column-kinds';
import type { Cell } from '@tollama/ingest/table';
import { type DuckDb, quoteName, readingFailed } from './duckdb.ts';
import { readsByColumn } from './source.ts';
import type { TableSample } from './table-sample.ts';

const SAMPLE_ROWS = 500;
/** Columns that are read together: each takes memory for thousands of rows. */
const SAMPLE_COLUMNS = 256;

const toCell = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return String(value);
};

interface Described {
  readonly names: readonly string[];
  readonly types: readonly string[];
}

const describe = async ({ connection }: DuckDb, table: string): Promise<Described> => {
  const rows = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${table}`)).getRows();
  return { names: rows.map(([name]) => String(name)), types: rows.map(([, type]) => String(type)) };
};

/** [rows][columns] */
const firstRows = async (
  { connection }: DuckDb,
  table: string,
  { names }: Described,
): Promise<Cell[][]> => {
  const rows: Cell[][] = [];
  const together = readsByColumn(table) ? SAMPLE_COLUMNS : names.length;
  for (let at = 0; at < names.length; at += together) {
    const some = names.slice(at, at + together).map(quoteName);
    const sql = `SELECT ${some.join(', ')} FROM ${table} LIMIT ${SAMPLE_ROWS}`;
    const read = await connection.runAndReadAll(sql);
    read.getRows().forEach((row, i) => {
      rows[i] ??= [];
      for (const value of row) rows[i].push(toCell(value));
    });
  }
  return rows;
};

/** @throws TollamaError INVALID_INPUT when the files cannot be read or hold no row */
export const sampleTable = async (
  database: DuckDb,
  table: string,
  shown: string,
): Promise<TableSample> => {
  const failed = (cause: unknown): never => {
    throw readingFailed(shown, cause);
  };
  const described = await describe(database, table).catch(failed);
  const cells = await firstRows(database, table, described).catch(failed);
  const { names, types } = described;
  const rows = cells.map((row, i) => ({ number: i + 1, cells: row }));
  if (rows.length === 0) {
    throw new TollamaError('INVALID_INPUT', `${shown} holds no rows`, {
      hint: 'a panel has a row for each series and time',
    });
  }
  return { columns: describeColumns(names, rows), typeOf: ({ index }) => types[index]! };
};
