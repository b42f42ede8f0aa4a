/** Rows as a file: CSV, JSON, NDJSON, Parquet, Arrow, or a table of a DuckDB database; the name's end says which. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { loadArrow } from './arrow.ts';
import { loadDuckDb, quoteName, quotePart, splitTableName } from './duckdb.ts';
import { loadOptional } from './optional-package.ts';
import { type TableColumn, type TableRow, tableColumns } from './table-columns.ts';

const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvOf = (rows: readonly TableRow[]): string => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => names.map((name) => cell(row[name])).join(','));
  return `${[names.map(cell).join(','), ...lines].join('\n')}\n`;
};

/** A Parquet file in memory: doubles, UTF-8, booleans, timestamps; Snappy. Throws DEPENDENCY_MISSING. */
export const parquetBytes = async (columns: readonly TableColumn[]): Promise<Uint8Array> => {
  const { parquetWriteBuffer, schemaFromColumnData } = await loadOptional(
    'hyparquet-writer',
    'writing Parquet',
    () => import('hyparquet-writer'),
  );
  const types = { number: 'DOUBLE', text: 'STRING', boolean: 'BOOLEAN' } as const;
  const columnData = columns.map(({ name, kind, values }) =>
    kind === 'time'
      ? { name, data: values.map((time) => (time === null ? null : new Date(time))) }
      : { name, data: [...values], type: types[kind], nullable: true },
  );
  const times = columns.filter(({ kind }) => kind === 'time');
  const schema = schemaFromColumnData({
    columnData,
    schemaOverrides: Object.fromEntries(times.map(({ name }) => [name, zonelessTime(name)])),
  });
  const bare = columnData.map(({ name, data }) => ({ name, data }));
  return new Uint8Array(parquetWriteBuffer({ columnData: bare, schema }));
};

/** The timestamps of series have no zone. */
const zonelessTime = (name: string) =>
  ({
    name,
    type: 'INT64',
    repetition_type: 'OPTIONAL',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' },
  }) as const;

/** An Arrow file in memory: doubles, UTF-8, booleans, timestamps in microseconds. Throws DEPENDENCY_MISSING. */
export const arrowBytes = async (columns: readonly TableColumn[]): Promise<Uint8Array> => {
  const { Bool, Float64, Table, TimestampMicrosecond, tableToIPC, Utf8, vectorFromArray } =
    await loadArrow();
  const vectorOf = ({ kind, values }: TableColumn) => {
    switch (kind) {
      case 'number':
        return vectorFromArray([...values], new Float64());
      case 'boolean':
        return vectorFromArray([...values], new Bool());
      case 'text':
        return vectorFromArray([...values], new Utf8());
      case 'time':
        return vectorFromArray([...values], new TimestampMicrosecond());
    }
  };
  const vectors = Object.fromEntries(columns.map((column) => [column.name, vectorOf(column)]));
  return tableToIPC(new Table(vectors), 'file');
};

const SQL_TYPES = {
  number: 'DOUBLE',
  text: 'VARCHAR',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP',
} as const;
const DUCKDB_TABLE = 'forecasts';

/** Puts the rows in the place of the table, other tables stay; an interrupted write leaves all as it was. */
const writeDuckDb = async (path: string, table: string, columns: readonly TableColumn[]) => {
  const { DuckDBInstance, DuckDBTimestampValue } = await loadDuckDb();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  try {
    await connection.run('begin');
    const types = columns.map(({ name, kind }) => `${quotePart(name)} ${SQL_TYPES[kind]}`);
    await connection.run(`create or replace table ${quoteName(table)} (${types.join(', ')})`);
    const appender = await connection.createAppender(table);
    for (let row = 0; row < columns[0]!.values.length; row++) {
      for (const { kind, values } of columns) {
        const value = values[row] ?? null;
        if (value === null) appender.appendNull();
        else if (kind === 'time') {
          const micros = BigInt(Math.round((value as number) * 1000));
          appender.appendTimestamp(new DuckDBTimestampValue(micros));
        } else if (kind === 'number') appender.appendDouble(value as number);
        else if (kind === 'boolean') appender.appendBoolean(value as boolean);
        else appender.appendVarchar(value as string);
      }
      appender.endRow();
    }
    appender.closeSync();
    await connection.run('commit');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

const contentOf = async (
  path: string,
  rows: readonly TableRow[],
): Promise<string | Uint8Array | undefined> => {
  switch (extname(path).toLowerCase()) {
    case '.csv':
      return csvOf(rows);
    case '.json':
      return `${JSON.stringify(rows)}\n`;
    case '.ndjson':
    case '.jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case '.parquet':
    case '.pq':
      return parquetBytes(tableColumns(rows));
    case '.arrow':
    case '.feather':
      return arrowBytes(tableColumns(rows));
    default:
      return undefined;
  }
};

const DATABASE = /\.(?:duckdb|ddb)$/i;

export const TABLE_ENDINGS = [
  '.csv',
  '.json',
  '.ndjson',
  '.parquet',
  '.arrow',
  '.feather',
  '.duckdb',
];

/** Whether `writeTable` knows the end of a name. */
export const isTablePath = (path: string): boolean => {
  const { path: file } = splitTableName(path);
  return DATABASE.test(file) || /\.(?:csv|json|ndjson|jsonl|parquet|pq|arrow|feather)$/i.test(file);
};

/**
 * Writes rows. A file is written beside its place and renamed; `out.duckdb::name` becomes a table of the database,
 * `forecasts` where none is named.
 *
 * @throws TollamaError INVALID_REQUEST for another ending or a place that cannot be written, DEPENDENCY_MISSING
 * @example
 * await writeTable('forecast.parquet', [{ unique_id: 'a', ds: '2024-01-01', yhat: 1.5 }]);
 */
export const writeTable = async (path: string, rows: readonly TableRow[]): Promise<void> => {
  const { path: file, table = DUCKDB_TABLE } = splitTableName(path);
  const partial = `${file}.${process.pid}.tmp`;
  try {
    if (DATABASE.test(file)) return await writeDuckDb(file, table, tableColumns(rows));
    const content = await contentOf(file, rows);
    if (content === undefined) {
      throw new TollamaError('INVALID_REQUEST', `${path}: unknown kind of file`, {
        hint: `use a name that ends in ${TABLE_ENDINGS.join(', ')}`,
      });
    }
    await writeFile(partial, content);
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof TollamaError) throw cause;
    const message = `${path} cannot be written: ${errorMessage(cause)}`;
    throw new TollamaError('INVALID_REQUEST', message, { cause });
  }
};
