/**
 * DoRA (Liu et al. 2024): W' = m (W + s B A) / |W + s B A|, with a length for every row of a weight [out, in]. For the
 * gradients the length below the fraction is a constant (their section 4.3), as in PEFT.
 */
import {
  add,
  cast,
  div,
  equal,
  matmul,
  mul,
  reshape,
  sqrt,
  stopGradient,
  sum,
  type Tensor,
  where,
} from '@tollama/graph';

/** What DoRA trains: A [rank, in], B [out, rank], m [out]. */
export interface DoraTensors {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly magnitude: Tensor;
}

/** Lengths of the rows of a weight. [out, in] -> [out] */
export const rowNorms = (weight: Tensor): Tensor => {
  const whole = cast(weight, 'float32');
  return sqrt(sum(mul(whole, whole), 1));
};

/** W + s B A -> [out, in] */
const unscaled = (weight: Tensor, { a, b }: DoraTensors, scaling: number): Tensor =>
  add(cast(weight, 'float32'), matmul(b, mul(a, scaling)));

/** m / |row|, where a row of zeros, which has no direction, stays one. -> [out] */
const gainOf = (rows: Tensor, magnitude: Tensor): Tensor => {
  const norms = rowNorms(stopGradient(rows));
  return div(magnitude, where(equal(norms, 0), 1, norms));
};

/** m / |W + s B A| -> [out] */
export const doraGain = (weight: Tensor, tensors: DoraTensors, scaling: number): Tensor =>
  gainOf(unscaled(weight, tensors, scaling), tensors.magnitude);

/** The changed weight. -> [out, in] */
export const doraWeight = (weight: Tensor, tensors: DoraTensors, scaling: number): Tensor => {
  const rows = unscaled(weight, tensors, scaling);
  const gain = gainOf(rows, tensors.magnitude);
  return mul(rows, reshape(gain, [...gain.shape, 1]));
};
