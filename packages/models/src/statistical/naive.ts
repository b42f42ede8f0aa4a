/**
 * The benchmarks: repeat the last value, the last season, or the average step. Intervals as their random
 * walks have them (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., section 5.5).
 */
import { type History, normalPrediction, type Prediction } from './history.ts';
import { normalQuantile } from './normal.ts';

/** Root mean square of values[t] - values[t - lag], from the drift where one was fitted. */
const stepDeviation = (values: Float64Array, lag: number, drift?: number): number => {
  let sum = 0;
  for (let i = lag; i < values.length; i++) {
    sum += (values[i]! - values[i - lag]! - (drift ?? 0)) ** 2;
  }
  const used = drift === undefined ? 0 : 1;
  return Math.sqrt(sum / Math.max(1, values.length - lag - used));
};

/** Repeats the last value; deviation grows with the root of the step. */
export const naive = ({ values }: History, horizon: number): Prediction => {
  const sigma = stepDeviation(values, 1);
  const mean = new Float64Array(horizon).fill(values[values.length - 1]!);
  const deviations = mean.map((_, h) => sigma * Math.sqrt(h + 1));
  const prediction = normalPrediction(mean, deviations, { step_deviation: sigma }, normalQuantile);
  return { ...prediction, repeated: new Array<number>(horizon).fill(values.length - 1) };
};

/** Repeats the last season; deviation grows with the root of the number of seasons. */
export const seasonalNaive = (history: History, horizon: number): Prediction => {
  const { values } = history;
  const season = history.seasons.find((length) => length < values.length) ?? 1;
  const sigma = stepDeviation(values, season);
  const mean = new Float64Array(horizon);
  const repeated = Array.from({ length: horizon }, (_, h) => values.length - season + (h % season));
  for (let h = 0; h < horizon; h++) mean[h] = values[repeated[h]!]!;
  const deviations = mean.map((_, h) => sigma * Math.sqrt(Math.floor(h / season) + 1));
  return { ...normalPrediction(mean, deviations, { season }, normalQuantile), repeated };
};

/** Carries the average step of the history on. */
export const drift = ({ values }: History, horizon: number): Prediction => {
  const n = values.length;
  const last = values[n - 1]!;
  const slope = n > 1 ? (last - values[0]!) / (n - 1) : 0;
  const sigma = stepDeviation(values, 1, slope);
  const mean = new Float64Array(horizon).map((_, h) => last + slope * (h + 1));
  const deviations = mean.map(
    (_, h) => sigma * Math.sqrt((h + 1) * (1 + (h + 1) / Math.max(1, n - 1))),
  );
  return normalPrediction(mean, deviations, { slope, step_deviation: sigma }, normalQuantile);
};
