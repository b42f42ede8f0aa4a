/**
 * Loads adapters before they are needed: equal keys in flight share one load, at most `concurrency` loads run, and
 * what was loaded stays in a cache that is bounded in bytes.
 */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Clock } from '../clock/clock.ts';
import { type Report, silent } from '../contracts/metrics.ts';
import { AdapterCache, type Lease } from './adapter-cache.ts';
import { type Load, LoadQueue } from './load-queue.ts';

export const LOAD_FAILURES = [
  'missing_artifact',
  'artifact_not_found',
  'checksum_mismatch',
  'shape_mismatch',
  'build_failed',
] as const;
export type LoadFailureKind = (typeof LOAD_FAILURES)[number];

export interface Loaded<T> {
  readonly kind: 'loaded';
  readonly value: T;
  readonly sizeBytes: number;
  /** Of the warm-up run, reported apart. */
  readonly prewarmMs?: number;
}

export interface LoadFailure {
  readonly kind: 'failed';
  readonly failure: LoadFailureKind;
  readonly message: string;
}

export type Loader<T> = (key: string, signal: AbortSignal) => Promise<Loaded<T> | LoadFailure>;

export interface PrefetcherOptions<T> {
  readonly load: Loader<T>;
  /** Frees what leaves the cache. */
  readonly dispose?: (value: T) => void | Promise<void>;
  readonly concurrency: number;
  /** Of a waiter; it does not stop the load. */
  readonly timeoutMs: number;
  readonly maxCacheBytes: number;
  readonly clock: Clock;
  readonly report?: Report;
}

export interface PrefetchRequest {
  readonly key: string;
  readonly runId: string;
  /** Goes before what is not urgent: a pending command names this adapter. */
  readonly isUrgent?: boolean;
  readonly timeoutMs?: number;
}

export const ENDS = ['ready', 'hit', 'coalesced', 'timeout', 'error', 'canceled'] as const;
export type End = (typeof ENDS)[number];

export type PrefetchResult<T> = { readonly latencyMs: number } & (
  | { readonly end: 'ready' | 'hit' | 'coalesced'; readonly lease: Lease<T> }
  | { readonly end: 'timeout' | 'canceled' }
  | { readonly end: 'error'; readonly failure: LoadFailureKind; readonly message: string }
);

/** requested = the sum of ends + inflight, at any time. */
export interface PrefetchCounters {
  readonly requested: number;
  readonly inflight: number;
  readonly ends: Readonly<Record<End, number>>;
  /** Requests that joined a load under way, however they ended. */
  readonly joined: number;
  readonly started: number;
  readonly running: number;
  readonly queued: number;
  readonly peakRunning: number;
}

interface Waiter<T> {
  readonly key: string;
  readonly requestedAt: number;
  readonly hasJoined: boolean;
  readonly finish: (result: PrefetchResult<T>) => void;
  cancelTimer: () => void;
}

const noEnds = (): Record<End, number> => ({
  ready: 0,
  hit: 0,
  coalesced: 0,
  timeout: 0,
  error: 0,
  canceled: 0,
});

const requireField = (field: string, value: string): void => {
  if (value !== '') return;
  throw new TollamaError('INVALID_REQUEST', `a prefetch without ${field}`, {
    hint: `name the ${field} of the request`,
  });
};

export class Prefetcher<T> implements AsyncDisposable {
  readonly cache: AdapterCache<T>;
  readonly prewarmMs: number[] = [];
  readonly #options: PrefetcherOptions<T>;
  readonly #queue: LoadQueue;
  readonly #waiters = new Map<string, Set<Waiter<T>>>();
  readonly #ends = noEnds();
  readonly #report: Report;
  #requested = 0;
  #joined = 0;
  #isShut = false;

  constructor(options: PrefetcherOptions<T>) {
    this.#options = options;
    this.#report = options.report ?? silent;
    this.#queue = new LoadQueue(options.concurrency);
    this.cache = new AdapterCache(options.maxCacheBytes, options.dispose ?? (() => {}));
  }

  /**
   * Never rejects for what can happen to a load: how it ended is in the result. The lease of a success keeps the
   * adapter from being freed until it is released.
   * @throws TollamaError INVALID_REQUEST without key or run id
   */
  prefetch(request: PrefetchRequest): Promise<PrefetchResult<T>> {
    const { key, runId, isUrgent = false } = request;
    requireField('key', key);
    requireField('run id', runId);
    this.#requested++;
    this.#report('prefetch_requested', 'debug', { key, run_id: runId });
    if (this.#isShut) return Promise.resolve(this.#ended(key, { end: 'canceled', latencyMs: 0 }));
    const lease = this.cache.lease(key);
    if (lease) return Promise.resolve(this.#ended(key, { end: 'hit', latencyMs: 0, lease }));
    const hasJoined = this.#queue.has(key);
    if (hasJoined) this.#joined++;
    const result = this.#wait(request, hasJoined);
    if (!hasJoined) this.#queue.add({ key, run: (signal) => this.#run(key, signal) }, isUrgent);
    else if (isUrgent) this.#queue.promote(key);
    return result;
  }

  /** Stops the load of a key, queued or running; whoever waits for it ends as canceled. */
  cancel(key: string): void {
    this.#queue.cancel(key);
    for (const waiter of this.#waiters.get(key) ?? []) this.#finish(waiter, { end: 'canceled' });
  }

  counters(): PrefetchCounters {
    const ended = Object.values(this.#ends).reduce((sum, count) => sum + count, 0);
    return {
      requested: this.#requested,
      inflight: this.#requested - ended,
      ends: { ...this.#ends },
      joined: this.#joined,
      started: this.#queue.started,
      running: this.#queue.running,
      queued: this.#queue.queued,
      peakRunning: this.#queue.peakRunning,
    };
  }

  /** Cancels what is queued, waits for what runs at most `limitMs`, then aborts it; frees the cache. */
  async shutdown(limitMs: number): Promise<void> {
    this.#isShut = true;
    for (const key of this.#queue.queuedKeys()) this.cancel(key);
    let cancelTimer = (): void => {};
    const limit = new Promise<void>((resolve) => {
      cancelTimer = this.#options.clock.after(limitMs, resolve);
    });
    await Promise.race([this.#queue.idle(), limit]);
    cancelTimer();
    for (const key of [...this.#waiters.keys()]) this.cancel(key);
    this.#queue.abortAll();
    await this.cache.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown(0);
  }

  #wait({ key, timeoutMs }: PrefetchRequest, hasJoined: boolean): Promise<PrefetchResult<T>> {
    return new Promise((finish) => {
      const { clock } = this.#options;
      const waiter: Waiter<T> = {
        key,
        requestedAt: clock.now(),
        hasJoined,
        finish,
        cancelTimer: () => {},
      };
      const expire = (): void => this.#finish(waiter, { end: 'timeout' });
      // A load that ends at this very moment is in time: its event goes first.
      waiter.cancelTimer = clock.after(timeoutMs ?? this.#options.timeoutMs, () => {
        waiter.cancelTimer = clock.after(0, expire);
      });
      const others = this.#waiters.get(key);
      if (others) others.add(waiter);
      else this.#waiters.set(key, new Set([waiter]));
    });
  }

  /** One load; its fate goes to all who wait for the key, and a success into the cache as well. */
  async #run(key: string, signal: AbortSignal): Promise<void> {
    const loaded = await this.#load(key, signal);
    if (signal.aborted) {
      // Whoever waits for this key by now waits for a later load.
      if (loaded.kind === 'loaded') await this.#options.dispose?.(loaded.value);
      return;
    }
    const waiters = [...(this.#waiters.get(key) ?? [])];
    if (loaded.kind === 'failed') {
      const { failure, message } = loaded;
      for (const waiter of waiters) this.#finish(waiter, { end: 'error', failure, message });
      return;
    }
    if (loaded.prewarmMs !== undefined) this.prewarmMs.push(loaded.prewarmMs);
    const leases = this.cache.put(key, loaded.value, loaded.sizeBytes, waiters.length);
    waiters.forEach((waiter, i) => {
      const end = waiter.hasJoined ? 'coalesced' : 'ready';
      this.#finish(waiter, { end, lease: leases[i]! });
    });
  }

  async #load(key: string, signal: AbortSignal): Promise<Loaded<T> | LoadFailure> {
    try {
      return await this.#options.load(key, signal);
    } catch (error) {
      return { kind: 'failed', failure: 'build_failed', message: errorMessage(error) };
    }
  }

  #finish(waiter: Waiter<T>, result: Unmeasured<T>): void {
    const { key } = waiter;
    const waiters = this.#waiters.get(key);
    if (!waiters?.delete(waiter)) return;
    if (waiters.size === 0) this.#waiters.delete(key);
    waiter.cancelTimer();
    const latencyMs = this.#options.clock.now() - waiter.requestedAt;
    waiter.finish(this.#ended(key, { ...result, latencyMs }));
  }

  #ended(key: string, result: PrefetchResult<T>): PrefetchResult<T> {
    this.#ends[result.end]++;
    const name = EVENTS[result.end];
    const attributes = { key, end: result.end, latency_ms: result.latencyMs };
    const failure = result.end === 'error' ? { failure: result.failure } : {};
    this.#report(name, name === 'prefetch_ready' ? 'info' : 'warning', {
      ...attributes,
      ...failure,
    });
    return result;
  }
}

type Unmeasured<T> =
  PrefetchResult<T> extends infer R ? (R extends unknown ? Omit<R, 'latencyMs'> : never) : never;

const EVENTS: Readonly<Record<End, string>> = {
  ready: 'prefetch_ready',
  hit: 'prefetch_ready',
  coalesced: 'prefetch_ready',
  timeout: 'prefetch_timeout',
  error: 'prefetch_error',
  canceled: 'prefetch_canceled',
};

export type { Lease, Load };
