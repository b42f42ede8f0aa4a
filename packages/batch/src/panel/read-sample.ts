/** The first rows of a table and the types of its columns. */
import { TollamaError } from '@tollama/core/errors';
import { describeColumns } from '@tollama/ingest/column-kinds';
import type { Cell } from '@tollama/ingest/table';
import { type DuckDb, readingFailed } from './duckdb.ts';
import type { TableSample } from './table-sample.ts';

const SAMPLE_ROWS = 500;

const toCell = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return String(value);
};

/** @throws TollamaError INVALID_INPUT when the files cannot be read or hold no row */
export const sampleTable = async (
  { connection }: DuckDb,
  table: string,
  shown: string,
): Promise<TableSample> => {
  const read = await connection
    .runAndReadAll(`SELECT * FROM ${table} LIMIT ${SAMPLE_ROWS}`)
    .catch((cause: unknown) => {
      throw readingFailed(shown, cause);
    });
  const rows = read.getRows().map((row, i) => ({ number: i + 1, cells: row.map(toCell) }));
  if (rows.length === 0) {
    throw new TollamaError('INVALID_INPUT', `${shown} holds no rows`, {
      hint: 'a panel has a row for each series and time',
    });
  }
  const types = read.columnTypes().map(String);
  return {
    columns: describeColumns(read.columnNames(), rows),
    typeOf: ({ index }) => types[index]!,
  };
};
