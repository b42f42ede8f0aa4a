/** Thresholds from the errors of earlier forecasts, in a way that a few wild errors do not move. */
import { normalQuantile } from '../columnar/normal.ts';

export interface Spread {
  readonly center: number;
  /** A deviation, never 0. */
  readonly deviation: number;
}

/** A median absolute deviation times this is the deviation of a normal variable. */
const NORMAL_SCALE = 1.4826;

const median = (ascending: ArrayLike<number>): number => {
  const { length } = ascending;
  return (ascending[(length - 1) >> 1]! + ascending[length >> 1]!) / 2;
};

/**
 * Median and its scaled deviation; the plain deviation where more than half are equal, and a rounding of
 * `scale` where all are.
 */
export const robustSpread = (errors: Float64Array, scale: number): Spread => {
  const least = 1e-9 * Math.max(1e-3, Math.abs(scale));
  if (errors.length === 0) return { center: 0, deviation: least };
  const center = median(errors.toSorted());
  const reach = errors.map((error) => Math.abs(error - center)).sort();
  const squares = errors.reduce((sum, error) => sum + (error - center) ** 2, 0);
  const deviation = NORMAL_SCALE * median(reach) || Math.sqrt(squares / errors.length);
  return { center, deviation: Math.max(least, deviation) };
};

/** Deviations within which a normal variable lies with `level` percent. */
export const twoSided = (level: number): number => normalQuantile((100 + level) / 200);

/** Deviations below which it lies with `level` percent. */
export const oneSided = (level: number): number =>
  normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, level / 100)));
