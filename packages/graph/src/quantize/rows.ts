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

const largestOf = (row: Float32Array): number => {
  let largest = 0;
  for (let i = 0; i < row.length; i++) {
    const size = Math.abs(row[i]!);
    // Written so that NaN wins.
    if (!(size <= largest)) largest = size;
  }
  return largest;
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
  const data = new Int8Array(out * width);
  const scale = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    const largest = largestOf(weight.subarray(row * width, (row + 1) * width));
    if (!Number.isFinite(largest)) return undefined;
    // The smallest numbers leave no room for a 127th of them.
    scale[row] = Math.fround(largest / LEVELS) || 1;
  }
  for (let block = 0; block < out; block += ROWS_AT_ONCE) {
    const end = Math.min(out, block + ROWS_AT_ONCE);
    for (let i = 0; i < width; i++) {
      for (let row = block; row < end; row++) {
        const level = Math.round(weight[row * width + i]! / scale[row]!);
        data[i * out + row] = Math.max(-LEVELS, Math.min(LEVELS, level));
      }
    }
  }
  return { data, scale };
};
