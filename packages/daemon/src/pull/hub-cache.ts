/**
 * The hub's own cache on disk, shared with Python: blobs/<etag>, snapshots/<commit>/<path> as relative links
 * to blobs, refs/<revision> with the commit. A model that Python downloaded is used as it is.
 */
import { access, copyFile, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { writeFileAtomically } from '../store/write-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** HF_HUB_CACHE > HUGGINGFACE_HUB_CACHE > HF_HOME/hub > XDG_CACHE_HOME/huggingface/hub > ~/.cache/... */
export const hubCacheDir = (env: Environment, hfHome?: string | null): string => {
  if (hfHome) return join(hfHome, 'hub');
  if (env.HF_HUB_CACHE) return env.HF_HUB_CACHE;
  if (env.HUGGINGFACE_HUB_CACHE) return env.HUGGINGFACE_HUB_CACHE;
  if (env.HF_HOME) return join(env.HF_HOME, 'hub');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface', 'hub');
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** One repository in the cache. */
export class CachedRepo {
  readonly folder: string;

  constructor(cacheDir: string, repoId: string) {
    this.folder = join(cacheDir, `models--${repoId.replaceAll('/', '--')}`);
  }

  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  hasBlob(etag: string): Promise<boolean> {
    return exists(this.blob(etag));
  }

  /** The commit that a revision pointed to when it was last seen; a commit stands for itself. */
  async resolve(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision))
      return (await exists(this.snapshot(revision))) ? revision : undefined;
    const text = await readFile(join(this.folder, 'refs', revision), 'utf8').catch(() => undefined);
    return text?.trim() || undefined;
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision !== commit) await writeFileAtomically(join(this.folder, 'refs', revision), commit);
  }

  /** Puts a blob into a snapshot under its path: a relative link, a copy where links fail. */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const place = join(this.snapshot(commit), path);
    await mkdir(dirname(place), { recursive: true });
    await rm(place, { force: true });
    const blob = this.blob(etag);
    await symlink(relative(dirname(place), blob), place).catch(() => copyFile(blob, place));
  }

  /** Whether the snapshot holds weights of a kind that can be read. */
  async hasWeights(commit: string): Promise<boolean> {
    const names = await readdir(this.snapshot(commit)).catch(() => []);
    return names.some((name) => /\.(safetensors|ckpt|pt|pth|bin)$/.test(name));
  }
}
