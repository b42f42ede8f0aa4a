/** Are the files of a model still those that were pulled? */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '@tollama/core/errors';
import type { Manifest } from '@tollama/core/manifest';

export interface VerifiedFile {
  readonly path: string;
  readonly size: number;
  readonly status: 'ok' | 'damaged' | 'missing' | 'unknown';
  readonly detail?: string;
}

/** Hex digest of a file; `git` hashes as git names blobs. */
export const hashFile = async (path: string, kind: 'sha256' | 'git'): Promise<string> => {
  const hash = createHash(kind === 'git' ? 'sha1' : 'sha256');
  if (kind === 'git') hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** What a blob of the hub's cache must hash to: it is named so. */
const expectedHash = (blob: string): { kind: 'sha256' | 'git'; hash: string } | undefined => {
  const name = basename(blob);
  if (basename(dirname(blob)) !== 'blobs') return undefined;
  if (/^[0-9a-f]{64}$/.test(name)) return { kind: 'sha256', hash: name };
  return /^[0-9a-f]{40}$/.test(name) ? { kind: 'git', hash: name } : undefined;
};

/** Compares a file of a snapshot with the hash that is recorded, or that its blob is named by. */
export const verifyFile = async (
  folder: string,
  path: string,
  recorded: string | undefined,
): Promise<VerifiedFile> => {
  try {
    const real = await realpath(join(folder, path));
    const { size } = await stat(real);
    const expected = recorded ? { kind: 'sha256' as const, hash: recorded } : expectedHash(real);
    if (!expected) return { path, size, status: 'unknown', detail: 'no hash is known for it' };
    const actual = await hashFile(real, expected.kind);
    if (actual === expected.hash) return { path, size, status: 'ok' };
    return { path, size, status: 'damaged', detail: `hash ${actual} instead of ${expected.hash}` };
  } catch (error) {
    return { path, size: 0, status: 'missing', detail: errorMessage(error) };
  }
};

/** Reads every file of the snapshot and compares its hash; results as they come. */
export async function* verifyModel(manifest: Manifest): AsyncGenerator<VerifiedFile> {
  const folder = manifest.resolved?.snapshot_path;
  if (!folder) return;
  const recorded = manifest.files ?? {};
  const present = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = present
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  for (const path of [...new Set([...Object.keys(recorded), ...found])].toSorted()) {
    yield verifyFile(folder, path, recorded[path]);
  }
}
