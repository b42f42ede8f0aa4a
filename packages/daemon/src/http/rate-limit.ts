/** A token bucket for each API key, on forecasts; off when no rate is set. */
import { TollamaError } from '@tollama/core/errors';
import type { MiddlewareHandler } from 'hono';
import type { RequestVariables } from './request-id.ts';

export interface RateLimit {
  readonly perMinute: number;
  /** Requests that may come at once; the rate of a minute when absent. */
  readonly burst?: number | undefined;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Takes a token; gives the seconds to wait when there is none. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perMs: number;
  readonly #size: number;

  constructor({ perMinute, burst = perMinute }: RateLimit) {
    this.#perMs = perMinute / 60_000;
    this.#size = Math.max(1, burst);
  }

  take(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#size, atMs: nowMs };
    this.#buckets.set(key, bucket);
    bucket.tokens = Math.min(this.#size, bucket.tokens + (nowMs - bucket.atMs) * this.#perMs);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 0;
    }
    return Math.ceil((1 - bucket.tokens) / this.#perMs / 1000);
  }
}

export const rateLimit = (limit: RateLimit): MiddlewareHandler<RequestVariables> => {
  const buckets = new TokenBuckets(limit);
  return async (c, next) => {
    const seconds = buckets.take(c.get('keyId'), Date.now());
    if (seconds > 0) {
      c.header('retry-after', String(seconds));
      throw new TollamaError(
        'RATE_LIMITED',
        `rate limit of ${limit.perMinute} forecasts a minute exceeded; retry in ${seconds} s`,
      );
    }
    return next();
  };
};
