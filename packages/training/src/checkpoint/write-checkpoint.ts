/**
 * Writes a checkpoint so that a crash at any instruction leaves the old ones or the new one: files into
 * `step-N.tmp`, each synced, then the manifest, the rename, and the pointers.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorSpec, writeSafetensors } from '@tollama/graph';
import { type Pointer, stepFolder } from './checkpoint-folder.ts';
import { type CheckpointContents, type CheckpointFile, MANIFEST_FILE } from './contents.ts';
import { replaceFile, replaceFolder, syncFolder, writeDurably } from './durable-files.ts';
import { MANIFEST_SCHEMA, type Manifest, sha256Of } from './manifest.ts';
import { prune, type Retention } from './retention.ts';

export interface WriteCheckpointTask {
  /** The folder of the run's checkpoints. */
  readonly folder: string;
  readonly contents: CheckpointContents;
  /** `step-N` when absent. */
  readonly name?: string;
  readonly pointers: readonly Pointer[];
  readonly retention: Retention;
}

export interface WrittenCheckpoint {
  readonly name: string;
  readonly sizeBytes: number;
  /** Older ones that went. */
  readonly removed: readonly string[];
}

const writeTensors = async (
  path: string,
  { tensors, metadata }: Extract<CheckpointFile, { kind: 'tensors' }>,
): Promise<void> => {
  const specs = new Map<string, TensorSpec>(
    tensors.map(({ name, shape }) => [name, { dtype: 'float32', shape }]),
  );
  const values = new Map(tensors.map(({ name, data }) => [name, data]));
  await writeSafetensors(path, specs, (name) => values.get(name)!, metadata);
};

const writeFile = (folder: string, file: CheckpointFile): Promise<void> => {
  const path = join(folder, file.name);
  return file.kind === 'text' ? writeDurably(path, file.text) : writeTensors(path, file);
};

const manifestOf = async (
  folder: string,
  { step, files }: CheckpointContents,
): Promise<Manifest> => {
  const entries: Manifest['files'] = [];
  for (const { name } of files) {
    const bytes = await readFile(join(folder, name));
    entries.push({ name, size: bytes.length, sha256: sha256Of(bytes) });
  }
  return { schema: MANIFEST_SCHEMA, step, files: entries };
};

/** @returns what was written; errors of the file system pass through */
export const writeCheckpoint = async (task: WriteCheckpointTask): Promise<WrittenCheckpoint> => {
  const { folder, contents, pointers, retention } = task;
  const name = task.name ?? stepFolder(contents.step);
  const path = join(folder, name);
  const partial = `${path}.tmp`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  for (const file of contents.files) await writeFile(partial, file);
  const manifest = await manifestOf(partial, contents);
  await writeDurably(join(partial, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  await syncFolder(partial);
  await replaceFolder(partial, path);
  for (const pointer of pointers) await replaceFile(join(folder, pointer), `${name}\n`);
  await syncFolder(folder);
  const removed = await prune(folder, retention);
  const sizeBytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  return { name, sizeBytes, removed };
};
