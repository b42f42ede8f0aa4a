/** From an address to a queue. */
import { fileURLToPath } from 'node:url';
import { TollamaError } from '@tollama/core/errors';
import type { JobQueue, QueueOptions } from './job-queue.ts';
import { openJournalQueue } from './journal/journal-queue.ts';
import { isRedisAddress } from './redis/address.ts';

/** The path of a journal's file: `file:...`, or a path as it is; undefined for any other address. */
const journalPath = (address: string): string | undefined => {
  if (address.startsWith('file://')) return fileURLToPath(address);
  if (address.startsWith('file:')) return address.slice('file:'.length);
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(address) ? undefined : address;
};

/**
 * Opens a queue: `redis://host:port` (rediss, valkey) is shared by machines, `file:path` or a path by the processes
 * of one machine.
 *
 * @throws TollamaError INVALID_REQUEST for any other address
 * @example
 * await using queue = await openQueue('file:jobs.sqlite', { name: 'timegpt' });
 */
export const openQueue = async (address: string, options: QueueOptions): Promise<JobQueue> => {
  if (isRedisAddress(address)) {
    const { openRedisQueue } = await import('./redis/redis-queue.ts');
    return openRedisQueue(address, options);
  }
  const path = journalPath(address);
  if (path !== undefined) return openJournalQueue(path, options);
  throw new TollamaError('INVALID_REQUEST', `queue '${address}' is of no known kind`, {
    hint: 'use redis://host:port, or file:path for a journal on this machine',
  });
};
