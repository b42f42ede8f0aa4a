/** The loop of a worker: takes chunks from a queue until it is told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TollamaClient } from '@tollama/client';
import { toTollamaError } from '@tollama/core/errors';
import type { ContentStore, JobQueue, Lease } from '@tollama/queue';
import { encodeForecastBlock } from '../block/forecast-block.ts';
import { decodePanelBlock } from '../block/panel-block.ts';
import { ChunkJob, type ChunkResult } from '../settings.ts';
import { type ForecastSeries, openBatchModel } from './batch-model.ts';
import { forecastChunk } from './forecast-chunk.ts';

export interface WorkerOptions {
  readonly queue: JobQueue;
  readonly store: ContentStore;
  readonly connect: () => Promise<Pick<TollamaClient, 'forecast'>>;
  /** As the queue was opened with: leases are renewed three times as often. */
  readonly leaseMs: number;
  /** No further chunk is taken; the one at hand is finished. */
  readonly stop: AbortSignal;
  readonly onChunk?: (chunk: { readonly series: number; readonly failed: number }) => void;
}

/** How long an idle worker waits before it asks again. */
const IDLE_MS = { least: 5, most: 100 } as const;

/** The code of a chunk whose content is gone; whoever asked for it puts it back. */
export const CONTENT_MISSING = 'CONTENT_MISSING';

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Renews a lease until it is disposed; aborts when the lease is lost or nobody wants the job. */
const holding = (queue: JobQueue, lease: Lease, leaseMs: number) => {
  const controller = new AbortController();
  const timer = setInterval(async () => {
    const standing = await queue.progress(lease).catch(() => 'held' as const);
    if (standing !== 'held') controller.abort(new Error(`the chunk is ${standing}`));
  }, leaseMs / 3);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => clearInterval(timer),
  };
};

type Models = Map<string, Promise<ForecastSeries>>;

const work = async (lease: Lease, options: WorkerOptions, models: Models): Promise<void> => {
  const { queue, store, connect, leaseMs } = options;
  using hold = holding(queue, lease, leaseMs);
  try {
    const { chunk, settings } = ChunkJob.parse(lease.payload);
    const bytes = await store.get(chunk);
    if (!bytes) {
      const message = `the content of chunk ${chunk} is not in the store`;
      await queue.fail(lease, { code: CONTENT_MISSING, message }, true);
      return;
    }
    const { model } = settings;
    if (!models.has(model)) models.set(model, openBatchModel(model, connect));
    const forecast = await models.get(model)!;
    const block = decodePanelBlock(bytes);
    const output = await forecastChunk(block, settings, { forecast, signal: hold.signal });
    const result: ChunkResult = {
      output: await store.put(encodeForecastBlock(output)),
      series: block.series.length,
      failed: output.failures.length,
    };
    if (await queue.finish(lease, result)) options.onChunk?.(result);
  } catch (error) {
    models.clear();
    if (hold.signal.aborted) return;
    const { code, message, hint } = toTollamaError(error);
    await queue.fail(lease, { code, message, ...(hint !== undefined && { hint }) });
  }
};

/** Resolves when `stop` is aborted and the chunk at hand is done. */
export const runWorker = async (options: WorkerOptions): Promise<void> => {
  const { queue, stop } = options;
  const models: Models = new Map();
  let idleMs: number = IDLE_MS.least;
  while (!stop.aborted) {
    const lease = await queue.lease();
    if (lease) {
      idleMs = IDLE_MS.least;
      await work(lease, options, models);
    } else {
      await pause(idleMs, stop);
      idleMs = Math.min(IDLE_MS.most, idleMs * 2);
    }
  }
};
