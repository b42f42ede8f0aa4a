/** How a run of `tollama batch` tells of itself in the state folder, for whoever looks from outside. */
import { join } from 'node:path';
import { z } from 'zod';

export const BATCH_STATES = [
  'planning',
  'running',
  'done',
  'stopped',
  'failed',
  'interrupted',
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** A run that goes on writes its record that often. */
export const BATCH_BEAT_MS = 1000;
/** A run that was silent for so long is taken for interrupted: its process is gone. */
export const BATCH_SILENT_MS = 15_000;

/** A run as it is listed. Times are ISO-8601 UTC. */
export const BatchRun = z.object({
  /** Of the machine and the output folder: a run that goes on keeps it. */
  id: z.string().regex(/^[\da-f]{16}$/),
  status: z.enum(BATCH_STATES),
  model: z.string(),
  horizon: z.int(),
  inputs: z.array(z.string()),
  output: z.string(),
  /** Where the run is: it reads the panel and writes the results; workers may be elsewhere. */
  host: z.string(),
  pid: z.int(),
  /** Worker processes that the run itself started. */
  workers: z.int(),
  /** Address of the shared queue, without its password; null: a journal in the output folder. */
  queue: z.string().nullable(),
  /** Of this go: a run that goes on starts anew. */
  started_at: z.string(),
  updated_at: z.string(),
  ended_at: z.string().nullable(),
  /** Series that came back, of `total`; what earlier goes did counts. */
  series: z.int(),
  failed: z.int(),
  total: z.int(),
  series_per_second: z.number(),
  eta_ms: z.number().nullable(),
  /** Of the run and its workers, at most. */
  memory_bytes: z.number(),
  error: z
    .object({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .nullable(),
});
export type BatchRun = z.infer<typeof BatchRun>;

/** Whether a process should be at work on it. */
export const isBatchActive = ({ status }: Pick<BatchRun, 'status'>): boolean =>
  status === 'planning' || status === 'running';

/** The folder of the records, and of what is asked of the runs. */
export const batchFolder = (home: string): string => join(home, 'batches');

export const batchRecordPath = (home: string, id: string): string =>
  join(batchFolder(home), `${id}.json`);

/** While this file is there the run is asked to stop. */
export const batchStopPath = (home: string, id: string): string =>
  join(batchFolder(home), `${id}.stop`);
