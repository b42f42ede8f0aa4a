/** DuckDB, loaded only where a panel is read. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { loadDuckDb } from '@tollama/ingest/duckdb';

export interface DuckDbOptions {
  /** Where what does not fit into memory goes. */
  readonly temporaryFolder: string;
  readonly memoryMegabytes: number;
  readonly threads: number;
}

/** A database in memory. Throws DEPENDENCY_MISSING where DuckDB is not installed. */
export const openDuckDb = async ({ temporaryFolder, memoryMegabytes, threads }: DuckDbOptions) => {
  const duckdb = await loadDuckDb();
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMegabytes}MB`,
    threads: String(threads),
    temp_directory: temporaryFolder,
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  return {
    connection,
    [Symbol.dispose]: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
};

export type DuckDb = Awaited<ReturnType<typeof openDuckDb>>;

/** What a failure while rows are read means for who asked. */
export const readingFailed = (what: string, cause: unknown): TollamaError => {
  const isShort = /Out of Memory/i.test(errorMessage(cause));
  const [first = ''] = errorMessage(cause).split('\n');
  return new TollamaError('INVALID_INPUT', `${what} cannot be read: ${first}`, {
    hint: isShort
      ? 'give the reader more with --memory (wide panels of thousands of columns take much)'
      : 'check the path, and that the files are whole',
    cause,
  });
};

/** A text as SQL has it. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** A name of a column as SQL has it. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
