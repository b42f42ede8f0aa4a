/** Reads a checkpoint and trusts nothing in it: every file must be there, as long and as its hash says. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { parseSafetensorsHeader } from '@tollama/graph/safetensors/parse-header';
import { type CheckpointFile, MANIFEST_FILE, type ReadContents } from './contents.ts';
import { type Manifest, parseManifest, refuseCheckpoint, sha256Of } from './manifest.ts';

export interface ReadCheckpointOptions {
  /** Asked between files and parts of them; true ends the reading with INTERRUPTED. */
  readonly isAborted?: () => boolean;
}

const PART_BYTES = 1024 * 1024;

const readBytes = async (
  path: string,
  size: number,
  checkAbort: () => void,
): Promise<Uint8Array<ArrayBuffer>> => {
  await using file = await open(path, 'r').catch((cause) =>
    refuseCheckpoint(path, 'it cannot be read', cause),
  );
  const found = (await file.stat()).size;
  if (found !== size) refuseCheckpoint(path, `it has ${found} bytes, its manifest says ${size}`);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    checkAbort();
    const { bytesRead } = await file.read(bytes, at, Math.min(PART_BYTES, size - at), at);
    if (bytesRead === 0) refuseCheckpoint(path, `it ended at byte ${at}`);
    at += bytesRead;
  }
  return bytes;
};

const tensorFile = async (
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<CheckpointFile> => {
  const header = await parseSafetensorsHeader({
    name,
    sizeBytes: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  });
  const tensors = [...header].map(([tensor, { dtype, shape, offset, sizeBytes }]) => {
    if (dtype !== 'float32') refuseCheckpoint(name, `tensor '${tensor}' is ${dtype}, not float32`);
    const data = new Float32Array(bytes.buffer, offset, sizeBytes / 4);
    return { name: tensor, shape, data };
  });
  return { kind: 'tensors', name, tensors };
};

const readFiles = async (
  path: string,
  manifest: Manifest,
  checkAbort: () => void,
): Promise<CheckpointFile[]> => {
  const files: CheckpointFile[] = [];
  for (const { name, size, sha256 } of manifest.files) {
    const bytes = await readBytes(join(path, name), size, checkAbort);
    checkAbort();
    const found = sha256Of(bytes);
    if (found !== sha256) refuseCheckpoint(join(path, name), `its sha256 is ${found}`);
    files.push(
      name.endsWith('.safetensors')
        ? await tensorFile(name, bytes)
        : { kind: 'text', name, text: new TextDecoder().decode(bytes) },
    );
  }
  return files;
};

/**
 * @throws TollamaError CHECKPOINT_INVALID for a missing or damaged file or an unknown schema, INTERRUPTED when
 *   it is aborted
 */
export const readCheckpoint = async (
  path: string,
  { isAborted = () => false }: ReadCheckpointOptions = {},
): Promise<ReadContents> => {
  const checkAbort = (): void => {
    if (isAborted()) throw new TollamaError('INTERRUPTED', `reading ${path} was aborted`);
  };
  const text = await readFile(join(path, MANIFEST_FILE), 'utf8').catch((cause) =>
    refuseCheckpoint(path, `it has no ${MANIFEST_FILE}`, cause),
  );
  const manifest = parseManifest(path, text);
  return { path, step: manifest.step, files: await readFiles(path, manifest, checkAbort) };
};
