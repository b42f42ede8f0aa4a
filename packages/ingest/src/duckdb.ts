/** A table of a DuckDB database, chunk by chunk. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { DUCKDB, duckDbFolder, runtimesFolder } from '@tollama/core/runtime-choice';
import { readSettings } from '@tollama/core/settings';
import type { ByteSource } from './byte-source.ts';
import { isoOfDay, isoOfMilliseconds } from './iso-time.ts';
import { type Cell, listNames, type Row, refuseInput, type Table } from './table.ts';

export type DuckDb = typeof import('@duckdb/node-api');

const MISSING = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && MISSING.has(String((error as { readonly code?: unknown }).code));

/**
 * DuckDB as it stands beside tollama, else as `tollama runtime install duckdb` put it into the state folder.
 *
 * @throws TollamaError DEPENDENCY_MISSING that says how to get it
 */
export const loadDuckDb = async (): Promise<DuckDb> => {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    const folder = duckDbFolder(runtimesFolder(readSettings(process.env).home));
    try {
      return createRequire(join(folder, 'package.json'))(DUCKDB.package) as DuckDb;
    } catch (ownCause) {
      const isNowhere = isAbsent(cause) && isAbsent(ownCause);
      const why = isNowhere ? 'is not installed' : `does not load: ${errorMessage(ownCause)}`;
      throw new TollamaError('DEPENDENCY_MISSING', `DuckDB (${DUCKDB.package}) ${why}`, {
        hint: 'run `tollama runtime install duckdb` once (70 MB)',
        cause: isAbsent(ownCause) ? cause : ownCause,
      });
    }
  }
};

const WITH_TABLE = /^(.+\.(?:duckdb|ddb|db))::(.+)$/i;

/** `panel.duckdb::sales` names a table of a database. */
export const splitTableName = (
  path: string,
): { readonly path: string; readonly table: string | undefined } => {
  const match = WITH_TABLE.exec(path);
  return match ? { path: match[1]!, table: match[2]! } : { path, table: undefined };
};

/** One word of a name, dots and all. */
export const quotePart = (word: string): string => `"${word.replaceAll('"', '""')}"`;

/** A name in SQL: `sales`, `main.sales`. */
export const quoteName = (name: string): string => name.split('.').map(quotePart).join('.');

const tableOf = async (
  connection: DuckDBConnection,
  file: string,
  asked: string | undefined,
): Promise<string> => {
  const found = await connection.runAndReadAll(
    "select table_schema || '.' || table_name from information_schema.tables where table_catalog = current_database() order by 1",
  );
  const names = found.getRows().map(([name]) => String(name));
  const hint = `name one: ${file}::${names[0]?.replace(/^main\./, '') ?? 'TABLE'}`;
  const shown = listNames(names.map((name) => name.replace(/^main\./, '')));
  if (asked !== undefined) {
    const table = names.find((name) => name === asked || name === `main.${asked}`);
    return (
      table ?? refuseInput(file, `has no table '${asked}'; it has ${shown || 'none'}`, { hint })
    );
  }
  if (names.length === 1) return names[0]!;
  return refuseInput(file, names.length === 0 ? 'has no table' : `has several tables: ${shown}`, {
    hint: names.length === 0 ? 'the database needs a table of series' : hint,
  });
};

const NUMBERS =
  /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;

type Reader = (value: unknown) => Cell;

const readerOf = (type: string): Reader | undefined => {
  if (type.startsWith('TIMESTAMP')) return (value) => isoOfMilliseconds((value as Date).getTime());
  if (type === 'DATE') return (value) => isoOfDay((value as Date).getTime());
  if (NUMBERS.test(type)) return Number;
  if (type === 'BOOLEAN') return Boolean;
  if (type === 'VARCHAR' || type.startsWith('ENUM(') || type === 'UUID') return String;
  return undefined;
};

const refuseDamaged = (file: string, cause: unknown): never =>
  refuseInput(file, `cannot be read as DuckDB: ${errorMessage(cause)}`, {
    hint: 'close the program that writes to it, or write it with a version that this one can read',
    cause,
  });

interface Opened {
  readonly connection: DuckDBConnection;
  /** Frees the file for whoever wants to write it. */
  readonly close: () => void;
}

/** Opens a database for reading only: views of it cannot reach other files. */
const connect = async ({ DuckDBInstance }: DuckDb, file: string, path: string): Promise<Opened> => {
  try {
    const options = { access_mode: 'READ_ONLY', enable_external_access: 'false', threads: '2' };
    const instance = await DuckDBInstance.create(path, options);
    const connection = await instance.connect();
    const close = (): void => {
      connection.closeSync();
      instance.closeSync();
    };
    return { connection, close };
  } catch (cause) {
    return refuseDamaged(file, cause);
  }
};

const startReading = async (
  connection: DuckDBConnection,
  file: string,
  asked: string | undefined,
) => {
  const table = await tableOf(connection, file, asked);
  return connection
    .stream(`select * from ${quoteName(table)}`)
    .catch((cause: unknown) => refuseDamaged(file, cause));
};

/** Opens the table `asked`, or the only one; columns of lists and structures are left out. */
export const openDuckDb = async (source: ByteSource, asked?: string): Promise<Table> => {
  const { file, path } = source;
  if (path === undefined) {
    return refuseInput(file, 'a DuckDB database is read from an unpacked file only', {
      hint: 'give its path, or export the table as Parquet',
    });
  }
  const { connection, close } = await connect(await loadDuckDb(), file, path);
  const result = await startReading(connection, file, asked).catch((error: unknown) => {
    close();
    throw error;
  });
  const types = result.columnTypes().map(String);
  const columns = result.columnNames().flatMap((name, index) => {
    const read = readerOf(types[index]!);
    return read ? [{ name, index, read }] : [];
  });
  const batches = async function* (): AsyncGenerator<readonly Row[]> {
    let number = 1;
    try {
      for await (const rows of result.yieldRowsJs()) {
        yield rows.map((row) => ({
          number: number++,
          cells: columns.map(({ index, read }) => {
            const value: unknown = row[index];
            return value === null || value === undefined ? null : read(value);
          }),
        }));
      }
    } catch (cause) {
      refuseDamaged(file, cause);
    } finally {
      close();
    }
  };
  return {
    file,
    format: 'DuckDB',
    columns: columns.map(({ name }) => name),
    batches: batches(),
    allowsDecimalComma: false,
  };
};
