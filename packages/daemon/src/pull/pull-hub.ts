/** A repository of the hub brought into the hub's cache. */
import { mkdir, statfs } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { Slots } from '../schedule/slots.ts';
import { downloadBlob } from './download.ts';
import { fileUrl, type HubFile, type HubOptions, readRevision } from './hub.ts';
import { CachedRepo } from './hub-cache.ts';
import { arrivedBytes } from './partial-file.ts';
import type { PullProgress } from './progress.ts';

export interface PullHubRequest {
  readonly repoId: string;
  readonly revision: string;
  readonly cacheDir: string;
  readonly hub: HubOptions;
  /** Transfers at the same time. */
  readonly maxWorkers: number;
  /** Size of the parts that large files come in. */
  readonly partBytes: number;
  /** Use what the cache holds and ask nobody. */
  readonly isOffline: boolean;
  readonly progress: PullProgress;
}

export interface PulledSnapshot {
  readonly commit: string;
  readonly path: string;
  readonly sizeBytes: number;
}

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

const underWay = new Map<string, Promise<unknown>>();

/** Two pulls that want the same blob: the second waits for the first, and finds it there. */
const onceAtATime = async (blob: string, work: () => Promise<void>): Promise<void> => {
  while (underWay.has(blob)) await underWay.get(blob);
  const done = work();
  const settled = done.catch(() => {});
  underWay.set(blob, settled);
  await settled;
  underWay.delete(blob);
  return done;
};

/** Refuses before a byte is fetched what would not fit. Throws PULL_FAILED with both sizes. */
const checkFreeDisk = async (
  cacheDir: string,
  repo: CachedRepo,
  files: readonly HubFile[],
): Promise<void> => {
  let needed = 0;
  for (const { sizeBytes = 0, etag } of files)
    needed += sizeBytes - (await arrivedBytes(repo.blob(etag), sizeBytes));
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

/** All files beside each other; the first that cannot be had ends the others before this rejects. */
const downloadAll = async (
  files: readonly HubFile[],
  repo: CachedRepo,
  commit: string,
  { repoId, hub, maxWorkers, partBytes, progress }: PullHubRequest,
): Promise<void> => {
  const streams = new Slots({ parallel: maxWorkers, queue: Number.POSITIVE_INFINITY });
  const stop = new AbortController();
  const signal = hub.signal ? AbortSignal.any([hub.signal, stop.signal]) : stop.signal;
  const shared = { repoId, hub: { ...hub, signal }, partBytes, streams };
  const download = async (file: HubFile): Promise<void> => {
    const url = fileUrl(hub.endpoint, repoId, commit, file.path);
    const blob = repo.blob(file.etag);
    const onBytes = (count: number): void => progress.add(count);
    await onceAtATime(blob, async () => {
      if (await repo.hasBlob(file.etag)) return;
      await downloadBlob({ ...shared, url, file, blob, onBytes });
    });
    progress.fileDone();
  };
  await Promise.all(files.map((file) => download(file).catch((error) => stop.abort(error))));
  hub.signal?.throwIfAborted();
  stop.signal.throwIfAborted();
};

/** Downloads what the cache lacks and lays out the snapshot. Throws PULL_FAILED. */
export const pullFromHub = async (request: PullHubRequest): Promise<PulledSnapshot> => {
  const { repoId, revision, hub, progress } = request;
  const repo = new CachedRepo(request.cacheDir, repoId);
  if (request.isOffline) return fromCache(repo, request);
  const { commit, files } = await readRevision(repoId, revision, hub);
  progress.resolved(commit);
  if (hub.network.insecure) progress.warn('certificates are not checked (insecure)');
  const missing: HubFile[] = [];
  for (const file of files) if (!(await repo.hasBlob(file.etag))) missing.push(file);
  await checkFreeDisk(request.cacheDir, repo, missing);
  progress.start(missing);
  await downloadAll(missing, repo, commit, request);
  for (const file of files) await repo.link(commit, file.path, file.etag);
  await repo.writeRef(revision, commit);
  const sizeBytes = files.reduce((sum, { sizeBytes: size }) => sum + (size ?? 0), 0);
  return { commit, path: repo.snapshot(commit), sizeBytes };
};
