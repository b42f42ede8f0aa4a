/** Writes safetensors files tensor by tensor, so that a checkpoint of any size needs the memory of one tensor. */
import { open, rename, rm } from 'node:fs/promises';
import { DTYPES } from '../dtype.ts';
import type { TensorSpec } from '../weights.ts';

const ALIGNMENT = 8;

const headerBytes = (specs: ReadonlyMap<string, TensorSpec>): Buffer => {
  let at = 0;
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { dtype, shape }] of specs) {
    const sizeBytes = shape.reduce((a, b) => a * b, DTYPES[dtype].sizeBytes);
    entries[name] = { dtype: DTYPES[dtype].safetensors, shape, data_offsets: [at, at + sizeBytes] };
    at += sizeBytes;
  }
  const text = JSON.stringify(entries);
  const padded = text.padEnd(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT, ' ');
  const bytes = Buffer.alloc(8 + Buffer.byteLength(padded));
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
  bytes.write(padded, 8);
  return bytes;
};

/**
 * Writes a file beside `path` and renames it: a crash leaves the old file or the new one.
 *
 * @param fill the values of one tensor; called once for each, in order
 */
export const writeSafetensors = async (
  path: string,
  specs: ReadonlyMap<string, TensorSpec>,
  fill: (name: string, spec: TensorSpec) => ArrayBufferView,
): Promise<void> => {
  const partial = `${path}.partial`;
  try {
    await using file = await open(partial, 'w');
    await file.write(headerBytes(specs));
    for (const [name, spec] of specs) {
      const data = fill(name, spec);
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};
