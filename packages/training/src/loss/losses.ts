/** What a model is trained for: scalars of a prediction, a target, and a mask of what was observed. */
import {
  abs,
  add,
  cast,
  constant,
  type Dim,
  div,
  isNan,
  less,
  lessOrEqual,
  maximum,
  mean,
  mul,
  not,
  rearrange,
  sizeOf,
  sub,
  sum,
  type Tensor,
  where,
} from '@tollama/graph';

export interface Observed {
  /** 0 where nothing was observed. */
  readonly target: Tensor;
  /** 1 where something was observed, else 0. */
  readonly mask: Tensor;
}

/** Splits a target with NaN for missing points. */
export const observed = (target: Tensor): Observed => {
  const isThere = not(isNan(target));
  return { target: where(isThere, target, 0), mask: cast(isThere, target.dtype) };
};

const all = (x: Tensor): readonly number[] => x.shape.map((_, axis) => axis);

/** The sum over what was observed by its count, 0 where there is nothing. */
const maskedMean = (values: Tensor, mask: Tensor, perPoint: Dim = 1): Tensor => {
  const factor =
    typeof perPoint === 'number'
      ? constant(perPoint, mask.dtype)
      : cast(sizeOf(perPoint), mask.dtype);
  const count = maximum(mul(sum(mask, all(mask)), factor), 1);
  return div(sum(mul(values, mask), all(values)), count);
};

export const meanSquaredError = (prediction: Tensor, { target, mask }: Observed): Tensor => {
  const error = sub(prediction, target);
  return maskedMean(mul(error, error), mask);
};

/** Its derivative at 0 is 0. */
export const meanAbsoluteError = (prediction: Tensor, { target, mask }: Observed): Tensor =>
  maskedMean(abs(sub(prediction, target)), mask);

/** e^2/2 up to delta, delta (|e| - delta/2) beyond (Huber 1964). */
export const huber = (error: Tensor, delta = 1): Tensor => {
  const size = abs(error);
  const square = mul(mul(error, error), 0.5);
  const line = mul(sub(size, delta / 2), delta);
  return where(lessOrEqual(size, delta), square, line);
};

export const huberLoss = (prediction: Tensor, { target, mask }: Observed, delta = 1): Tensor =>
  maskedMean(huber(sub(prediction, target), delta), mask);

/**
 * Which means are taken. All count missing points but 'mean': 'chronos-bolt' averages over levels and sums over
 * the horizon (as the published code does, contrary to its comments), 'chronos-2' the other way round; both
 * carry the factor 2.
 */
export type PinballForm = 'mean' | 'chronos-bolt' | 'chronos-2';

export interface PinballOptions {
  readonly levels: readonly number[];
  readonly form?: PinballForm;
}

/** rho_q(e) = |e (1[e < 0] - q)|, whose derivative at a tie is 0. error [b, q, h] -> [b, q, h] */
export const pinball = (error: Tensor, levels: readonly number[]): Tensor => {
  const isBelow = cast(less(error, 0), error.dtype);
  return abs(mul(error, sub(isBelow, constant(levels, error.dtype, [levels.length, 1]))));
};

/**
 * The quantile loss (Koenker & Bassett 1978).
 *
 * @param prediction [batch, levels, horizon]
 * @param seen       target and mask [batch, horizon]
 */
export const pinballLoss = (
  prediction: Tensor,
  { target, mask }: Observed,
  { levels, form = 'mean' }: PinballOptions,
): Tensor => {
  const error = sub(rearrange(target, 'b h -> b 1 h'), prediction);
  const values = pinball(error, levels);
  const points = rearrange(mask, 'b h -> b 1 h');
  switch (form) {
    case 'mean':
      return maskedMean(values, points, levels.length);
    case 'chronos-bolt':
      return mul(mean(sum(mean(mul(values, points), 1), 1), 0), 2);
    case 'chronos-2':
      return mul(mean(sum(mean(mul(values, points), 2), 1), 0), 2);
  }
};

/** The sum of several losses, each with its weight. */
export const weightedSum = (terms: readonly (readonly [loss: Tensor, weight: number])[]): Tensor =>
  terms.map(([loss, weight]) => mul(loss, weight)).reduce(add);
