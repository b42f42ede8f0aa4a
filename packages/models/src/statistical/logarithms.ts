/**
 * A model of the logarithms, for series that grow by rates: steps, seasons and errors are then shares of the
 * level. The mean of the forecast is that of the logarithms, carried back: the median of the series.
 */
import { type History, type StatisticalModel, toHistory } from './history.ts';

/** Largest value over smallest from which a level counts as changing by rates. */
const LEAST_RANGE = 2;
/** Forecasts stay below this many times the largest value seen. */
const MOST_GROWTH = 1000;

/** Whether all values are above 0 and spread widely. */
export const isMultiplicative = ({ values, zero }: History): boolean => {
  let lowest = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const value of values) {
    lowest = Math.min(lowest, value - zero);
    largest = Math.max(largest, value - zero);
  }
  return lowest > 1e-6 * largest && largest > LEAST_RANGE * lowest && largest < 1e6;
};

/** The model on logarithms; the history must be above 0 throughout. */
export const ofLogarithms =
  (model: StatisticalModel): StatisticalModel =>
  (history, horizon) => {
    const { values, zero, seasons } = history;
    const logs = values.map((value) => Math.log(value - zero));
    const inner = toHistory(logs, seasons);
    const most = Math.log(MOST_GROWTH) + logs.reduce((a, b) => Math.max(a, b));
    const back = (path: Float64Array): Float64Array =>
      path.map((value) => Math.exp(Math.min(most, value * inner.scale + inner.shift)) + zero);
    const { mean, quantile, explanation } = model(inner, horizon);
    return {
      mean: back(mean),
      quantile: (level) => back(quantile(level)),
      explanation: { ...explanation, logarithms: true },
    };
  };
