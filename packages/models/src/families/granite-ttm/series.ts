/**
 * From series to windows and back as the reference's forecasting pipeline does it: an external scaler
 * for each series and column, the last window of it, zeros in front of what is too short.
 */
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { readOptions } from '../../read-options.ts';
import { channelsOf } from './channels.ts';
import {
  futureChannels,
  isMultivariate,
  predictedChannels,
  quantileLevels,
  stepsOf,
  type TtmConfig,
} from './config.ts';
import { frequencyToken } from './frequency.ts';
import { IMPUTE_METHODS, imputed } from './impute-window.ts';
import { rangeOf, restored, type Standard, standardOf, UNSCALED } from './standard-scaler.ts';
import { rollOut, type TtmForecast, type TtmWindow } from './windows.ts';

const Options = z.object({
  /** Standardise each series over all its points before the model scales its context. */
  scaling: z.boolean().default(true),
  /** How `scaling` does it: to mean 0 and deviation 1, or to the range from 0 to 1. */
  scaler_type: z.enum(['standard', 'minmax']).default('standard'),
  /** What stands for missing values; the model's own scaler leaves these steps out either way. */
  impute_method: z.enum(IMPUTE_METHODS).default('fill'),
  /** Token of the sampling frequency, in place of the one that the series' freq stands for. */
  freq_token: z.int().min(0).optional(),
});
type Options = z.infer<typeof Options>;

// ---- windows ----------------------------------------------------------------------------------------

/** The last `length` points, standardised; zeros that count as observed in front of fewer. */
export const lastWindow = (
  row: ArrayLike<number>,
  length: number,
  { mean, deviation }: Standard,
): Float32Array => {
  const window = new Float32Array(length);
  const from = Math.max(0, row.length - length);
  const at = Math.max(0, length - row.length);
  for (let i = from; i < row.length; i++) window[at + i - from] = (row[i]! - mean) / deviation;
  return window;
};

/** Steps of a known future, standardised; 0 where one is missing, as the reference fills them. */
const knownFuture = (
  row: ArrayLike<number>,
  horizon: number,
  { mean, deviation }: Standard,
): Float32Array =>
  Float32Array.from({ length: horizon }, (_, t) => {
    const value = row[t]!;
    return Number.isNaN(value) ? 0 : (value - mean) / deviation;
  });

interface Prepared {
  readonly window: TtmWindow;
  /** Scalers of the predicted channels. */
  readonly scalers: readonly Standard[];
}

const scalerOf = (row: ArrayLike<number>, { scaling, scaler_type }: Options): Standard => {
  if (!scaling) return UNSCALED;
  return scaler_type === 'minmax' ? rangeOf(row) : standardOf(row);
};

const prepare = (series: ModelSeries, task: Task, c: TtmConfig, options: Options): Prepared => {
  const { past, future } = channelsOf(series, c, task.horizon);
  const all = past.map((row) => scalerOf(row, options));
  const known = futureChannels(c);
  const rows = past.map((row, i) => lastWindow(row, c.context_length, all[i]!));
  const window = {
    values: rows.map((row) => imputed(row, options.impute_method)),
    observed: rows.map((row) => Uint8Array.from(row, (value) => (Number.isNaN(value) ? 0 : 1))),
    future: future.map((row, i) => knownFuture(row, task.horizon, all[known[i]!]!)),
    frequency: options.freq_token ?? frequencyToken(series.freq ?? 'oov'),
    categories: Object.values(series.staticCovariates ?? {}).map(Number),
  };
  const scalers = isMultivariate(c) ? predictedChannels(c).map((i) => all[i]!) : all;
  return { window, scalers };
};

const finish = (
  forecast: TtmForecast,
  scalers: readonly Standard[],
  levels: readonly number[],
  asked: readonly number[],
): SeriesForecast => ({
  targets: forecast.point.map((point, i) => {
    const rows = levels.length > 0 ? quantilesWithTails(forecast.quantiles[i]!, levels, asked) : [];
    return {
      mean: restored(point, scalers[i]!),
      quantiles: rows.map((row) => restored(row, scalers[i]!)),
    };
  }),
});

// ---- what the user should know --------------------------------------------------------------------

const MOST_NAMED = 3;

const listed = (values: readonly unknown[]): string => {
  const more = values.length - MOST_NAMED;
  const named = values.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
};

const warningsOf = (task: Task, c: TtmConfig, options: Options): string[] => {
  const warnings: string[] = [];
  const levels = quantileLevels(c);
  const beyond = task.quantiles.filter((level) => level < levels[0]! || level > levels.at(-1)!);
  if (levels.length === 0 && task.quantiles.length > 0) {
    warnings.push('this checkpoint gives point forecasts only: no quantiles');
  } else if (beyond.length > 0) {
    warnings.push(
      `quantiles ${listed(beyond)} lie beyond the levels ${levels[0]} to ${levels.at(-1)} of this checkpoint: they are extrapolated`,
    );
  }
  if (levels.length > 0 && task.quantiles.length > 0 && task.horizon > stepsOf(c)) {
    warnings.push(
      `quantiles beyond step ${stepsOf(c)} take the point forecasts before them for certain: they are too narrow`,
    );
  }
  const short = task.series.filter(({ targets }) => targets[0]!.length < c.context_length);
  if (short.length > 0) {
    warnings.push(
      `series ${listed(short.map(({ id }) => id))} have fewer points than the context of ${c.context_length}: zeros stand in front; a checkpoint with a shorter context may do better`,
    );
  }
  const unknown = task.series.filter(({ freq }) => frequencyToken(freq ?? 'oov') === 0);
  if (c.resolution_prefix_tuning && options.freq_token === undefined && unknown.length > 0) {
    warnings.push(
      `series ${listed(unknown.map(({ id }) => id))} have no frequency that this checkpoint knows: the token of unknown ones is used`,
    );
  }
  return warnings;
};

/** Forecasts of a task: see docs/models/granite-ttm.md for its options. */
export const forecastSeries = async (run: RunGraph, c: TtmConfig, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'granite-ttm');
  const prepared = task.series.map((series) => prepare(series, task, c, options));
  const windows = prepared.map(({ window }) => window);
  const forecasts = await rollOut(run, c, windows, task.horizon);
  const levels = quantileLevels(c);
  return {
    forecasts: forecasts.map((forecast, i) =>
      finish(forecast, prepared[i]!.scalers, levels, task.quantiles),
    ),
    warnings: warningsOf(task, c, options),
  };
};
