/** DuckDB in the state folder, for `tollama batch` and tables of databases: fetched, loaded once, only then there. */
import { execFile } from 'node:child_process';
import { rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { DUCKDB, duckDbFolder } from '@tollama/core/runtime-choice';
import { fetchPackage } from './fetch-package.ts';

const PROBE_TIMEOUT_MS = 60_000;

/** Loads it in another process, which a wrong library may kill. */
const probe = async (folder: string): Promise<string> => {
  const program = 'require(process.argv[1]).version()';
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['-p', program, DUCKDB.package],
      {
        cwd: folder,
        timeout: PROBE_TIMEOUT_MS,
      },
    );
    return stdout.trim();
  } catch (cause) {
    throw new TollamaError('DEPENDENCY_MISSING', `DuckDB does not load: ${errorMessage(cause)}`, {
      hint: 'its binaries are for Linux, macOS and Windows on x64 and arm64',
      cause,
    });
  }
};

/**
 * Fetches DuckDB and tells its version.
 *
 * @throws TollamaError DEPENDENCY_MISSING when it cannot be had or does not load; what was there before stays
 */
export const installDuckDb = async (runtimes: string): Promise<string> => {
  const place = duckDbFolder(runtimes);
  const partial = `${place}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await fetchPackage(partial, { what: `${DUCKDB.package}@${DUCKDB.version}` });
    const version = await probe(partial);
    await rm(place, { recursive: true, force: true });
    await rename(partial, place);
    return version;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
};

/** Takes it away; tells whether it was there. */
export const removeDuckDb = async (runtimes: string): Promise<boolean> => {
  const place = duckDbFolder(runtimes);
  const isThere = (await stat(place).catch(() => undefined)) !== undefined;
  await rm(place, { recursive: true, force: true });
  return isThere;
};
