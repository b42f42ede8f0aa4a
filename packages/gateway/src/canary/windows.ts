/** The latest windows of the service's own traffic, in the form that a canary is judged by. */
import type { CanaryData } from './gate.ts';

const WINDOW_MINUTES = 5;
/** A day and an hour: the longest stage. */
const MAX_WINDOWS = 300;
/** Latency buckets grow by 5 % each: p95 is known that well. */
const GROWTH = Math.log(1.05);
const SMALLEST_MS = 0.1;

interface Window {
  readonly index: number;
  requests: number;
  errors: number;
  fallbacks: number;
  invalid: number;
  breakerOpen: number;
  readonly latencies: Map<number, number>;
}

export interface WindowEvent {
  readonly isError: boolean;
  readonly isFallback: boolean;
  readonly isInvalid: boolean;
  readonly isBreakerOpen: boolean;
  readonly ms: number;
}

const bucketOf = (ms: number): number =>
  Math.max(0, Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / GROWTH));

/** The upper edge of the bucket that holds the 95th percentile. */
const p95 = ({ latencies, requests }: Window): number => {
  let left = Math.ceil(requests * 0.95);
  for (const [bucket, count] of [...latencies].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return SMALLEST_MS * Math.exp(bucket * GROWTH);
  }
  return 0;
};

export class CanaryWindows {
  readonly #windows: Window[] = [];

  record(event: WindowEvent, nowMs: number): void {
    const window = this.#at(nowMs);
    window.requests++;
    if (event.isError) window.errors++;
    if (event.isFallback) window.fallbacks++;
    if (event.isInvalid) window.invalid++;
    if (event.isBreakerOpen) window.breakerOpen++;
    const bucket = bucketOf(event.ms);
    window.latencies.set(bucket, (window.latencies.get(bucket) ?? 0) + 1);
  }

  /** Windows that have ended and saw traffic, oldest first; all of them, or the latest `count`. */
  data(nowMs: number, count = MAX_WINDOWS): CanaryData {
    const current = Math.floor(nowMs / (WINDOW_MINUTES * 60_000));
    const ended = this.#windows.filter(({ index }) => index < current).slice(-count);
    const rate = (of: (window: Window) => number): number[] =>
      ended.map((window) => of(window) / window.requests);
    return {
      window_minutes: WINDOW_MINUTES,
      metrics: {
        p95_latency_ms: ended.map(p95),
        error_rate: rate(({ errors }) => errors),
        fallback_rate: rate(({ fallbacks }) => fallbacks),
        breaker_open_rate: rate(({ breakerOpen }) => breakerOpen),
        invalid_output_rate: rate(({ invalid }) => invalid),
      },
    };
  }

  #at(nowMs: number): Window {
    const index = Math.floor(nowMs / (WINDOW_MINUTES * 60_000));
    const last = this.#windows.at(-1);
    if (last && last.index >= index) return last;
    const window: Window = {
      index,
      requests: 0,
      errors: 0,
      fallbacks: 0,
      invalid: 0,
      breakerOpen: 0,
      latencies: new Map(),
    };
    this.#windows.push(window);
    if (this.#windows.length > MAX_WINDOWS) this.#windows.shift();
    return window;
  }
}
