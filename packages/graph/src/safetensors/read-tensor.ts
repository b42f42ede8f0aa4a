import { TollamaError } from '@tollama/core/errors';
import type { CheckpointTensor } from './checkpoint.ts';
import { openRegularFile, readPart } from './regular-file.ts';

/** Widens IEEE half precision. */
const fromFloat16 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const widenFloat16 = (halves: Uint16Array): Float32Array => {
  const table = Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromFloat16(bits));
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i]!]!;
  return values;
};

/** bfloat16 is the upper half of a float32. */
const widenBfloat16 = (halves: Uint16Array): Float32Array => {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
};

const readBytes = async (tensor: CheckpointTensor): Promise<Uint8Array<ArrayBuffer>> => {
  await using file = await openRegularFile(tensor.file);
  const bytes = await readPart(file, tensor.offset, tensor.sizeBytes);
  const missing = tensor.sizeBytes - bytes.length;
  if (missing > 0) {
    throw new TollamaError('CHECKPOINT_INVALID', `${tensor.file} ended ${missing} bytes early`);
  }
  return bytes;
};

/**
 * The values of one tensor, as float32. For work that is done once when a graph is made; runs
 * read the weights in place.
 */
export const readTensor = async (tensor: CheckpointTensor): Promise<Float32Array> => {
  const bytes = await readBytes(tensor);
  switch (tensor.dtype) {
    case 'float32':
      return new Float32Array(bytes.buffer);
    case 'float16':
      return widenFloat16(new Uint16Array(bytes.buffer));
    case 'bfloat16':
      return widenBfloat16(new Uint16Array(bytes.buffer));
    case 'float64':
      return new Float32Array(new Float64Array(bytes.buffer));
    default:
      throw new TollamaError(
        'CHECKPOINT_INVALID',
        `cannot read ${tensor.dtype} weights as numbers`,
      );
  }
};
