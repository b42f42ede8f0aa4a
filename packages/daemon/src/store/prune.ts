/** Frees disk: leftovers of the state folder, graph files that no runner made lately, half downloads of the hub's cache. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.ts';
import type { ModelStore } from './model-store.ts';
import { findLeftovers, type Leftover } from './repair.ts';

export interface PruneRequest {
  readonly home: Home;
  readonly store: ModelStore;
  readonly cacheDir: string;
  /** Only tell what would go. */
  readonly isDryRun: boolean;
}

const inFolder = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

const HALF_DOWNLOAD = /\.(incomplete|parts|parts\.json(\.tmp)?)$/;

/** Half downloads of repositories of the hub's cache. */
const halfDownloads = async (cacheDir: string): Promise<Leftover[]> => {
  const found: Leftover[] = [];
  for (const repo of await inFolder(cacheDir)) {
    if (!repo.startsWith('models--')) continue;
    const blobs = join(cacheDir, repo, 'blobs');
    for (const name of await inFolder(blobs)) {
      if (!HALF_DOWNLOAD.test(name)) continue;
      const path = join(blobs, name);
      found.push({ path, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 });
    }
  }
  return found;
};

/** Graph folders are made again when they are needed; their weights are links that cost nothing. */
const graphFolders = async ({ home, store }: PruneRequest): Promise<Leftover[]> => {
  const found: Leftover[] = [];
  for (const { name } of await store.list()) {
    const { graphs } = home.model(name);
    for (const key of await inFolder(graphs)) {
      const path = join(graphs, key);
      const files = await inFolder(path);
      const own = files.filter((file) => !file.startsWith('weights-'));
      const sizes = await Promise.all(
        own.map((file) =>
          stat(join(path, file)).then(
            ({ size }) => size,
            () => 0,
          ),
        ),
      );
      found.push({ path, bytes: sizes.reduce((sum, size) => sum + size, 0) });
    }
  }
  return found;
};

export const prune = async (request: PruneRequest): Promise<readonly Leftover[]> => {
  // A pull that is under way has half of everything; nobody can tell which blobs are its own.
  const { changing } = request.store;
  const all = [
    ...(await findLeftovers(request.home, changing)),
    ...(changing.length === 0 ? await halfDownloads(request.cacheDir) : []),
    ...(await graphFolders(request)),
  ];
  if (!request.isDryRun)
    for (const { path } of all) await rm(path, { recursive: true, force: true });
  return all;
};
