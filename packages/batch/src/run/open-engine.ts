/** What carries the chunks of a run: a queue of jobs, and a store of what they speak of. */
import { TollamaError } from '@tollama/core/errors';
import {
  type ContentStore,
  isRedisAddress,
  type JobQueue,
  openFolderStore,
  openJournalQueue,
  openQueue,
  openStore,
} from '@tollama/queue';
import { BATCH_QUEUE } from '../settings.ts';
import { LOCAL_LEASE_MS, SHARED_LEASE_MS } from '../worker/serve-worker.ts';
import type { BatchOptions } from './batch-options.ts';
import type { LocalWorkerOptions } from './local-workers.ts';
import type { RunPaths } from './run-folder.ts';

/** Chunks out at workers that are not of this machine. */
const AHEAD_SHARED = 64;

export interface BatchEngine {
  readonly queue: JobQueue;
  readonly store: ContentStore;
  /** Chunks that are out at the same time. */
  readonly ahead: number;
  /** What local workers are told. */
  readonly worker: Pick<LocalWorkerOptions, 'queue' | 'store' | 'leaseMs'>;
}

/**
 * The journal of the output folder, or the queue that machines share.
 *
 * @throws TollamaError INVALID_REQUEST for a queue that one machine alone can reach, DEPENDENCY_MISSING
 */
export const openEngine = async (
  paths: RunPaths,
  { queue, leaseMs, workers }: BatchOptions,
): Promise<BatchEngine> => {
  if (queue === undefined) {
    const options = { name: BATCH_QUEUE, leaseMs: leaseMs ?? LOCAL_LEASE_MS };
    return {
      queue: await openJournalQueue(paths.journal, options),
      store: openFolderStore(paths.contents),
      ahead: 2 * workers + 2,
      worker: { queue: `file:${paths.journal}`, store: paths.contents, leaseMs: options.leaseMs },
    };
  }
  if (!isRedisAddress(queue)) {
    throw new TollamaError('INVALID_REQUEST', `--queue ${queue} is not shared by machines`, {
      hint: 'use redis://host:port, or leave it out: the output folder keeps a journal',
    });
  }
  const options = { name: BATCH_QUEUE, leaseMs: leaseMs ?? SHARED_LEASE_MS };
  return {
    queue: await openQueue(queue, options),
    store: await openStore(queue),
    ahead: AHEAD_SHARED,
    worker: { queue, store: undefined, leaseMs: options.leaseMs },
  };
};
