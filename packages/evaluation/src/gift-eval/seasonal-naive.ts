/**
 * The benchmark's baseline: the last season again, with normal quantiles whose deviation grows with the root
 * of the number of seasons ahead. Missing values of the past are filled forward first.
 */
import { normalQuantile } from '@tollama/models/statistical/normal';
import type { StoredForecast } from './forecast-values.ts';
import { LOSS_LEVELS } from './metrics.ts';

/** Missing values repeat the one before; leading ones the first known; 0 where nothing is known. */
export const fillForward = (values: ArrayLike<number>): Float64Array => {
  const filled = Float64Array.from(values);
  const first = filled.findIndex(Number.isFinite);
  let last = first < 0 ? 0 : filled[first]!;
  for (let i = 0; i < filled.length; i++) {
    if (!Number.isFinite(filled[i]!)) filled[i] = last;
    else last = filled[i]!;
  }
  return filled;
};

/** Root mean square of x[i] - x[i - lag]; 0 without a pair. */
const differenceDeviation = (values: Float64Array, lag: number): number => {
  let sum = 0;
  for (let i = lag; i < values.length; i++) sum += (values[i]! - values[i - lag]!) ** 2;
  return values.length > lag ? Math.sqrt(sum / (values.length - lag)) : 0;
};

export interface NaiveOptions {
  readonly horizon: number;
  /** Season of MASE; 1 where the input is not longer. */
  readonly season: number;
  readonly levels?: readonly number[];
}

/** @returns quantiles at the levels of the quantile loss, or at those asked for; the mean is the median */
export const seasonalNaive = (
  input: ArrayLike<number>,
  { horizon, season, levels = LOSS_LEVELS }: NaiveOptions,
): Extract<StoredForecast, { levels: unknown }> => {
  const values = fillForward(input);
  const lag = season < values.length ? season : 1;
  const sigma = differenceDeviation(values, lag);
  const from = values.length - lag;
  const mean = new Float64Array(horizon);
  const deviation = new Float64Array(horizon);
  for (let h = 0; h < horizon; h++) {
    mean[h] = values[from + (h % lag)]!;
    deviation[h] = sigma * Math.sqrt(Math.floor(h / lag) + 1);
  }
  return {
    levels,
    mean,
    quantiles: levels.map((level) => {
      const z = normalQuantile(level);
      return mean.map((center, h) => center + z * deviation[h]!);
    }),
  };
};
