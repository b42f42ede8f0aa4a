/** A checkpoint whose files are in memory: a browser has fetched them, or the user has dropped them. */
import { TollamaError } from '@tollama/core/errors';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import { parseSafetensorsHeader } from './parse-header.ts';

export interface MemoryCheckpoint extends Checkpoint {
  /** File name -> its bytes. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/**
 * Checks the headers of safetensors files in memory; several ones are the shards of one checkpoint.
 *
 * @throws TollamaError CHECKPOINT_INVALID for a malformed file, or a tensor that two files hold
 * @example
 * const data = new Uint8Array(await (await fetch('model.safetensors')).arrayBuffer());
 * const checkpoint = await openMemoryCheckpoint({ 'model.safetensors': data });
 */
export const openMemoryCheckpoint = async (
  files: Readonly<Record<string, Uint8Array>>,
): Promise<MemoryCheckpoint> => {
  const bytes = new Map(Object.entries(files));
  const tensors = new Map<string, CheckpointTensor>();
  for (const [file, data] of bytes) {
    const read = async (offset: number, length: number) => data.subarray(offset, offset + length);
    const source = { name: file, sizeBytes: data.length, read };
    for (const [name, tensor] of await parseSafetensorsHeader(source)) {
      const other = tensors.get(name)?.file;
      if (other !== undefined) {
        const message = `tensor '${name}' lies in ${other} and in ${file}`;
        throw new TollamaError('CHECKPOINT_INVALID', message);
      }
      tensors.set(name, { ...tensor, file });
    }
  }
  const sizeBytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
  return { folder: '', tensors, files: [...bytes.keys()], sizeBytes, bytes };
};
