/** Symmetric int8 quantisation of a weight matrix, a scale for each output row. */

export interface QuantizedMatrix {
  /** [in, out], the layout of the runtime's integer kernels. */
  readonly data: Int8Array;
  /** [out]; weight = data * scale */
  readonly scale: Float32Array;
}

const LEVELS = 127;

/** Rows that are written together, so that each cache line of the transposed result is filled once. */
const ROWS_AT_ONCE = 64;

/** Beside 1.5 * 2^52 a float64 has no room for a fraction: a sum with it is rounded, without a branch. */
const ROUNDER = 1.5 * 2 ** 52;

const largestOf = (row: Float32Array): number => {
  let largest = 0;
  for (let i = 0; i < row.length; i++) {
    const size = Math.abs(row[i]!);
    // Written so that NaN wins.
    if (!(size <= largest)) largest = size;
  }
  return largest;
};

/** A scale below the normal numbers of float32 has too few bits: such a row counts as zeros. */
const SMALLEST = LEVELS * 2 ** -126;

/** The scale of each row, undefined where a weight is not finite. */
const scalesOf = (weight: Float32Array, out: number, width: number): Float32Array | undefined => {
  const scale = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    const largest = largestOf(weight.subarray(row * width, (row + 1) * width));
    if (!Number.isFinite(largest)) return undefined;
    scale[row] = largest < SMALLEST ? 1 : largest / LEVELS;
  }
  return scale;
};

/**
 * A row of zeros has scale 1.
 *
 * @param weight [out, in], as the checkpoint stores it
 * @returns undefined where a weight is not finite
 */
export const quantizeRows = (
  weight: Float32Array,
  out: number,
  width: number,
): QuantizedMatrix | undefined => {
  const scale = scalesOf(weight, out, width);
  if (!scale) return undefined;
  const inverse = Float64Array.from(scale, (step) => 1 / step);
  const data = new Int8Array(out * width);
  for (let block = 0; block < out; block += ROWS_AT_ONCE) {
    const end = Math.min(out, block + ROWS_AT_ONCE);
    for (let i = 0; i < width; i++) {
      for (let row = block, from = block * width + i; row < end; row++, from += width) {
        data[i * out + row] = weight[from]! * inverse[row]! + ROUNDER - ROUNDER;
      }
    }
  }
  return { data, scale };
};
