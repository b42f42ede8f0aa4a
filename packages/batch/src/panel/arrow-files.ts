/** Arrow and Feather files as Parquet, which DuckDB reads: a record batch after the other, in bounded memory. */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { TollamaError } from '@tollama/core/errors';
import {
  type ArrowKind,
  type ArrowRows,
  type ArrowValue,
  readArrowColumns,
} from '@tollama/ingest/arrow-columns';
import { openByteSource } from '@tollama/ingest/byte-source';
import { loadDuckDb } from '@tollama/ingest/duckdb';
import { type DuckDb, quoteName, quoteText, readingFailed } from './duckdb.ts';
import { isArrowFile } from './source.ts';

export interface StageArrowOptions {
  /** Emptied, then filled with as much as the files hold. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const TABLE = 'arrow_rows';
const TYPES: Readonly<Record<ArrowKind, string>> = {
  ...{ number: 'DOUBLE', integer: 'BIGINT', text: 'VARCHAR', boolean: 'BOOLEAN' },
  ...{ time: 'TIMESTAMP', zoned: 'TIMESTAMPTZ', day: 'DATE' },
};
/** Values that wait in DuckDB before they are a file. */
const CELLS_PER_FILE = 4_000_000;
/** Of DuckDB's chunks. */
const ROWS_PER_CHUNK = 2048;
const FEATHER_1 = 'FEA1';

const toDuckDb = async () => {
  const api = await loadDuckDb();
  const types: Readonly<Record<ArrowKind, DuckDBType>> = {
    ...{ number: api.DOUBLE, integer: api.BIGINT, text: api.VARCHAR, boolean: api.BOOLEAN },
    ...{ time: api.TIMESTAMP, zoned: api.TIMESTAMPTZ, day: api.DATE },
  };
  const cellOf = (kind: ArrowKind, value: ArrowValue): DuckDBValue => {
    if (value === null) return null;
    if (kind === 'time') return new api.DuckDBTimestampValue(value as bigint);
    if (kind === 'zoned') return new api.DuckDBTimestampTZValue(value as bigint);
    return kind === 'day' ? new api.DuckDBDateValue(value as number) : value;
  };
  return {
    chunkOf: ({ columns, values }: ArrowRows, from: number, end: number) => {
      const chunk = api.DuckDBDataChunk.create(
        columns.map(({ kind }) => types[kind]),
        end - from,
      );
      columns.forEach(({ kind }, at) => {
        const cells = values(at, from, end).map((value) => cellOf(kind, value));
        chunk.setColumnValues(at, cells);
      });
      return chunk;
    },
  };
};

/** A handle where the format wants to be read at random; a stream of bytes otherwise. */
const readRows = async function* (file: string): AsyncGenerator<ArrowRows> {
  const source = await openByteSource(file);
  if (Buffer.from(source.head.subarray(0, 4)).toString('latin1') === FEATHER_1) {
    throw new TollamaError('INVALID_INPUT', `${file} is a Feather file of version 1`, {
      hint: 'write it as version 2, as pandas and pyarrow do by default',
    });
  }
  if (source.path === undefined) return yield* readArrowColumns(file, source.chunks);
  await using handle = await open(source.path);
  yield* readArrowColumns(file, handle);
};

/** One file as Parquet files, in the order of its rows. */
const stageFile = async (
  { connection }: DuckDb,
  file: string,
  { prefix, signal }: { readonly prefix: string; readonly signal: AbortSignal },
): Promise<string[]> => {
  const { chunkOf } = await toDuckDb();
  const places: string[] = [];
  let cells = 0;
  const flush = async (): Promise<void> => {
    const place = `${prefix}-${String(places.length).padStart(5, '0')}.parquet`;
    await connection.run(`COPY ${TABLE} TO ${quoteText(place)} (FORMAT parquet)`);
    await connection.run(`DROP TABLE ${TABLE}`);
    places.push(place);
    cells = 0;
  };
  for await (const rows of readRows(file)) {
    const columns = rows.columns.map(({ name, kind }) => `${quoteName(name)} ${TYPES[kind]}`);
    for (let from = 0; from < rows.count; from += ROWS_PER_CHUNK) {
      signal.throwIfAborted();
      const end = Math.min(rows.count, from + ROWS_PER_CHUNK);
      if (cells === 0) await connection.run(`CREATE TABLE ${TABLE} (${columns.join(', ')})`);
      const appender = await connection.createAppender(TABLE);
      appender.appendDataChunk(chunkOf(rows, from, end));
      appender.closeSync();
      cells += (end - from) * columns.length;
      if (cells >= CELLS_PER_FILE) await flush();
    }
  }
  if (cells > 0) await flush();
  return places;
};

/**
 * The inputs with Parquet files in the place of Arrow ones; globs are followed.
 *
 * @throws TollamaError INVALID_INPUT for damaged files and those without rows
 */
export const withoutArrow = async (
  database: DuckDb,
  inputs: readonly string[],
  { folder, signal }: StageArrowOptions,
): Promise<readonly string[]> => {
  if (!inputs.some(isArrowFile)) return inputs;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const staged: string[] = [];
  for (const input of inputs) {
    const glob = `SELECT file FROM glob(${quoteText(input)}) ORDER BY file`;
    const found = (await database.connection.runAndReadAll(glob)).getRows().map(String);
    for (const file of found.length > 0 ? found : [input]) {
      const prefix = join(folder, String(staged.length).padStart(5, '0'));
      const places = await stageFile(database, file, { prefix, signal }).catch((cause: unknown) => {
        if (cause instanceof TollamaError || signal.aborted) throw cause;
        throw readingFailed(file, cause);
      });
      staged.push(...places);
    }
  }
  if (staged.length > 0) return staged;
  throw new TollamaError('INVALID_INPUT', `${inputs.join(', ')} holds no rows`, {
    hint: 'a panel has a row for each series and time',
  });
};
