/** Writes safetensors files tensor by tensor, so that a checkpoint of any size needs the memory of one tensor. */
import { open, rename, rm } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { DTYPES } from '../dtype.ts';
import type { TensorSpec } from '../weights.ts';

const ALIGNMENT = 8;
const LENGTH_BYTES = 8;

const sizeOf = ({ dtype, shape }: TensorSpec): number =>
  shape.reduce((a, b) => a * b, DTYPES[dtype].sizeBytes);

export type SafetensorsMetadata = Readonly<Record<string, string>>;

const headerBytes = (
  specs: ReadonlyMap<string, TensorSpec>,
  metadata: SafetensorsMetadata,
): Buffer => {
  let at = 0;
  const entries: [string, unknown][] = [['__metadata__', { format: 'pt', ...metadata }]];
  for (const [name, spec] of specs) {
    const { dtype, shape } = spec;
    const end = at + sizeOf(spec);
    entries.push([name, { dtype: DTYPES[dtype].safetensors, shape, data_offsets: [at, end] }]);
    at = end;
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(LENGTH_BYTES + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length));
  text.copy(bytes, LENGTH_BYTES);
  return bytes;
};

/**
 * Writes a file beside `path` and renames it: a crash leaves the old file or the new one.
 *
 * @param fill the values of one tensor; called once for each, in order
 * @param metadata texts that go into the header, beside the format
 */
export const writeSafetensors = async (
  path: string,
  specs: ReadonlyMap<string, TensorSpec>,
  fill: (name: string, spec: TensorSpec) => ArrayBufferView,
  metadata: SafetensorsMetadata = {},
): Promise<void> => {
  const partial = `${path}.partial`;
  try {
    await using file = await open(partial, 'w');
    await file.writeFile(headerBytes(specs, metadata));
    for (const [name, spec] of specs) {
      const data = fill(name, spec);
      if (data.byteLength !== sizeOf(spec)) {
        throw new TollamaError(
          'INTERNAL',
          `tensor '${name}' of shape [${spec.shape}] got ${data.byteLength} bytes, needs ${sizeOf(spec)}`,
        );
      }
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};
