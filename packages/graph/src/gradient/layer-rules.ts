/** Derivatives of layers: products, norms, softmax. */
import { type Dim, multiplyDims } from '../dimension.ts';
import type { LayerNormNode, LinearNode, MatmulNode, RmsNormNode, Tensor } from '../node.ts';
import { add, div, matmul, mean, mul, reshape, sqrt, sub, sum, transpose } from '../ops.ts';
import { reduceTo } from './broadcasting.ts';

/** Swaps the last two axes. */
export const swap = (x: Tensor): Tensor => {
  const rank = x.shape.length;
  return transpose(
    x,
    x.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
  );
};

/** [..., n] -> [rows, n] */
const flat = (x: Tensor): Tensor =>
  x.shape.length === 2
    ? x
    : reshape(x, [multiplyDims(...x.shape.slice(0, -1)), x.shape.at(-1) as Dim]);

/** a^T . b over all rows: [..., m], [..., n] -> [m, n] */
const outer = (a: Tensor, b: Tensor): Tensor => matmul(transpose(flat(a), [1, 0]), flat(b));

const overRows = (g: Tensor): Tensor => reduceTo(g, [g.shape.at(-1) as Dim]);

/** y = x . weight^T + bias: dx = g . weight, dweight = g^T . x and dbias = g, both summed over rows. */
export const linearRule = (g: Tensor, { inputs: [x, weight] }: LinearNode): readonly Tensor[] => [
  matmul(g, weight),
  outer(g, x),
  overRows(g),
];

/** y = a . b: da = g . b^T, db = a^T . g, summed over axes along which an operand was spread. */
export const matmulRule = (
  g: Tensor,
  { inputs: [a, b], transposeB }: MatmulNode,
): readonly Tensor[] => {
  const toA = matmul(g, b, { transposeB: !transposeB });
  // One matrix for all of the batch: its gradient is a single product.
  if (b.shape.length === 2) return [toA, transposeB ? outer(g, a) : outer(a, g)];
  const toB = transposeB ? matmul(swap(g), a) : matmul(swap(a), g);
  return [reduceTo(toA, a.shape), reduceTo(toB, b.shape)];
};

/** dx = y (g - sum(g y)) */
export const softmaxRule = (g: Tensor, y: Tensor, axis: number): Tensor => {
  const weighted = mul(g, y);
  return sub(weighted, mul(y, sum(weighted, axis, { keepAxes: true })));
};

const overLast = (x: Tensor): Tensor => mean(x, -1, { keepAxes: true });

/** With r = 1 / sqrt(mean(x^2) + epsilon) and u = g gain: dx = r (u - xr mean(u xr)) */
export const rmsNormRule = (
  g: Tensor,
  { inputs: [x, gain], epsilon }: RmsNormNode,
): readonly Tensor[] => {
  const root = sqrt(add(overLast(mul(x, x)), epsilon));
  const normed = div(x, root);
  const u = mul(g, gain);
  return [div(sub(u, mul(normed, overLast(mul(u, normed)))), root), overRows(mul(g, normed))];
};

/** With n = (x - mean) / root and u = g gain: dx = (u - mean(u) - n mean(u n)) / root */
export const layerNormRule = (
  g: Tensor,
  { inputs: [x, gain], epsilon }: LayerNormNode,
): readonly Tensor[] => {
  const deviation = sub(x, overLast(x));
  const root = sqrt(add(overLast(mul(deviation, deviation)), epsilon));
  const normed = div(deviation, root);
  const u = mul(g, gain);
  const inner = sub(sub(u, overLast(u)), mul(normed, overLast(mul(u, normed))));
  return [div(inner, root), overRows(mul(g, normed)), overRows(g)];
};
