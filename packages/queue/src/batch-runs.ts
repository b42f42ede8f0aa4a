/** Runs of `tollama batch` as they tell of themselves in the state folder: for a daemon and for commands beside them. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import {
  BATCH_SILENT_MS,
  BatchRun,
  batchFolder,
  batchRecordPath,
  batchStopPath,
  isBatchActive,
} from '@tollama/core/batch-run';
import { TollamaError } from '@tollama/core/errors';

/** An active record that nobody writes any more is what a killed process left. */
const asSeen = (run: BatchRun, now: number): BatchRun =>
  isBatchActive(run) && now - Date.parse(run.updated_at) > BATCH_SILENT_MS
    ? { ...run, status: 'interrupted', eta_ms: null, series_per_second: 0 }
    : run;

const readRun = async (home: string, id: string, now: number): Promise<BatchRun | undefined> => {
  const text = await readFile(batchRecordPath(home, id), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return asSeen(BatchRun.parse(JSON.parse(text)), now);
  } catch {
    // Of another version, or of a crash of the machine: it tells nothing.
    return undefined;
  }
};

/** All runs that are known, the latest first. */
export const listBatchRuns = async (home: string, now = Date.now()): Promise<BatchRun[]> => {
  const names = await readdir(batchFolder(home)).catch(() => []);
  const ids = names.flatMap((name) => /^([\da-f]{16})\.json$/.exec(name)?.[1] ?? []);
  const runs = await Promise.all(ids.map((id) => readRun(home, id, now)));
  return runs
    .filter((run) => run !== undefined)
    .toSorted((a, b) => (a.started_at < b.started_at ? 1 : -1));
};

/** @throws TollamaError NOT_FOUND */
export const getBatchRun = async (
  home: string,
  id: string,
  now = Date.now(),
): Promise<BatchRun> => {
  const isId = /^[\da-f]{16}$/.test(id);
  const run = isId ? await readRun(home, id, now) : undefined;
  if (!run) {
    throw new TollamaError('NOT_FOUND', `there is no batch '${id}'`, {
      hint: '`tollama batch status` and GET /api/batches list those that are known',
    });
  }
  return run;
};

/** Asks an active run to stop; it looks about once a second. One that is over stays as it is. */
export const stopBatchRun = async (home: string, id: string): Promise<BatchRun> => {
  const run = await getBatchRun(home, id);
  if (isBatchActive(run)) await writeFile(batchStopPath(home, id), '');
  return run;
};

/** Forgets a run that is over; its output stays. @throws TollamaError BUSY, NOT_FOUND */
export const forgetBatchRun = async (home: string, id: string): Promise<void> => {
  const run = await getBatchRun(home, id);
  if (isBatchActive(run)) {
    throw new TollamaError('BUSY', `batch '${id}' is ${run.status}`, { hint: 'stop it first' });
  }
  await rm(batchStopPath(home, id), { force: true });
  await rm(batchRecordPath(home, id), { force: true });
};
