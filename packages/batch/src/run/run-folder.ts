/** The output folder of a run: its parts, and under `_tollama` what the run needs to go on after it was cut off. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { SeriesFailure } from '../block/forecast-block.ts';
import { BatchSettings } from '../settings.ts';

/** A finished part. */
const Part = z.strictObject({
  file: z.string().nullable(),
  chunks: z.int(),
  series: z.int(),
  rows: z.int(),
  failed: z.int(),
  lastId: z.string(),
});
export type Part = z.infer<typeof Part>;

/** run.json */
export const RunState = z.strictObject({
  /** Hash of inputs, columns, chunking and settings: a run goes on only with the same. */
  fingerprint: z.string(),
  settings: BatchSettings,
  inputs: z.array(z.string()),
  plan: z.strictObject({
    isOrdered: z.boolean(),
    series: z.int(),
    rows: z.int(),
    rowsWithoutId: z.int(),
  }),
  parts: z.array(Part),
  isDone: z.boolean(),
  /** Milliseconds that finished and interrupted runs took so far. */
  elapsedMs: z.number(),
});
export type RunState = z.infer<typeof RunState>;

/** progress.json, as fresh as a second. */
export const RunProgress = z.strictObject({
  series: z.int(),
  failed: z.int(),
  total: z.int(),
  seriesPerSecond: z.number(),
  etaMs: z.number().nullable(),
  memoryBytes: z.number(),
  updatedAt: z.string(),
});
export type RunProgress = z.infer<typeof RunProgress>;

const ERRORS_FILE = 'errors.ndjson';

/** Where everything of a run lies; `part` is a name in the output folder, all others are whole paths. */
export const runPaths = (output: string) => {
  const folder = join(output, '_tollama');
  return {
    output,
    folder,
    state: join(folder, 'run.json'),
    progress: join(folder, 'progress.json'),
    lock: join(folder, 'lock.sqlite'),
    journal: join(folder, 'jobs.sqlite'),
    contents: join(folder, 'contents'),
    sorting: join(folder, 'sorting'),
    staging: join(folder, 'staging'),
    errors: join(output, ERRORS_FILE),
    part: (index: number) => `part-${String(index).padStart(5, '0')}.parquet`,
    partErrors: (index: number) =>
      join(folder, 'errors', `${String(index).padStart(5, '0')}.ndjson`),
  };
};
export type RunPaths = ReturnType<typeof runPaths>;

/** Beside its place and renamed, so that a crash leaves the old file or the new one. */
export const writeWhole = async (path: string, content: string | Uint8Array): Promise<void> => {
  const partial = `${path}.tmp`;
  await writeFile(partial, content);
  await rename(partial, path);
};

const readJson = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TollamaError('CONFIG_INVALID', `${path} is not the state of a batch run`, {
      hint: 'use another --output, or --fresh to start anew',
      cause,
    });
  }
};

/** Undefined before the first run. Throws CONFIG_INVALID for a run.json of something else. */
export const readRunState = (paths: RunPaths): Promise<RunState | undefined> =>
  readJson(paths.state, RunState);

/** Undefined before a run has told any. Throws CONFIG_INVALID for a progress.json of something else. */
export const readProgress = (paths: RunPaths): Promise<RunProgress | undefined> =>
  readJson(paths.progress, RunProgress);

/** Writes run.json whole. */
export const writeRunState = (paths: RunPaths, state: RunState): Promise<void> =>
  writeWhole(paths.state, `${JSON.stringify(state, undefined, 1)}\n`);

/** Lines of errors.ndjson. */
export const errorLines = (failures: readonly SeriesFailure[]): string =>
  failures
    .map(({ id, code, message }) => `${JSON.stringify({ unique_id: id, code, message })}\n`)
    .join('');

/** Makes the folder; with `isFresh`, what an earlier run left in it goes. */
export const prepareFolder = async (paths: RunPaths, isFresh: boolean): Promise<void> => {
  if (isFresh) {
    // All but the lock, which this process holds.
    const own = await readdir(paths.folder).catch(() => []);
    for (const name of own.filter((name) => !name.startsWith('lock.'))) {
      await rm(join(paths.folder, name), { recursive: true, force: true });
    }
    const files = await readdir(paths.output).catch(() => []);
    const ours = files.filter((file) => /^part-\d+\.parquet$/.test(file) || file === ERRORS_FILE);
    for (const file of ours) await rm(join(paths.output, file), { force: true });
  }
  await mkdir(join(paths.folder, 'errors'), { recursive: true });
};
