/**
 * Conformal calibration (Romano, Patterson and Candes 2019, per level): each quantile is moved by the same
 * quantile of how far past outcomes were from it, by step of the horizon, in units of the series' scale.
 */
import { TollamaError } from '@tollama/core/errors';
import type { SeriesForecast } from '../backend/backend.ts';
import { sortLevels } from '../combination/average.ts';

export interface CalibrationCase {
  /** [horizon], NaN where missing. */
  readonly actual: ArrayLike<number>;
  readonly forecast: SeriesForecast;
  /** Size of the series' usual errors; 1 when absent. */
  readonly scale?: number;
}

export interface Conformal {
  readonly levels: readonly number[];
  /** [levels][horizon], in units of the scale. */
  readonly offsets: readonly (readonly number[])[];
  /** Outcomes that each step was calibrated by. */
  readonly counts: readonly number[];
}

/** Past outcomes that a step needs for itself; with fewer, it shares those of the steps beside it. */
const LEAST = 10;

/** The value at rank ceil((n + 1) q) from below, as finite samples need it; clipped to the extremes. */
const conformalQuantile = (sorted: readonly number[], level: number): number => {
  const rank =
    level >= 0.5 ? Math.ceil((sorted.length + 1) * level) : Math.floor((sorted.length + 1) * level);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1]!;
};

/** Scores of steps around h, widened until there are enough. */
const pooled = (byStep: readonly (readonly number[])[], h: number): number[] => {
  for (let reach = 0; reach < byStep.length; reach++) {
    const scores = byStep.slice(Math.max(0, h - reach), h + reach + 1).flat();
    if (scores.length >= LEAST) return scores.sort((a, b) => a - b);
  }
  return byStep.flat().sort((a, b) => a - b);
};

/**
 * @throws TollamaError INVALID_REQUEST without a known outcome
 */
export const fitConformal = (
  cases: readonly CalibrationCase[],
  levels: readonly number[],
): Conformal => {
  const horizon = cases[0]?.forecast.mean.length ?? 0;
  const scoresOf = (l: number): number[][] =>
    Array.from({ length: horizon }, (_, h) =>
      cases.flatMap(({ actual, forecast, scale = 1 }) => {
        const value = actual[h]!;
        const path = forecast.quantiles[l] ?? forecast.mean;
        return Number.isFinite(value) && scale > 0 ? [(value - path[h]!) / scale] : [];
      }),
    );
  const first = scoresOf(0);
  if (first.every((scores) => scores.length === 0)) {
    throw new TollamaError(
      'INVALID_REQUEST',
      'no past forecast has a known outcome to calibrate by',
      {
        hint: 'give at least one window of the history',
      },
    );
  }
  return {
    levels,
    counts: first.map(({ length }) => length),
    offsets: levels.map((level, l) => {
      const byStep = scoresOf(l);
      return byStep.map((_, h) => conformalQuantile(pooled(byStep, h), level));
    }),
  };
};

/** Moves the quantiles of a forecast; the mean stays. Steps beyond those calibrated take the last one's. */
export const applyConformal = (
  { levels, offsets }: Conformal,
  forecast: SeriesForecast,
  scale = 1,
): SeriesForecast => ({
  ...forecast,
  quantiles: sortLevels(
    levels.map((_, l) => {
      const path = forecast.quantiles[l] ?? forecast.mean;
      const own = offsets[l]!;
      return path.map((value, h) => value + scale * own[Math.min(h, own.length - 1)]!);
    }),
  ),
});

/** Mean |step| of a history over a lag: the scale that errors are measured in; 1 where there is none. */
export const errorScale = (history: ArrayLike<number>, lag = 1): number => {
  let sum = 0;
  let count = 0;
  for (let i = lag; i < history.length; i++) {
    const step = Math.abs(history[i]! - history[i - lag]!);
    if (!Number.isFinite(step)) continue;
    sum += step;
    count++;
  }
  return count > 0 && sum > 0 ? sum / count : 1;
};
