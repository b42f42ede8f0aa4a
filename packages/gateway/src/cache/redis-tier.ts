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

class RedisTier implements SharedTier {
  readonly #redis: Redis;
  readonly #prefix: string;
  #restsUntilMs = 0;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  get isUp(): boolean {
    return this.#redis.status === 'ready' && performance.now() >= this.#restsUntilMs;
  }

  async get(key: string): Promise<StoredAnswer | undefined> {
    if (!this.isUp) return undefined;
    try {
      const value = await this.#redis.get(this.#prefix + key);
      return value === null ? undefined : decode(value);
    } catch {
      this.#rest();
      return undefined;
    }
  }

  set(key: string, answer: StoredAnswer, nowMs: number): void {
    const ttlMs = Math.ceil(Math.max(answer.freshUntilMs, answer.staleUntilMs) - nowMs);
    if (!this.isUp || ttlMs < 1) return;
    this.#redis.set(this.#prefix + key, encode(answer), 'PX', ttlMs).catch(() => this.#rest());
  }

  #rest(): void {
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
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeoutMs,
    connectTimeout: 1000,
    retryStrategy: () => RECONNECT_MS,
  });
  let lastMessage = '';
  redis.on('error', (error) => {
    // A server that stays away says the same at every attempt.
    if (errorMessage(error) !== lastMessage) onError(errorMessage(error));
    lastMessage = errorMessage(error);
  });
  redis.on('ready', () => {
    lastMessage = '';
  });
  await redis.connect().catch(() => {});
  return new RedisTier(redis, prefix);
};
