/**
 * GIFT-Eval's metrics over all series and steps in one pool. Entries whose label is missing are left out of
 * everything; entries whose division has no finite value are left out of that metric, numerator and count.
 */
import { type ForecastValues, refuseNaN } from './forecast-values.ts';

/** The levels of the mean weighted sum quantile loss ("CRPS"). */
export const LOSS_LEVELS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export const METRIC_COLUMNS = [
  'MSE[mean]',
  'MSE[0.5]',
  'MAE[0.5]',
  'MASE[0.5]',
  'MAPE[0.5]',
  'sMAPE[0.5]',
  'MSIS',
  'RMSE[mean]',
  'NRMSE[mean]',
  'ND[0.5]',
  'mean_weighted_sum_quantile_loss',
] as const;
export type Metric = (typeof METRIC_COLUMNS)[number];
export type Metrics = Readonly<Record<Metric, number>>;

export interface ScoredInstance {
  /** [horizon]; NaN or infinite where missing. */
  readonly label: ArrayLike<number>;
  readonly forecast: ForecastValues;
  /** Seasonal error of the input; 0 or NaN leaves the entries out of scaled metrics. */
  readonly seasonalError: number;
}

/** Sums of one instance or of many. */
export interface MetricSums {
  /** Known labels. */
  count: number;
  squaredOfMean: number;
  squaredOfMedian: number;
  absolute: number;
  absoluteLabel: number;
  readonly scaled: Ratio;
  readonly percentage: Ratio;
  readonly symmetric: Ratio;
  readonly interval: Ratio;
  /** Per loss level: sum of 2 |(y - f)([f >= y] - q)|. */
  readonly losses: Float64Array;
  /** Per loss level: labels at or below the forecast. */
  readonly covered: Float64Array;
}

/** A mean of guarded divisions. */
export interface Ratio {
  sum: number;
  count: number;
}

const ALPHA = 0.05;
const INTERVAL_LEVELS = [ALPHA / 2, 1 - ALPHA / 2] as const;
/** Smallest normal double: a divisor smaller than it, relative to the dividend, is as good as 0. */
const SMALLEST = 2.2250738585072014e-308;

const ratio = (): Ratio => ({ sum: 0, count: 0 });

/** The sums of no instance. */
export const emptySums = (): MetricSums => ({
  count: 0,
  squaredOfMean: 0,
  squaredOfMedian: 0,
  absolute: 0,
  absoluteLabel: 0,
  scaled: ratio(),
  percentage: ratio(),
  symmetric: ratio(),
  interval: ratio(),
  losses: new Float64Array(LOSS_LEVELS.length),
  covered: new Float64Array(LOSS_LEVELS.length),
});

/** Adds dividend / divisor unless it is undefined. */
const addGuarded = (to: Ratio, dividend: number, divisor: number): void => {
  if (divisor === 0 || Math.abs(dividend) * SMALLEST >= Math.abs(divisor)) return;
  const value = dividend / divisor;
  if (!Number.isFinite(value)) return;
  to.sum += value;
  to.count++;
};

const addLosses = (sums: MetricSums, label: ArrayLike<number>, forecast: ForecastValues): void => {
  LOSS_LEVELS.forEach((level, l) => {
    const path = refuseNaN(forecast.quantile(level), `level ${level}`);
    for (let h = 0; h < label.length; h++) {
      const y = label[h]!;
      if (!Number.isFinite(y)) continue;
      const value = path[h]!;
      sums.losses[l]! += 2 * Math.abs((y - value) * ((value >= y ? 1 : 0) - level));
      if (y <= value) sums.covered[l]!++;
    }
  });
};

/** Adds the entries of one instance. */
export const addInstance = (sums: MetricSums, one: ScoredInstance): void => {
  const { label, forecast, seasonalError } = one;
  const mean = refuseNaN(forecast.mean, 'mean');
  const median = refuseNaN(forecast.quantile(0.5), 'level 0.5');
  const lower = refuseNaN(forecast.quantile(INTERVAL_LEVELS[0]), 'level 0.025');
  const upper = refuseNaN(forecast.quantile(INTERVAL_LEVELS[1]), 'level 0.975');
  for (let h = 0; h < label.length; h++) {
    const y = label[h]!;
    if (!Number.isFinite(y)) continue;
    const miss = Math.abs(y - median[h]!);
    sums.count++;
    sums.squaredOfMean += (y - mean[h]!) ** 2;
    sums.squaredOfMedian += (y - median[h]!) ** 2;
    sums.absolute += miss;
    sums.absoluteLabel += Math.abs(y);
    addGuarded(sums.scaled, miss, seasonalError);
    addGuarded(sums.percentage, miss, Math.abs(y));
    addGuarded(sums.symmetric, 2 * miss, Math.abs(y) + Math.abs(median[h]!));
    const [l, u] = [lower[h]!, upper[h]!];
    const outside = y < l ? l - y : y > u ? y - u : 0;
    addGuarded(sums.interval, u - l + (2 / ALPHA) * outside, seasonalError);
  }
  addLosses(sums, label, forecast);
};

/** Adds other sums, as of an instance that is needed by itself. */
export const addSums = (to: MetricSums, other: MetricSums): void => {
  to.count += other.count;
  to.squaredOfMean += other.squaredOfMean;
  to.squaredOfMedian += other.squaredOfMedian;
  to.absolute += other.absolute;
  to.absoluteLabel += other.absoluteLabel;
  for (const name of ['scaled', 'percentage', 'symmetric', 'interval'] as const) {
    to[name].sum += other[name].sum;
    to[name].count += other[name].count;
  }
  for (let l = 0; l < LOSS_LEVELS.length; l++) {
    to.losses[l]! += other.losses[l]!;
    to.covered[l]! += other.covered[l]!;
  }
};

const meanOf = ({ sum, count }: Ratio): number => sum / count;

/** Mean over levels of the quantile loss, divided by the sum of |label|; the reference gives 0 without a label. */
export const weightedQuantileLoss = ({ losses, absoluteLabel, count }: MetricSums): number =>
  count === 0 ? 0 : losses.reduce((sum, loss) => sum + loss / absoluteLabel, 0) / losses.length;

/** Share of labels at or below the forecast of each loss level. */
export const coverages = ({ covered, count }: MetricSums): number[] =>
  Array.from(covered, (inside) => inside / count);

/** The eleven metrics; NaN where nothing is known. */
export const metricsOf = (sums: MetricSums): Metrics => {
  const { count, absoluteLabel } = sums;
  const rootOfMean = Math.sqrt(sums.squaredOfMean / count);
  return {
    'MSE[mean]': sums.squaredOfMean / count,
    'MSE[0.5]': sums.squaredOfMedian / count,
    'MAE[0.5]': sums.absolute / count,
    'MASE[0.5]': meanOf(sums.scaled),
    'MAPE[0.5]': meanOf(sums.percentage),
    'sMAPE[0.5]': meanOf(sums.symmetric),
    MSIS: meanOf(sums.interval),
    'RMSE[mean]': rootOfMean,
    'NRMSE[mean]': rootOfMean / (absoluteLabel / count),
    'ND[0.5]': sums.absolute / absoluteLabel,
    mean_weighted_sum_quantile_loss: weightedQuantileLoss(sums),
  };
};
