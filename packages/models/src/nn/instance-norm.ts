import {
  abs,
  add,
  cast,
  div,
  equal,
  isNan,
  lessOrEqual,
  max,
  maximum,
  mul,
  not,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from '@tollama/graph';

const LARGEST = 3.4028234663852886e38;

export interface Standardized {
  /** bool [b, t] */
  readonly observed: Tensor;
  /** Mean of the observed points, 0 where there is none: [b, 1]. */
  readonly loc: Tensor;
  /** Their deviation (population form), 1 where there is none, 1e-5 where it is 0: [b, 1]. */
  readonly scale: Tensor;
  /** (x - loc) / scale, 0 where nothing is observed: [b, t]. */
  readonly scaled: Tensor;
}

/**
 * Standardises each row over its observed points (chronos_bolt.py, InstanceNorm). x [b, t], NaN where missing.
 *
 * The mean is taken of the differences to the largest value: for a constant row a float32 sum of the values
 * themselves rounds, and a mean that is off by one ulp makes a spread of 1e-9 where there is none.
 */
export const instanceNorm = (x: Tensor): Standardized => {
  const observed = not(isNan(x));
  const present = cast(observed, 'float32');
  const count = sum(present, 1, { keepAxes: true });
  const divisor = maximum(count, 1);
  const largest = max(where(observed, x, Number.NEGATIVE_INFINITY), 1, { keepAxes: true });
  const anchor = where(equal(count, 0), 0, largest);
  const below = sum(where(observed, sub(x, anchor), 0), 1, { keepAxes: true });
  const plain = div(sum(where(observed, x, 0), 1, { keepAxes: true }), divisor);
  // Differences of values around the largest float32 can overflow where the values' own sum does not.
  const loc = where(lessOrEqual(abs(below), LARGEST), add(anchor, div(below, divisor)), plain);
  const deviation = where(observed, sub(x, loc), 0);
  const spread = sqrt(div(sum(mul(deviation, deviation), 1, { keepAxes: true }), divisor));
  const scale = where(equal(count, 0), 1, where(equal(spread, 0), 1e-5, spread));
  return { observed, loc, scale, scaled: div(deviation, scale) };
};
