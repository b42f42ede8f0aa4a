/**
 * The folder of a loadable model: `graph.onnx` beside hard links to the weight files. onnxruntime maps
 * external data only from the folder of the model file and follows no link out of it, so a snapshot of
 * the hub's cache (links into `blobs/`) cannot be loaded in place; a hard link can, and costs nothing.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ExternalData } from '../onnx/messages.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';

/** Name of each weight file inside of the model folder. */
export const linkNames = (checkpoint: Checkpoint): ReadonlyMap<string, string> =>
  new Map(checkpoint.files.map((file, i) => [file, `weights-${i}.safetensors`]));

/** Where the tensors of a checkpoint lie, seen from the model folder. */
export const locateIn =
  (checkpoint: Checkpoint) =>
  (name: string): ExternalData => {
    const tensor = checkpoint.tensors.get(name)!;
    const location = linkNames(checkpoint).get(tensor.file)!;
    return { location, offset: tensor.offset, length: tensor.sizeBytes };
  };

const linkOrCopy = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to);
  } catch (error) {
    // Another file system, or one without hard links: a copy (a cheap one where the system can clone).
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK')
      throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
};

/** Changes when the weights or what is made of them change. */
const keyOf = async (checkpoint: Checkpoint, recipe: Uint8Array): Promise<string> => {
  const hash = createHash('sha256').update(recipe);
  for (const file of checkpoint.files) {
    const { dev, ino, size, mtimeMs } = await stat(file);
    hash.update(`${basename(file)}:${dev}:${ino}:${size}:${mtimeMs};`);
  }
  return hash.digest('hex').slice(0, 24);
};

export interface ModelFolder {
  readonly path: string;
  readonly modelFile: string;
  /** Whether it lies in a temporary place and goes with the session. */
  readonly isTemporary: boolean;
}

export interface ModelFolderRequest {
  readonly checkpoint: Checkpoint;
  readonly onnx: Uint8Array;
  /** Where model folders are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Writes further files that the model refers to, such as quantised weights. */
  readonly writeSidecars?: ((folder: string) => Promise<void>) | undefined;
}

const MODEL_FILE = 'graph.onnx';

const fill = async (folder: string, request: ModelFolderRequest): Promise<void> => {
  const names = linkNames(request.checkpoint);
  await Promise.all([...names].map(([file, name]) => linkOrCopy(file, join(folder, name))));
  await request.writeSidecars?.(folder);
  await writeFile(join(folder, MODEL_FILE), request.onnx);
};

/** Makes the folder, or finds the one of an earlier run. It is filled beside its place and renamed. */
export const makeModelFolder = async (request: ModelFolderRequest): Promise<ModelFolder> => {
  const { cacheDir, checkpoint, onnx } = request;
  if (cacheDir === undefined) {
    const path = await mkdtemp(join(tmpdir(), 'tollama-'));
    await fill(path, request);
    return { path, modelFile: join(path, MODEL_FILE), isTemporary: true };
  }
  const path = join(cacheDir, await keyOf(checkpoint, onnx));
  const found = { path, modelFile: join(path, MODEL_FILE), isTemporary: false };
  if (await stat(found.modelFile).catch(() => undefined)) return found;
  await mkdir(dirname(path), { recursive: true });
  const partial = await mkdtemp(`${path}.partial-`);
  try {
    await fill(partial, request);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process finished the same folder first.
    if (!(await stat(found.modelFile).catch(() => undefined))) throw error;
  }
  return found;
};
