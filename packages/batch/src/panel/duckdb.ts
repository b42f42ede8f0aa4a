/** DuckDB, loaded only where a panel is read. */
import { TollamaError } from '@tollama/core/errors';
import { installHint } from '@tollama/core/missing-package';

export interface DuckDbOptions {
  /** Where what does not fit into memory goes. */
  readonly temporaryFolder: string;
  readonly memoryMegabytes: number;
  readonly threads: number;
}

export const openDuckDb = async ({ temporaryFolder, memoryMegabytes, threads }: DuckDbOptions) => {
  let duckdb: typeof import('@duckdb/node-api');
  try {
    duckdb = await import('@duckdb/node-api');
  } catch (cause) {
    throw new TollamaError('DEPENDENCY_MISSING', 'batch needs the package @duckdb/node-api', {
      hint: installHint('@duckdb/node-api'),
      cause,
    });
  }
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

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
