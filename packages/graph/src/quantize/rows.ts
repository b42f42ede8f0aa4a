/** Symmetric int8 quantisation of a weight matrix, a scale for each output row. */

export interface QuantizedMatrix {
  /** [in, out], the layout of the runtime's integer kernels. */
  readonly data: Int8Array;
  /** [out]; weight = data * scale */
  readonly scale: Float32Array;
}

const LEVELS = 127;

/**
 * @param weight [out, in], as the checkpoint stores it
 */
export const quantizeRows = (weight: Float32Array, out: number, width: number): QuantizedMatrix => {
  const data = new Int8Array(out * width);
  const scale = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    const start = row * width;
    let largest = 0;
    for (let i = start; i < start + width; i++) largest = Math.max(largest, Math.abs(weight[i]!));
    const step = largest / LEVELS || 1;
    scale[row] = step;
    for (let i = 0; i < width; i++) data[i * out + row] = Math.round(weight[start + i]! / step);
  }
  return { data, scale };
};
