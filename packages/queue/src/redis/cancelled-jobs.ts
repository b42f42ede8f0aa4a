/**
 * The jobs of a queue that were cancelled, each for a time of its own. Redis before 7.4 knows no time to live of a
 * field, so that a sorted set beside the hash tells when each is forgotten; scripts keep the two together.
 */
import type { Redis } from 'ioredis';
import type { Json } from '../job-queue.ts';

/** What is kept of a cancelled job: BullMQ has forgotten it, or will. */
export interface CancelledJob {
  readonly payload: Json;
  readonly progress: Json;
  readonly attempts?: number | undefined;
}

/** KEYS: hash, ends, held. By the server's clock: machines may have others. */
const FORGET = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('SREM', KEYS[3], id)
end
`;

/** ARGV: id, content, milliseconds */
const ADD = `${FORGET}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
`;

/** ARGV: id */
const GET = `${FORGET}
return redis.call('HGET', KEYS[1], ARGV[1])
`;

/** KEYS: also the lists of those that are active and that wait. How many there are, and how many are in the lists. */
const COUNT = `${FORGET}
local counts = { redis.call('HLEN', KEYS[1]), 0, 0 }
for _, id in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if redis.call('LPOS', KEYS[4], id) then
    counts[2] = counts[2] + 1
  elseif redis.call('LPOS', KEYS[5], id) then
    counts[3] = counts[3] + 1
  end
end
return counts
`;

export interface CancelledCounts {
  readonly cancelled: number;
  /** Of those, how many BullMQ still counts as active and as waiting: their holders have not reported since. */
  readonly active: number;
  readonly waiting: number;
}

export class CancelledJobs {
  readonly #redis: Redis;
  readonly #keepMs: number;
  readonly #keys: readonly [hash: string, ends: string, held: string];

  constructor(redis: Redis, name: string, keepMs: number) {
    this.#redis = redis;
    this.#keepMs = keepMs;
    const hash = `tollama:${name}:cancelled`;
    this.#keys = [hash, `${hash}:ends`, `${hash}:held`];
  }

  async get(id: string): Promise<CancelledJob | undefined> {
    const kept = await this.#redis.eval(GET, this.#keys.length, ...this.#keys, id);
    return typeof kept === 'string' ? (JSON.parse(kept) as CancelledJob) : undefined;
  }

  async add(id: string, job: CancelledJob): Promise<void> {
    const content = JSON.stringify(job);
    await this.#redis.eval(ADD, this.#keys.length, ...this.#keys, id, content, this.#keepMs);
  }

  /** BullMQ does not know the job any more. */
  async dropped(id: string): Promise<void> {
    await this.#redis.srem(this.#keys[2], id);
  }

  async remove(id: string): Promise<void> {
    const [hash, ends, held] = this.#keys;
    await this.#redis.multi().hdel(hash, id).zrem(ends, id).srem(held, id).exec();
  }

  /** `active` and `waiting` are the keys of BullMQ's lists. */
  async count(active: string, waiting: string): Promise<CancelledCounts> {
    const keys = [...this.#keys, active, waiting];
    const counts = (await this.#redis.eval(COUNT, keys.length, ...keys)) as [
      number,
      number,
      number,
    ];
    return { cancelled: counts[0], active: counts[1], waiting: counts[2] };
  }
}
