/** A worker as a process of its own: opens its queue and its store by their addresses. */
import { TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { isRedisAddress, openQueue, openStore } from '@tollama/queue';
import { BATCH_QUEUE } from '../settings.ts';
import { runWorker, type WorkerOptions } from './run-worker.ts';

export interface ServeWorkerOptions extends Pick<WorkerOptions, 'stop' | 'onChunk'> {
  /** redis://host:port, or file:path of a journal. */
  readonly queue: string;
  /** A folder, or redis://host:port; the queue's own Redis where not given. */
  readonly store?: string | undefined;
  /** Of the daemon that has the models with weights. */
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly leaseMs: number;
  /** Told when the queue answers. */
  readonly onReady?: () => void;
}

/** Leases of workers on one machine: they live and die with their run. */
export const LOCAL_LEASE_MS = 10_000;
/** Leases of workers on other machines. */
export const SHARED_LEASE_MS = 30_000;

/**
 * Works until `stop` is aborted and the chunk at hand is done.
 *
 * @throws TollamaError INVALID_REQUEST for a journal without the folder of its store, DEPENDENCY_MISSING
 */
export const serveWorker = async (options: ServeWorkerOptions): Promise<void> => {
  const { leaseMs, baseUrl, apiKey } = options;
  await using queue = await openQueue(options.queue, { name: BATCH_QUEUE, leaseMs });
  const storeAddress = options.store ?? (isRedisAddress(options.queue) ? options.queue : undefined);
  if (storeAddress === undefined) {
    throw new TollamaError('INVALID_REQUEST', `queue '${options.queue}' has no store beside it`, {
      hint: 'name the folder of the store that the run writes chunks to',
    });
  }
  await using store = await openStore(storeAddress);
  options.onReady?.();
  const client = new TollamaClient({ ...(baseUrl && { baseUrl }), apiKey });
  await runWorker({ ...options, queue, store, connect: async () => client });
};
