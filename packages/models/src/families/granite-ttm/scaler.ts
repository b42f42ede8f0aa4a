/**
 * The scalers of the reference: per row and channel over the observed steps. All tensors [b, c, t].
 * They compute in double precision: what rounds here is all that the mixers see of a series, and they
 * amplify it.
 */
import {
  abs,
  add,
  cast,
  constant,
  type Dim,
  dimOf,
  div,
  greater,
  maximum,
  mul,
  repeat,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from '@tollama/graph';
import type { TtmConfig } from './config.ts';

export interface Scaled {
  readonly values: Tensor;
  /** [b, c, 1] */
  readonly loc: Tensor;
  /** [b, c, 1] */
  readonly scale: Tensor;
}

const overTime = (x: Tensor): Tensor => sum(x, 2, { keepAxes: true });

/** A [b, c, size] block of one value. */
export const filled = (like: Tensor, size: Dim, value: number, channels = dimOf(like, 1)): Tensor =>
  repeat(constant([value], like.dtype), '1 -> b c t', { b: dimOf(like, 0), c: channels, t: size });

/** Masked steps are left out of loc and scale but not zeroed: a 0 filled in becomes -loc/scale. */
const standardise = (x: Tensor, observed: Tensor, floor: number): Scaled => {
  const count = maximum(overTime(observed), 1);
  const loc = div(overTime(mul(x, observed)), count);
  const centred = sub(x, loc);
  const deviation = mul(centred, observed);
  const scale = sqrt(add(div(overTime(mul(deviation, deviation)), count), floor));
  return { values: div(centred, scale), loc, scale };
};

/** Divides by the mean absolute value; rows without an observation take the mean of the batch. */
const meanScale = (x: Tensor, observed: Tensor, floor: number, fallback?: number): Scaled => {
  const total = overTime(abs(mul(x, observed)));
  const count = overTime(observed);
  const ofBatch = (y: Tensor): Tensor => sum(y, 0, { keepAxes: true });
  const missing = fallback ?? div(ofBatch(total), maximum(ofBatch(count), 1)); // [1, c, 1]
  const own = where(greater(count, 0), div(total, maximum(count, 1)), missing);
  const scale = maximum(own, floor);
  return { values: div(x, scale), loc: filled(x, 1, 0), scale };
};

const precisely = (
  scaler: (x: Tensor, observed: Tensor) => Scaled,
  x: Tensor,
  observed: Tensor,
): Scaled => {
  const scaled = scaler(cast(x, 'float64'), cast(observed, 'float64'));
  return {
    values: cast(scaled.values, 'float32'),
    loc: cast(scaled.loc, 'float32'),
    scale: cast(scaled.scale, 'float32'),
  };
};

/** x with 0 where a value is missing, observed 1 or 0. */
export const scaleContext = (x: Tensor, observed: Tensor, c: TtmConfig): Scaled => {
  switch (c.scaling) {
    case 'std':
    case true:
      return precisely((y, mask) => standardise(y, mask, c.minimum_scale ?? 1e-5), x, observed);
    case 'mean':
      return precisely(
        (y, mask) => meanScale(y, mask, c.minimum_scale ?? 1e-10, c.default_scale ?? undefined),
        x,
        observed,
      );
    default:
      return { values: x, loc: filled(x, 1, 0), scale: filled(x, 1, 1) };
  }
};

/** y [b, c, t] (or [b, c, q, t] with loc and scale made to fit) back to the units of the series. */
export const unscale = (y: Tensor, { loc, scale }: Omit<Scaled, 'values'>): Tensor =>
  add(mul(y, scale), loc);
