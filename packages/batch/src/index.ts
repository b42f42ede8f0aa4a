/** Forecasts of whole panels in bounded memory, by any number of workers. */
export { listBatchRuns, stopBatchRun } from '@tollama/queue/batch-runs';
export type { BatchOptions } from './run/batch-options.ts';
export { type BatchSummary, runBatch } from './run/run-batch.ts';
export type { RunProgress } from './run/run-folder.ts';
export { batchIdOf } from './run/run-record.ts';
export { type BatchStatus, batchStatus } from './run/run-status.ts';
export { BATCH_QUEUE, BatchSettings } from './settings.ts';
export { type ServeWorkerOptions, SHARED_LEASE_MS, serveWorker } from './worker/serve-worker.ts';
