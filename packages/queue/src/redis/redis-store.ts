import { type ContentHash, type ContentStore, contentHash } from '../content/content-store.ts';
import { DEFAULT_KEEP_MS } from '../job-queue.ts';
import { connectRedis } from './connection.ts';

/** Contents beside the queue, so that workers need nothing but its address; they go by themselves after a day. */
export const openRedisStore = async (
  address: string,
  keepMs = DEFAULT_KEEP_MS,
): Promise<ContentStore> => {
  const redis = await connectRedis(address);
  const keyOf = (hash: ContentHash): string => `tollama:content:${hash}`;
  return {
    async put(bytes) {
      const hash = contentHash(bytes);
      await redis.set(keyOf(hash), Buffer.from(bytes), 'PX', keepMs);
      return hash;
    },
    async get(hash) {
      const bytes = await redis.getBuffer(keyOf(hash));
      return bytes && contentHash(bytes) === hash ? bytes : undefined;
    },
    async remove(hash) {
      await redis.del(keyOf(hash));
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
};
