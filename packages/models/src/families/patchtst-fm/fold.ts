/** Forecasts of overlapping patches as one series: averages under the window of the training. */
import {
  add,
  addDims,
  broadcast,
  concat,
  constant,
  type Dim,
  dimOf,
  div,
  maximum,
  mul,
  multiplyDims,
  rearrange,
  repeat,
  slice,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { isFolded, type PatchTstConfig, strideOf, uncoveredSteps } from './config.ts';

/** Weights below this count as this. */
const LEAST_WEIGHT = 1e-6;

const zeros = (like: Tensor, patches: Dim, width: number): Tensor =>
  repeat(constant([0]), '1 -> b q n p', {
    b: dimOf(like, 0),
    q: dimOf(like, 1),
    n: patches,
    p: width,
  });

/** Sums patches that start every `stride` steps. x [b, q, n, p] -> [b, q, stride * (n - 1) + p] */
const overlapAdd = (x: Tensor, size: number, stride: number): Tensor => {
  const count = dimOf(x, 2);
  const parts = Math.ceil(size / stride);
  const spare = parts * stride - size;
  const padded = spare > 0 ? concat([x, zeros(x, count, spare)], 3) : x;
  const pieces = Array.from({ length: parts }, (_, i) => {
    const piece = slice(padded, 3, { start: i * stride, end: (i + 1) * stride });
    const behind = parts - 1 - i;
    const row = [
      ...(i > 0 ? [zeros(x, i, stride)] : []),
      piece,
      ...(behind > 0 ? [zeros(x, behind, stride)] : []),
    ];
    return concat(row, 2);
  });
  const summed = rearrange(pieces.reduce(add), 'b q n p -> b q (n p)');
  return slice(summed, 2, { end: addDims(multiplyDims(stride, count), size - stride) });
};

/** x [b, q, n, p] of neighbouring patches up to the end of the window -> [b, q, steps] */
export const foldPatches = (x: Tensor, w: Weights, c: PatchTstConfig): Tensor => {
  const shape = [1, 1, c.d_patch];
  if (!isFolded(c)) {
    if (c.patch_loss_windowing) w.unused('patch_loss_window', shape);
    return rearrange(x, 'b q n p -> b q (n p)');
  }
  const window = rearrange(w.get('patch_loss_window', shape), '1 1 p -> 1 1 1 p');
  const stride = strideOf(c);
  const every = broadcast(window, [1, 1, dimOf(x, 2), c.d_patch]);
  const weight = maximum(overlapAdd(every, c.d_patch, stride), LEAST_WEIGHT);
  const folded = div(overlapAdd(mul(x, window), c.d_patch, stride), weight);
  const rest = uncoveredSteps(c);
  if (rest === 0) return folded;
  const tail = repeat(constant([0]), '1 -> b q t', {
    b: dimOf(x, 0),
    q: dimOf(x, 1),
    t: rest,
  });
  return concat([folded, tail], 2);
};
