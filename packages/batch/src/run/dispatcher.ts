/**
 * Chunks on their way: some are out at workers, the oldest is waited for, so that results come in the order of
 * the panel. The queue may forget anything: what it does not know any more is asked for again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, isErrorCode, TollamaError } from '@tollama/core/errors';
import type { ContentStore, JobFailure, JobQueue } from '@tollama/queue';
import { decodeForecastBlock, type ForecastBlock } from '../block/forecast-block.ts';
import { decodePanelBlock } from '../block/panel-block.ts';
import type { PanelChunk } from '../panel/chunks.ts';
import { type BatchSettings, type ChunkJob, ChunkResult, chunkJobId } from '../settings.ts';
import { stopsRun } from '../worker/failures.ts';
import { CONTENT_MISSING } from '../worker/run-worker.ts';

export interface DispatcherOptions {
  readonly queue: JobQueue;
  readonly store: ContentStore;
  readonly settings: BatchSettings;
  /** Chunks that are out at the same time. */
  readonly ahead: number;
  readonly signal: AbortSignal;
  /** Asked while nothing comes back; may throw. */
  readonly check: () => void;
}

/** A chunk that came back, in the order of the panel. */
export interface ChunkOutcome {
  readonly chunk: PanelChunk;
  readonly block: ForecastBlock;
  /** Forgets what the queue and the store know of it; to be called once the outcome is safe elsewhere. */
  readonly forget: () => Promise<void>;
}

const WAIT_MS = { least: 2, most: 50 } as const;

interface Sent {
  readonly chunk: PanelChunk;
  readonly id: string;
}

const send = async (
  chunk: PanelChunk,
  { queue, store, settings }: DispatcherOptions,
): Promise<Sent> => {
  const id = chunkJobId(chunk.hash, settings);
  await store.put(chunk.bytes);
  const payload: ChunkJob = { chunk: chunk.hash, settings };
  const state = await queue.enqueue({ id, payload });
  // Of an earlier run: it gets another chance.
  if (state === 'failed' || state === 'cancelled') await queue.retry(id);
  return { chunk, id };
};

/** A chunk that failed as a whole: none of its series has a forecast, each says why. */
const withoutForecasts = (
  { chunk }: Sent,
  { code, message }: JobFailure,
  { horizon, quantiles }: BatchSettings,
): ForecastBlock => {
  const none = new Float64Array(0);
  return {
    horizon,
    ids: [],
    times: none,
    columns: [none, ...quantiles.map(() => none)],
    failures: decodePanelBlock(chunk.bytes).series.map(({ id }) => ({ id, code, message })),
  };
};

const stopping = ({ code, message, hint }: JobFailure): TollamaError =>
  new TollamaError(
    isErrorCode(code) ? code : ('INTERNAL' satisfies ErrorCode),
    message,
    hint === undefined ? {} : { hint },
  );

type Look = ForecastBlock | 'wait' | 'again';

const lookAt = async (sent: Sent, { queue, store, settings }: DispatcherOptions): Promise<Look> => {
  const record = await queue.result(sent.id);
  if (!record || record.state === 'cancelled') return 'again';
  if (record.state === 'failed') {
    const failure = record.failure ?? { code: 'INTERNAL', message: 'the chunk failed' };
    if (failure.code === CONTENT_MISSING) return 'again';
    if (stopsRun(failure.code)) throw stopping(failure);
    return withoutForecasts(sent, failure, settings);
  }
  if (record.state !== 'finished') return 'wait';
  const bytes = await store.get(ChunkResult.parse(record.result).output);
  return bytes ? decodeForecastBlock(bytes) : 'again';
};

const receive = async (sent: Sent, options: DispatcherOptions): Promise<ForecastBlock> => {
  let waitMs: number = WAIT_MS.least;
  for (;;) {
    const look = await lookAt(sent, options);
    if (typeof look === 'object') return look;
    if (look === 'again') {
      await options.queue.remove(sent.id);
      await send(sent.chunk, options);
    }
    options.check();
    await sleep(waitMs, undefined, { signal: options.signal }).catch(() => undefined);
    options.signal.throwIfAborted();
    waitMs = Math.min(WAIT_MS.most, waitMs * 1.5);
  }
};

const forgetting =
  ({ id, chunk }: Sent, { queue, store }: DispatcherOptions) =>
  async (): Promise<void> => {
    const record = await queue.result(id);
    const result = ChunkResult.safeParse(record?.result);
    await queue.remove(id);
    await store.remove(chunk.hash);
    if (result.success) await store.remove(result.data.output);
  };

/** Sends chunks and gives what comes back, in their order. */
export async function* dispatch(
  chunks: AsyncIterable<PanelChunk>,
  options: DispatcherOptions,
): AsyncGenerator<ChunkOutcome> {
  const sent: Sent[] = [];
  const outcome = async (): Promise<ChunkOutcome> => {
    const oldest = sent.shift()!;
    const block = await receive(oldest, options);
    return { chunk: oldest.chunk, block, forget: forgetting(oldest, options) };
  };
  for await (const chunk of chunks) {
    options.signal.throwIfAborted();
    sent.push(await send(chunk, options));
    if (sent.length >= options.ahead) yield await outcome();
  }
  while (sent.length > 0) yield await outcome();
}
