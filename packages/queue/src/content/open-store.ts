import { isRedisAddress } from '../redis/address.ts';
import type { ContentStore } from './content-store.ts';
import { openFolderStore } from './folder-store.ts';

/** A store by its address: redis://host:port, or a folder. */
export const openStore = async (address: string): Promise<ContentStore> => {
  if (!isRedisAddress(address)) return openFolderStore(address);
  const { openRedisStore } = await import('../redis/redis-store.ts');
  return openRedisStore(address);
};
