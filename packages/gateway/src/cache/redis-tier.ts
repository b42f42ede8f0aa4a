/**
 * The shared tier in Redis or Valkey. Its loss costs nothing but hits: every answer is bounded in time, and
 * after a failure it is left alone for a moment.
 */
import { errorMessage } from '@tollama/core/errors';
import type { Redis } from 'ioredis';
import type { SharedTier, StoredAnswer } from './answer-cache.ts';

export interface RedisSettings {
  readonly url: string;
  readonly prefix: string;
  readonly timeoutMs: number;
}

/** After a failure it is not asked for so long. */
const REST_MS = 500;
const RECONNECT_MS = 250;
const VERSION = 1;

const encode = ({ text, freshUntilMs, staleUntilMs }: StoredAnswer): string =>
  `${VERSION} ${Math.round(freshUntilMs)} ${Math.round(staleUntilMs)} ${text}`;

/** undefined for what another version wrote. */
const decode = (value: string): StoredAnswer | undefined => {
  const match = /^1 (\d+) (\d+) ({.*})$/s.exec(value);
  if (!match) return undefined;
  return { freshUntilMs: Number(match[1]), staleUntilMs: Number(match[2]), text: match[3]! };
};

/**
 * The answer with its ends as the server's clock has them too: an instance whose clock is ahead keeps nothing
 * fresh for longer than it may. An entry without an end is none of ours.
 */
const timely = (
  stored: StoredAnswer | undefined,
  nowMs: number,
  leftMs: number,
): StoredAnswer | undefined => {
  if (!stored || !(leftMs > 0)) return undefined;
  const { freshUntilMs, staleUntilMs, text } = stored;
  const endMs = nowMs + leftMs;
  const graceMs = Math.max(0, staleUntilMs - freshUntilMs);
  return {
    text,
    freshUntilMs: Math.min(freshUntilMs, endMs - graceMs),
    staleUntilMs: Math.min(staleUntilMs, endMs),
  };
};

class RedisTier implements SharedTier {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #onError: (message: string) => void;
  #restsUntilMs = 0;

  constructor(redis: Redis, prefix: string, onError: (message: string) => void) {
    this.#onError = onError;
    this.#redis = redis;
    this.#prefix = prefix;
  }

  get isUp(): boolean {
    return this.#redis.status === 'ready' && performance.now() >= this.#restsUntilMs;
  }

  async get(key: string, nowMs: number): Promise<StoredAnswer | undefined> {
    if (!this.isUp) return undefined;
    try {
      const name = this.#prefix + key;
      const read = await this.#redis.pipeline().get(name).pttl(name).exec();
      const [error, value] = read?.[0] ?? [null, null];
      // Something else under this name is no fault of the server.
      if (error && !/^WRONGTYPE/.test(error.message)) throw error;
      const leftMs = read?.[1]?.[1];
      return typeof value === 'string' ? timely(decode(value), nowMs, Number(leftMs)) : undefined;
    } catch (error) {
      this.#rest(error);
      return undefined;
    }
  }

  set(key: string, answer: StoredAnswer, nowMs: number): void {
    const ttlMs = Math.ceil(Math.max(answer.freshUntilMs, answer.staleUntilMs) - nowMs);
    if (!this.isUp || ttlMs < 1) return;
    this.#redis
      .set(this.#prefix + key, encode(answer), 'PX', ttlMs)
      .catch((error) => this.#rest(error));
  }

  /** The server refuses, or is slow; what it says is told when it is new. */
  #rest(error: unknown): void {
    this.#onError(errorMessage(error));
    this.#restsUntilMs = performance.now() + REST_MS;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }
}

/** Opens the tier. A server that does not answer is tried again in the background. */
export const openRedisTier = async (
  { url, prefix, timeoutMs }: RedisSettings,
  onError: (message: string) => void,
): Promise<SharedTier> => {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url.replace(/^valkey/i, 'redis').replace(/^unix:\/\//i, ''), {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeoutMs,
    connectTimeout: 1000,
    retryStrategy: () => RECONNECT_MS,
  });
  let lastMessage = '';
  const tell = (message: string): void => {
    // A server that stays away says the same at every attempt.
    if (message !== lastMessage) onError(message);
    lastMessage = message;
  };
  redis.on('error', (error) => tell(errorMessage(error)));
  redis.on('ready', () => {
    lastMessage = '';
  });
  await redis.connect().catch(() => {});
  return new RedisTier(redis, prefix, tell);
};
