/** Where jobs are kept: a journal under the state folder or a shared queue, and their contents beside it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '@tollama/core/settings';
import type { ContentStore, JobQueue } from '@tollama/queue';
import type { Home } from '../store/home.ts';

export interface JobKeeping extends AsyncDisposable {
  readonly queue: JobQueue;
  /** Bodies of requests and answers, by their hash. */
  readonly contents: ContentStore;
  /** A holder that says nothing for that long has lost its job. */
  readonly leaseMs: number;
}

export interface JobPlace {
  /** Whether there may be jobs of an earlier daemon, or of another one. */
  hasJobs(): Promise<boolean>;
  open(): Promise<JobKeeping>;
}

/** Jobs that are over, and what they read and gave. */
export const KEEP_MS = 24 * 60 * 60 * 1000;
const LEASE_MS = 30_000;
const NAME = 'timegpt';
const SWEEP_MS = 60 * 60 * 1000;

/** Removes contents that were last put before a time; those of shared queues go by themselves. */
const removeOld = async (folder: string, beforeMs: number): Promise<void> => {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() && found.mtimeMs < beforeMs) await rm(path, { force: true });
  }
};

export const jobPlace = (home: Home, { queue: address }: Pick<Settings, 'queue'>): JobPlace => {
  const journal = join(home.jobs, 'jobs.sqlite');
  const folder = join(home.jobs, 'contents');
  return {
    hasJobs: async () =>
      address !== undefined || (await stat(journal).catch(() => undefined)) !== undefined,
    async open() {
      // Loaded here, so that a daemon without jobs starts without it.
      const { openQueue, openStore, isRedisAddress } = await import('@tollama/queue');
      const isShared = address !== undefined && isRedisAddress(address);
      const sweep = (): Promise<void> => removeOld(folder, Date.now() - KEEP_MS);
      if (!isShared) await sweep();
      const options = { name: NAME, leaseMs: LEASE_MS, keepMs: KEEP_MS };
      const queue = await openQueue(address ?? journal, options);
      const contents = await openStore(isShared ? address : folder);
      const sweeping = isShared ? undefined : setInterval(() => void sweep(), SWEEP_MS).unref();
      return {
        queue,
        contents,
        leaseMs: LEASE_MS,
        async [Symbol.asyncDispose]() {
          clearInterval(sweeping);
          await queue[Symbol.asyncDispose]();
          await contents[Symbol.asyncDispose]();
        },
      };
    },
  };
};
