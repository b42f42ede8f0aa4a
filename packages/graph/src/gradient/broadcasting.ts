/** Gradients of operands that an operator spread over further axes. */
import { type Dim, dimEquals, multiplyDims } from '../dimension.ts';
import type { Shape, Tensor } from '../node.ts';
import { cast, div, mul, reshape, sizeOf, sum } from '../ops.ts';

/** Sums over the axes along which a tensor of `shape` was repeated. */
export const reduceTo = (gradient: Tensor, shape: Shape): Tensor => {
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((dim, axis) => {
    const own: Dim = shape[axis - lead] ?? 1;
    return axis < lead || !dimEquals(own, dim) ? [axis] : [];
  });
  if (axes.length === 0) return gradient;
  const kept = sum(gradient, axes, { keepAxes: true });
  return lead === 0 ? kept : reshape(kept, shape);
};

/** x / (elements of these axes) */
export const overCount = (x: Tensor, dims: readonly Dim[]): Tensor => {
  const count = multiplyDims(...dims);
  return typeof count === 'number' ? mul(x, 1 / count) : div(x, cast(sizeOf(count), x.dtype));
};
