/** How good the forecasts of windows were. */
import { type AccuracyCase, accuracyOf } from '@tollama/core/accuracy';
import { z } from 'zod';
import type { WindowForecast } from './forecast-windows.ts';

/** Levels that a backtest asks for. */
export const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

const Score = z.number().nullable();

/** Null where a score has no finite value. */
export const Scores = z.object({
  mae: Score,
  rmse: Score,
  mase: Score.describe('errors against those of the seasonal naive forecast within the history'),
  wql: Score.describe('weighted quantile loss: 2 x quantile loss / sum of absolute values'),
  coverage_80: Score.describe('share of values between the 0.1 and 0.9 quantiles; 0.8 is right'),
});
export type Scores = z.infer<typeof Scores>;

/** A window without its missing steps. */
const caseOf = ({ window, mean, quantiles }: WindowForecast): AccuracyCase => {
  const steps = window.actual.flatMap((value, h) => (Number.isNaN(value) ? [] : [h]));
  const at = (values: readonly number[]): number[] => steps.map((h) => values[h]!);
  const seasonality = window.season < window.past.length ? window.season : 1;
  return {
    actual: at(window.actual),
    mean: at(mean),
    history: window.past,
    seasonality,
    quantiles: new Map([...quantiles].map(([level, path]) => [level, at(path)])),
  };
};

/** The mean of the values that there are; each counts as often as its weight says. */
const weightedMean = (
  values: readonly (number | undefined)[],
  weights: readonly number[],
): number | null => {
  let [sum, total] = [0, 0];
  values.forEach((value, i) => {
    if (value === undefined || !Number.isFinite(value)) return;
    sum += value * weights[i]!;
    total += weights[i]!;
  });
  return total > 0 ? sum / total : null;
};

const quantileLoss = (cases: readonly AccuracyCase[]): number | null => {
  let [loss, size] = [0, 0];
  for (const one of cases) {
    const pinball = accuracyOf('pinball', one);
    if (pinball === undefined) continue;
    loss += 2 * pinball * one.actual.length;
    size += Array.from(one.actual).reduce((sum, value) => sum + Math.abs(value), 0);
  }
  return size > 0 ? loss / size : null;
};

const coverage = (cases: readonly AccuracyCase[], low: number, high: number): number | null => {
  let [inside, count] = [0, 0];
  for (const { actual, quantiles } of cases) {
    const [below, above] = [quantiles.get(low), quantiles.get(high)];
    if (!below || !above) continue;
    for (let h = 0; h < actual.length; h++) {
      count++;
      if (actual[h]! >= below[h]! && actual[h]! <= above[h]!) inside++;
    }
  }
  return count > 0 ? inside / count : null;
};

/** Scores over windows; mase is the mean of theirs, all others weigh every step alike. */
export const scoresOf = (forecasts: readonly WindowForecast[]): Scores => {
  const cases = forecasts.map(caseOf).filter(({ actual }) => actual.length > 0);
  const steps = cases.map(({ actual }) => actual.length);
  const over = (measure: 'mae' | 'mse'): number | null =>
    weightedMean(
      cases.map((one) => accuracyOf(measure, one)),
      steps,
    );
  const mse = over('mse');
  return {
    mae: over('mae'),
    rmse: mse === null ? null : Math.sqrt(mse),
    mase: weightedMean(
      cases.map((one) => accuracyOf('mase', one)),
      cases.map(() => 1),
    ),
    wql: quantileLoss(cases),
    coverage_80: coverage(cases, 0.1, 0.9),
  };
};
