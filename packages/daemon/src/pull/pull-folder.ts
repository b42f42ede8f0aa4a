/** A checkpoint folder that the user has, installed under a name. */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { hashFile } from '../store/verify-model.ts';
import { wantedFiles } from './hub.ts';

export interface FolderFiles {
  readonly sizeBytes: number;
  /** sha256 by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** A hard link costs nothing; a copy (a cheap one where the system can clone) where it is not to be had. */
const place = (from: string, to: string): Promise<void> =>
  link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));

/**
 * Puts the model files of a folder into `snapshot`. Throws PULL_FAILED when the folder is no checkpoint.
 *
 * @returns the bytes of the files, and the sha256 of each
 */
export const pullFromFolder = async (folder: string, snapshot: string): Promise<FolderFiles> => {
  const names = await readdir(folder).catch((cause) => {
    throw new TollamaError('PULL_FAILED', `folder ${folder} cannot be read`, {
      hint: 'give an absolute path',
      cause,
    });
  });
  const wanted = wantedFiles(names);
  // A PyTorch file may hold its own settings; safetensors never do.
  const isWhole =
    names.includes('config.json') || wanted.some((name) => /\.(ckpt|pt|pth)$/.test(name));
  if (!isWhole || !wanted.some((name) => !name.endsWith('.json'))) {
    const lacks = isWhole ? 'weights' : 'config.json';
    throw new TollamaError('PULL_FAILED', `folder ${folder} holds no ${lacks}`, {
      hint: 'a checkpoint folder holds config.json and model.safetensors, or a PyTorch .ckpt',
    });
  }
  const partial = `${snapshot}.tmp`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  let sizeBytes = 0;
  const files: Record<string, string> = {};
  for (const name of wanted) {
    const file = await realpath(join(folder, name));
    sizeBytes += (await stat(file)).size;
    files[name] = await hashFile(file, 'sha256');
    await place(file, join(partial, name));
  }
  await rm(snapshot, { recursive: true, force: true });
  await rename(partial, snapshot);
  return { sizeBytes, files };
};
