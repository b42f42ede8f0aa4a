/** Connections to Redis or Valkey that wait out a server that is away. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { installHint } from '@tollama/core/missing-package';
import type { Redis } from 'ioredis';
import { shownAddress } from './address.ts';

const CONNECT_MS = 5000;

const missing = (cause: unknown): TollamaError =>
  new TollamaError('DEPENDENCY_MISSING', 'queues on Redis need the packages bullmq and ioredis', {
    hint: `${installHint('bullmq', 'ioredis')}; or leave --queue out`,
    cause,
  });

interface RedisPackages {
  readonly bullmq: typeof import('bullmq');
  readonly Redis: typeof Redis;
}

/** Packages that are loaded only where a queue is on Redis. */
export const loadRedisPackages = async (): Promise<RedisPackages> => {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis: ioredis.Redis };
  } catch (cause) {
    throw missing(cause);
  }
};

/**
 * A connection that has answered once. Later on, commands wait until a lost server is back.
 *
 * @throws TollamaError DEPENDENCY_MISSING when the packages are not there or nobody answers
 */
export const connectRedis = async (address: string): Promise<Redis> => {
  const { Redis } = await loadRedisPackages();
  const url = address.replace(/^valkey/, 'redis');
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
  let latest: unknown;
  redis.on('error', (error) => {
    latest = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(latest ?? new Error('no answer')), CONNECT_MS);
  });
  try {
    await Promise.race([redis.ping(), deadline]);
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw new TollamaError(
      'DEPENDENCY_MISSING',
      `the queue ${shownAddress(address)} cannot be reached: ${errorMessage(cause)}`,
      { hint: 'start Redis or Valkey there, or check the address and its password', cause },
    );
  } finally {
    clearTimeout(timer);
  }
};
