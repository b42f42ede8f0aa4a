/** A repository of the hub brought into the hub's cache. */
import { mkdir, statfs } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { downloadBlob } from './download.ts';
import { fileUrl, type HubFile, type HubOptions, readRevision } from './hub.ts';
import { CachedRepo } from './hub-cache.ts';
import type { PullProgress } from './progress.ts';

export interface PullHubRequest {
  readonly repoId: string;
  readonly revision: string;
  readonly cacheDir: string;
  readonly hub: HubOptions;
  readonly maxWorkers: number;
  /** Use what the cache holds and ask nobody. */
  readonly isOffline: boolean;
  readonly progress: PullProgress;
}

export interface PulledSnapshot {
  readonly commit: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Runs tasks with at most `limit` under way. */
const inParallel = async <T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
};

const fromCache = async (
  repo: CachedRepo,
  { repoId, revision }: PullHubRequest,
): Promise<PulledSnapshot> => {
  const commit = await repo.resolve(revision);
  if (!commit || !(await repo.hasWeights(commit))) {
    throw new TollamaError(
      'PULL_FAILED',
      `offline, and ${repoId}@${revision} is not in the local cache`,
      {
        hint: 'pull once without --offline (HF_HUB_OFFLINE)',
      },
    );
  }
  return { commit, path: repo.snapshot(commit), sizeBytes: 0 };
};

/** Refuses before a byte is fetched what would not fit. Throws PULL_FAILED with both sizes. */
const checkFreeDisk = async (cacheDir: string, files: readonly HubFile[]): Promise<void> => {
  const needed = files.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  await mkdir(cacheDir, { recursive: true });
  const { bavail, bsize } = await statfs(cacheDir);
  const free = bavail * bsize;
  if (free >= needed) return;
  const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
  throw new TollamaError(
    'PULL_FAILED',
    `the download needs ${megabytes(needed)} MB, ${cacheDir} has ${megabytes(free)} MB free`,
    {
      hint: 'free some disk (`tollama prune`, `tollama rm`), or put the cache elsewhere with HF_HOME',
    },
  );
};

/** Downloads what the cache lacks and lays out the snapshot. Throws PULL_FAILED. */
export const pullFromHub = async (request: PullHubRequest): Promise<PulledSnapshot> => {
  const { repoId, revision, hub, progress } = request;
  const repo = new CachedRepo(request.cacheDir, repoId);
  if (request.isOffline) return fromCache(repo, request);
  const { commit, files } = await readRevision(repoId, revision, hub);
  progress.resolved(commit);
  const missing: HubFile[] = [];
  for (const file of files) if (!(await repo.hasBlob(file.etag))) missing.push(file);
  await checkFreeDisk(request.cacheDir, missing);
  progress.start(missing);
  await inParallel(missing, request.maxWorkers, async (file) => {
    const url = fileUrl(hub.endpoint, repoId, commit, file.path);
    const blob = repo.blob(file.etag);
    await downloadBlob({ url, file, repoId, blob, hub, onBytes: (count) => progress.add(count) });
    progress.fileDone();
  });
  for (const file of files) await repo.link(commit, file.path, file.etag);
  await repo.writeRef(revision, commit);
  const sizeBytes = files.reduce((sum, { sizeBytes: size }) => sum + (size ?? 0), 0);
  return { commit, path: repo.snapshot(commit), sizeBytes };
};
