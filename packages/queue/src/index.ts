/** Jobs that outlive the process that asked for them: one interface, a journal in a file or a shared engine. */
export { type ContentHash, type ContentStore, contentHash } from './content/content-store.ts';
export { openFolderStore } from './content/folder-store.ts';
export { openStore } from './content/open-store.ts';
export {
  type JobFailure,
  type JobQueue,
  type JobRecord,
  type JobRequest,
  type JobState,
  type Json,
  type Lease,
  type QueueOptions,
  type Standing,
  WORKER_LOST,
} from './job-queue.ts';
export { openJournalQueue } from './journal/journal-queue.ts';
export { openQueue } from './open-queue.ts';
export { isRedisAddress, shownAddress } from './redis/address.ts';
