/** One univariate series as the statistical models see it: no gaps, unit spread, its seasons known. */
import { linearQuantile } from '../quantiles.ts';

export interface History {
  /** Oldest first, at least one; the raw value is `value * scale + shift`. */
  readonly values: Float64Array;
  readonly scale: number;
  readonly shift: number;
  /** Where the raw 0 lies in the units of `values`. */
  readonly zero: number;
  /** Whether no raw value is below 0: forecasts then stay at or above it. */
  readonly isNonNegative: boolean;
  /** Season lengths, the strongest first; empty where there is none. */
  readonly seasons: readonly number[];
}

/** A forecast in the units of the history. */
export interface Prediction {
  /** [horizon] */
  readonly mean: Float64Array;
  /** level in (0, 1) -> [horizon], not descending in the level. */
  readonly quantile: (level: number) => Float64Array;
  readonly explanation: Readonly<Record<string, unknown>>;
  /** [horizon] places in the history that the mean repeats, so that they come back without a rounding. */
  readonly repeated?: readonly number[];
}

/** A statistical model: nothing but the history decides the forecast. */
export type StatisticalModel = (history: History, horizon: number) => Prediction;

export interface Observed {
  /** From the first to the last observed value, inner gaps interpolated. */
  readonly values: Float64Array;
  /** Missing values after the last observed one: the forecast must first cross them. */
  readonly trailing: number;
  /** Inner values that were missing. */
  readonly filled: number;
}

/** Cuts what is missing at both ends and interpolates inner gaps linearly; infinite counts as missing. */
export const observe = (raw: ArrayLike<number>): Observed => {
  let first = 0;
  let end = raw.length;
  while (first < end && !Number.isFinite(raw[first])) first++;
  while (end > first && !Number.isFinite(raw[end - 1])) end--;
  const values = new Float64Array(end - first);
  let filled = 0;
  let known = -1;
  for (let i = 0; i < values.length; i++) {
    const value = raw[first + i]!;
    if (!Number.isFinite(value)) continue;
    values[i] = value;
    for (let gap = known + 1; known >= 0 && gap < i; gap++) {
      const part = (gap - known) / (i - known);
      values[gap] = values[known]! * (1 - part) + value * part;
      filled++;
    }
    known = i;
  }
  return { values, trailing: raw.length - end, filled };
};

/** The middle of values in any order, the mean of the two middle ones of an even count. */
export const median = (values: Float64Array): number => linearQuantile(values.slice().sort(), 0.5);

/** Raw observed values in robust units: median 0, and a spread of about 1 (1 where all are equal). */
export const toHistory = (raw: Float64Array, seasons: readonly number[]): History => {
  let largest = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (const value of raw) {
    largest = Math.max(largest, Math.abs(value));
    lowest = Math.min(lowest, value);
  }
  const unit = largest || 1; // divides first, so that values near the largest number do not overflow
  const values = raw.map((value) => value / unit);
  const sorted = values.slice().sort();
  const center = linearQuantile(sorted, 0.5);
  const middle = linearQuantile(sorted, 0.75) - linearQuantile(sorted, 0.25);
  const range = sorted[sorted.length - 1]! - sorted[0]!;
  // Below a few roundings the series is constant; a middle half of equal values says nothing of the rest.
  const spread = range <= 4 * Number.EPSILON ? 1 : Math.max(middle / 1.349, range / 50);
  for (let i = 0; i < values.length; i++) {
    values[i] = range <= 4 * Number.EPSILON ? 0 : (values[i]! - center) / spread;
  }
  return {
    values,
    scale: spread * unit,
    shift: center * unit,
    zero: -center / spread,
    isNonNegative: lowest >= 0,
    seasons,
  };
};

/** A prediction whose quantiles are normal around the mean. deviations [horizon] */
export const normalPrediction = (
  mean: Float64Array,
  deviations: Float64Array,
  explanation: Readonly<Record<string, unknown>>,
  quantileOf: (level: number) => number,
): Prediction => ({
  mean,
  quantile: (level) => {
    const z = quantileOf(level);
    return mean.map((center, h) => center + z * deviations[h]!);
  },
  explanation,
});

/** The last `count` values as a history of their own. */
export const latest = (history: History, count: number): History =>
  history.values.length <= count
    ? history
    : { ...history, values: history.values.subarray(history.values.length - count) };
