import { open } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import type { CheckpointTensor } from './checkpoint.ts';

/** Widens IEEE half precision. */
const fromFloat16 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** bfloat16 is the upper half of a float32. */
const fromBfloat16 = (halves: Uint16Array): Float32Array => {
  const bits = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(bits.buffer);
};

/**
 * The values of one tensor, widened to float32. For work that is done once when a graph is made; runs
 * read the weights in place.
 */
export const readTensor = async (tensor: CheckpointTensor): Promise<Float32Array> => {
  const bytes = new Uint8Array(tensor.sizeBytes);
  await using file = await open(tensor.file, 'r');
  const { bytesRead } = await file.read(bytes, 0, bytes.length, tensor.offset);
  if (bytesRead !== bytes.length) {
    throw new TollamaError(
      'CHECKPOINT_INVALID',
      `${tensor.file} ended ${bytes.length - bytesRead} bytes early`,
    );
  }
  switch (tensor.dtype) {
    case 'float32':
      return new Float32Array(bytes.buffer);
    case 'float16':
      return Float32Array.from(new Uint16Array(bytes.buffer), fromFloat16);
    case 'bfloat16':
      return fromBfloat16(new Uint16Array(bytes.buffer));
    default:
      throw new TollamaError(
        'CHECKPOINT_INVALID',
        `cannot read ${tensor.dtype} weights as numbers`,
      );
  }
};
