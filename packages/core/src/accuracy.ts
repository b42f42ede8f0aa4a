/**
 * Accuracy of a forecast against what came. Undefined values (a scale of 0, no quantiles) are undefined, not
 * infinite. Definitions: Hyndman & Koehler 2006; percentages in percent; the M5's rmsse with a free lag.
 */

export interface AccuracyCase {
  /** [h] what came. */
  readonly actual: ArrayLike<number>;
  /** [h] the point forecast. */
  readonly mean: ArrayLike<number>;
  /** History before the forecast, for scaled errors; NaN where missing. */
  readonly history: ArrayLike<number>;
  /** Lag of the naive errors that scale mase and rmsse. */
  readonly seasonality: number;
  /** level -> [h] */
  readonly quantiles: ReadonlyMap<number, ArrayLike<number>>;
}

const meanOver = (length: number, term: (i: number) => number | undefined): number | undefined => {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < length; i++) {
    const value = term(i);
    if (value === undefined) continue;
    sum += value;
    count++;
  }
  return count > 0 ? sum / count : undefined;
};

const absoluteError = ({ actual, mean }: AccuracyCase): number | undefined =>
  meanOver(actual.length, (i) => Math.abs(actual[i]! - mean[i]!));

const squaredError = ({ actual, mean }: AccuracyCase): number | undefined =>
  meanOver(actual.length, (i) => (actual[i]! - mean[i]!) ** 2);

const percentageError = ({ actual, mean }: AccuracyCase): number | undefined => {
  const value = meanOver(actual.length, (i) =>
    actual[i] === 0 ? undefined : Math.abs((actual[i]! - mean[i]!) / actual[i]!),
  );
  return value === undefined ? undefined : 100 * value;
};

const symmetricPercentageError = ({ actual, mean }: AccuracyCase): number | undefined =>
  meanOver(actual.length, (i) => {
    const size = Math.abs(actual[i]!) + Math.abs(mean[i]!);
    return size === 0 ? undefined : (200 * Math.abs(actual[i]! - mean[i]!)) / size;
  });

const weightedPercentageError = (one: AccuracyCase): number | undefined => {
  const size = meanOver(one.actual.length, (i) => Math.abs(one.actual[i]!));
  const error = absoluteError(one);
  return error === undefined || !size ? undefined : (100 * error) / size;
};

/** Mean of the naive forecast's errors within the history, to the given power. */
const naiveError = ({ history, seasonality }: AccuracyCase, power: 1 | 2): number | undefined =>
  meanOver(history.length - seasonality, (i) => {
    const step = Math.abs(history[i + seasonality]! - history[i]!);
    return Number.isFinite(step) ? step ** power : undefined;
  });

const scaled = (one: AccuracyCase): number | undefined => {
  const scale = naiveError(one, 1);
  const error = absoluteError(one);
  return error === undefined || !scale ? undefined : error / scale;
};

const rootSquaredScaled = (one: AccuracyCase): number | undefined => {
  const scale = naiveError(one, 2);
  const error = squaredError(one);
  return error === undefined || !scale ? undefined : Math.sqrt(error / scale);
};

/** Mean over levels and steps of the quantile loss. */
const pinball = ({ actual, quantiles }: AccuracyCase): number | undefined => {
  const losses = [...quantiles].map(([level, path]) =>
    meanOver(actual.length, (i) => {
      const miss = actual[i]! - path[i]!;
      return miss >= 0 ? level * miss : (level - 1) * miss;
    }),
  );
  return meanOver(losses.length, (i) => losses[i]);
};

const root = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.sqrt(value);

const MEASURES = {
  mae: absoluteError,
  mse: squaredError,
  rmse: (one: AccuracyCase) => root(squaredError(one)),
  mape: percentageError,
  smape: symmetricPercentageError,
  wape: weightedPercentageError,
  mase: scaled,
  rmsse: rootSquaredScaled,
  pinball,
} as const;

export type AccuracyMeasure = keyof typeof MEASURES;

export const ACCURACY_MEASURES = Object.keys(MEASURES) as readonly AccuracyMeasure[];

/** Why a measure may be undefined, for warnings. */
export const UNDEFINED_BECAUSE: Readonly<Record<AccuracyMeasure, string>> = {
  mae: 'the error is not finite',
  mse: 'the error is not finite',
  rmse: 'the error is not finite',
  mape: 'all actual values are 0',
  smape: 'actual values and forecasts are all 0',
  wape: 'the actual values sum to 0',
  mase: 'the history is too short for its lag, or its naive errors are all 0',
  rmsse: 'the history is too short for its lag, or its naive errors are all 0',
  pinball: 'the forecast has no quantiles',
};

/**
 * One measure, or undefined where it has no finite value.
 *
 * @example
 * accuracyOf('mae', { actual: [6, 7], mean: [5, 5], history: [1, 2], seasonality: 1, quantiles: new Map() }); // 1.5
 */
export const accuracyOf = (measure: AccuracyMeasure, one: AccuracyCase): number | undefined => {
  const value = MEASURES[measure](one);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
};
