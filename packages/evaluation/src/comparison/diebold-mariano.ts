/**
 * Is one forecaster better than another? Diebold and Mariano 1995 on the differences of their losses, with the
 * small-sample correction of Harvey, Leybourne and Newbold 1997 and Student's t.
 */
import { TollamaError } from '@tollama/core/errors';
import { criticalT, twoSidedP } from '../statistics/student-t.ts';

export interface LossComparison {
  /** Mean of a's losses less b's: below 0, a is better. */
  readonly meanDifference: number;
  readonly standardError: number;
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Of the mean difference. */
  readonly interval: readonly [lower: number, upper: number];
  readonly count: number;
}

export interface ComparisonOptions {
  /** Steps ahead: errors of overlapping forecasts depend on each other over horizon - 1 steps. */
  readonly horizon?: number;
  /** 1 - coverage of the interval. */
  readonly alpha?: number;
}

/** Autocovariance of differences at a lag. */
const autocovariance = (values: readonly number[], mean: number, lag: number): number => {
  let sum = 0;
  for (let i = lag; i < values.length; i++) sum += (values[i]! - mean) * (values[i - lag]! - mean);
  return sum / values.length;
};

/** Long-run variance over horizon - 1 lags; Bartlett weights where the plain sum is not positive. */
const longRunVariance = (values: readonly number[], mean: number, horizon: number): number => {
  const lags = Math.min(horizon - 1, values.length - 1);
  const own = autocovariance(values, mean, 0);
  const covariances = Array.from({ length: lags }, (_, k) => autocovariance(values, mean, k + 1));
  const plain = own + 2 * covariances.reduce((sum, value) => sum + value, 0);
  if (plain > 0) return plain;
  return (
    own + 2 * covariances.reduce((sum, value, k) => sum + (1 - (k + 1) / (lags + 1)) * value, 0)
  );
};

/**
 * Compares losses of the same forecasts, oldest first; pairs with a loss that is not finite are left out.
 *
 * @throws TollamaError INVALID_REQUEST for unequal lengths or fewer than two pairs
 */
export const compareLosses = (
  a: readonly number[],
  b: readonly number[],
  { horizon = 1, alpha = 0.05 }: ComparisonOptions = {},
): LossComparison => {
  if (a.length !== b.length) {
    throw new TollamaError('INVALID_REQUEST', `${a.length} losses beside ${b.length}`, {
      hint: 'compare losses of the same forecasts',
    });
  }
  const differences = a.map((loss, i) => loss - b[i]!).filter(Number.isFinite);
  const n = differences.length;
  if (n < 2) {
    throw new TollamaError('INVALID_REQUEST', `${n} pairs of losses are too few to compare`, {
      hint: 'evaluate on more windows or series',
    });
  }
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const h = Math.min(horizon, n - 1);
  const correction = (n + 1 - 2 * h + (h * (h - 1)) / n) / n;
  const variance = longRunVariance(differences, mean, h) / n;
  const standardError = Math.sqrt(Math.max(0, variance) / Math.max(correction, 1 / n));
  const statistic =
    standardError > 0
      ? mean / standardError
      : mean === 0
        ? 0
        : Math.sign(mean) * Number.POSITIVE_INFINITY;
  const reach = criticalT(alpha, n - 1) * standardError;
  return {
    meanDifference: mean,
    standardError,
    statistic,
    pValue: standardError > 0 ? twoSidedP(statistic, n - 1) : mean === 0 ? 1 : 0,
    interval: [mean - reach, mean + reach],
    count: n,
  };
};

export interface RatioComparison {
  /** Geometric mean of a / b: below 1, a is better. */
  readonly ratio: number;
  readonly interval: readonly [lower: number, upper: number];
  readonly pValue: number;
  /** Shares of pairs where a is better. */
  readonly wins: number;
  readonly count: number;
}

/** Compares scores of two models on the same configurations by the logarithms of their ratios. */
export const compareRatios = (
  a: readonly number[],
  b: readonly number[],
  alpha = 0.05,
): RatioComparison => {
  const { meanDifference, interval, pValue, count } = compareLosses(
    a.map(Math.log),
    b.map(Math.log),
    { alpha },
  );
  return {
    ratio: Math.exp(meanDifference),
    interval: [Math.exp(interval[0]), Math.exp(interval[1])],
    pValue,
    wins: a.filter((score, i) => score < b[i]!).length / a.length,
    count,
  };
};
