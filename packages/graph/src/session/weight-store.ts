/**
 * The folder of a loadable model: `graph.onnx` beside hard links to the weight files. onnxruntime maps
 * external data only from the folder of the model file and follows no link out of it, so a snapshot of
 * the hub's cache (links into `blobs/`) cannot be loaded in place; a hard link can, and costs nothing.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { ExternalData } from '../onnx/messages.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';

/** Part of the folder's key: raise it when the same recipe would be written differently. */
const FORMAT = 'tollama model folder 1';
const MODEL_FILE = 'graph.onnx';
const PARTIAL = '.partial-';
/** A folder that another process still fills is younger than this. */
const STALE_MS = 24 * 60 * 60 * 1000;

type Link = (from: string, to: string) => Promise<void>;

export interface ModelFolder {
  readonly modelFile: string;
  /** Removes a temporary folder; a kept one stays. */
  remove(): Promise<void>;
}

export interface ModelFolderRequest {
  readonly checkpoint: Checkpoint;
  readonly onnx: Uint8Array;
  /** Where model folders are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Writes further files that the model refers to, such as quantised weights. */
  readonly writeSidecars?: ((folder: string) => Promise<void>) | undefined;
  /** Makes a hard link; the file system's own when absent. */
  readonly link?: Link;
}

/** Name of each weight file inside of the model folder. */
const linkNames = (checkpoint: Checkpoint): ReadonlyMap<string, string> =>
  new Map(checkpoint.files.map((file, i) => [file, `weights-${i}.safetensors`]));

/** Where the tensors of a checkpoint lie, seen from the model folder. */
export const locateIn = (checkpoint: Checkpoint): ((name: string) => ExternalData) => {
  const names = linkNames(checkpoint);
  return (name) => {
    const { file, offset, sizeBytes } = checkpoint.tensors.get(name)!;
    return { location: names.get(file)!, offset, length: sizeBytes };
  };
};

/** What other file systems, and those without hard links, answer to a link. */
const CANNOT_LINK = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK']);

const linkOrCopy = async (from: string, to: string, makeLink: Link): Promise<void> => {
  try {
    await makeLink(from, to);
  } catch (error) {
    if (!CANNOT_LINK.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // Cheap where the file system can clone.
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
};

/** Changes when the weights or what is made of them change. */
const keyOf = async (checkpoint: Checkpoint, recipe: Uint8Array): Promise<string> => {
  const hash = createHash('sha256').update(FORMAT).update(recipe);
  for (const file of checkpoint.files) {
    const { dev, ino, size, mtimeMs } = await stat(file);
    hash.update(`${basename(file)}:${dev}:${ino}:${size}:${mtimeMs};`);
  }
  return hash.digest('hex').slice(0, 24);
};

/** Writes the files of a folder; whatever goes wrong, the folder is gone afterwards. */
const fill = async (folder: string, request: ModelFolderRequest): Promise<void> => {
  const { checkpoint, onnx, writeSidecars, link: makeLink = link } = request;
  try {
    const names = [...linkNames(checkpoint)];
    await Promise.all(names.map(([file, name]) => linkOrCopy(file, join(folder, name), makeLink)));
    await writeSidecars?.(folder);
    await writeFile(join(folder, MODEL_FILE), onnx);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    if (cause instanceof TollamaError) throw cause;
    const message = `cannot write the model folder ${folder}: ${errorMessage(cause)}`;
    throw new TollamaError('INTERNAL', message, {
      hint: 'check that the place is writable and has space',
      cause,
    });
  }
};

const exists = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;

const isComplete = async (folder: string, checkpoint: Checkpoint): Promise<boolean> => {
  const names = [MODEL_FILE, ...linkNames(checkpoint).values()];
  const found = await Promise.all(names.map((name) => exists(join(folder, name))));
  return found.every(Boolean);
};

/** Removes what crashed processes left; a partial folder holds links that keep weights on the disk. */
const removeStale = async (cacheDir: string): Promise<void> => {
  for (const name of await readdir(cacheDir)) {
    if (!name.includes(PARTIAL)) continue;
    const path = join(cacheDir, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > STALE_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
};

/** Puts a finished folder at its place, unless another process was first. */
const publish = async (partial: string, path: string, checkpoint: Checkpoint): Promise<void> => {
  try {
    await rename(partial, path);
  } catch (error) {
    if (!(await isComplete(path, checkpoint))) {
      // Somebody took files out of the folder at the place.
      await rm(path, { recursive: true, force: true });
      await rename(partial, path).catch(() => {
        throw error;
      });
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
};

const makeTemporary = async (request: ModelFolderRequest): Promise<ModelFolder> => {
  const path = await mkdtemp(join(tmpdir(), 'tollama-'));
  await fill(path, request);
  const remove = () => rm(path, { recursive: true, force: true });
  return { modelFile: join(path, MODEL_FILE), remove };
};

/** Makes the folder, or finds the one of an earlier run. It is filled beside its place and renamed. */
export const makeModelFolder = async (request: ModelFolderRequest): Promise<ModelFolder> => {
  const { cacheDir, checkpoint, onnx } = request;
  if (cacheDir === undefined) return makeTemporary(request);
  const path = join(cacheDir, await keyOf(checkpoint, onnx));
  if (!(await isComplete(path, checkpoint))) {
    await mkdir(dirname(path), { recursive: true });
    await removeStale(cacheDir);
    const partial = await mkdtemp(`${path}${PARTIAL}`);
    await fill(partial, request);
    await publish(partial, path, checkpoint);
  }
  return { modelFile: join(path, MODEL_FILE), remove: async () => {} };
};
