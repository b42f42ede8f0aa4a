/**
 * From series to windows and back as the reference's forecasting pipeline does it: an external scaler
 * for each series and column, the last window of it, zeros in front of what is too short.
 */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type {
  Covariate,
  ModelSeries,
  Outcome,
  RunGraph,
  SeriesForecast,
  Task,
} from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { readOptions } from '../../read-options.ts';
import {
  isMultivariate,
  predictedChannels,
  quantileLevels,
  stepsOf,
  type TtmConfig,
} from './config.ts';
import { frequencyToken } from './frequency.ts';
import { futureChannels, rollOut, type TtmForecast, type TtmWindow } from './windows.ts';

const Options = z.object({
  /** Standardise each series over all its points before the model scales its context. */
  scaling: z.boolean().default(true),
  /** Token of the sampling frequency, in place of the one that the series' freq stands for. */
  freq_token: z.int().min(0).optional(),
});
type Options = z.infer<typeof Options>;

// ---- the external scaler --------------------------------------------------------------------------

interface Standard {
  readonly mean: number;
  readonly deviation: number;
}

const UNSCALED: Standard = { mean: 0, deviation: 1 };

/** A variance that rounding alone explains counts as none: scikit-learn's bound for constant columns. */
const isConstant = (variance: number, mean: number, count: number): boolean =>
  variance <= count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;

/** Mean and population standard deviation of what is not missing; deviation 1 where there is none. */
const standardOf = (values: ArrayLike<number>): Standard => {
  let count = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    count++;
    total += value;
  }
  if (count === 0) return UNSCALED;
  const mean = total / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) squares += (value - mean) ** 2;
  }
  const variance = squares / count;
  if (isConstant(variance, mean, count)) return { mean, deviation: 1 };
  return { mean, deviation: Math.sqrt(variance) };
};

// ---- channels ---------------------------------------------------------------------------------------

const numbersOf = (name: string, values: Covariate, id: string): ArrayLike<number> => {
  if (typeof values[0] === 'string') {
    throw new TollamaError('INVALID_INPUT', `covariate '${name}' of series '${id}' holds words`, {
      hint: 'granite-ttm reads numeric covariates only',
    });
  }
  return values as ArrayLike<number>;
};

interface Channels {
  /** In the checkpoint's order. */
  readonly past: readonly ArrayLike<number>[];
  /** Of the channels whose future the model reads. */
  readonly future: readonly ArrayLike<number>[];
}

const wrongChannels = (series: ModelSeries, c: TtmConfig): TollamaError => {
  const predicted = predictedChannels(c).length;
  const future = futureChannels(c).length;
  const past = c.num_input_channels - predicted - future;
  const got = `${series.targets.length} targets, past covariates [${Object.keys(series.pastCovariates ?? {})}], future covariates [${Object.keys(series.futureCovariates ?? {})}]`;
  return new TollamaError('INVALID_REQUEST', `series '${series.id}' has ${got}`, {
    hint: `this checkpoint was trained on ${predicted} targets, ${past} past and ${future} future covariates; give them in its order`,
  });
};

/**
 * Targets are the predicted channels in order, future covariates the exogenous ones, the other past
 * covariates what is left; covariates in the order of their names in the request.
 */
const channelsOf = (series: ModelSeries, c: TtmConfig): Channels => {
  if (!isMultivariate(c)) return { past: series.targets, future: [] };
  const { pastCovariates = {}, futureCovariates = {} } = series;
  const predicted = predictedChannels(c);
  const exogenous = futureChannels(c);
  const futureNames = exogenous.length > 0 ? Object.keys(futureCovariates) : [];
  const pastNames = Object.keys(pastCovariates).filter((name) => !futureNames.includes(name));
  const others = Array.from({ length: c.num_input_channels }, (_, i) => i).filter(
    (i) => !predicted.includes(i) && !exogenous.includes(i),
  );
  if (
    series.targets.length !== predicted.length ||
    futureNames.length !== exogenous.length ||
    pastNames.length !== others.length ||
    futureNames.some((name) => !(name in pastCovariates))
  ) {
    throw wrongChannels(series, c);
  }
  const pastOf = (name: string) => numbersOf(name, pastCovariates[name]!, series.id);
  const past = Array.from({ length: c.num_input_channels }, (_, i) => {
    const target = predicted.indexOf(i);
    if (target >= 0) return series.targets[target]!;
    const known = exogenous.indexOf(i);
    return pastOf(known >= 0 ? futureNames[known]! : pastNames[others.indexOf(i)]!);
  });
  const future = futureNames.map((name) => numbersOf(name, futureCovariates[name]!, series.id));
  return { past, future };
};

// ---- windows ----------------------------------------------------------------------------------------

/** The last `length` points, standardised; zeros that count as observed in front of fewer. */
const lastWindow = (
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

/** The first steps of a known future, standardised; 0 where it is missing. */
const knownFuture = (
  row: ArrayLike<number>,
  horizon: number,
  { mean, deviation }: Standard,
): Float32Array =>
  Float32Array.from({ length: Math.min(row.length, horizon) }, (_, t) => {
    const value = row[t]!;
    return Number.isNaN(value) ? 0 : (value - mean) / deviation;
  });

interface Prepared {
  readonly window: TtmWindow;
  /** Scalers of the predicted channels. */
  readonly scalers: readonly Standard[];
}

const prepare = (series: ModelSeries, task: Task, c: TtmConfig, options: Options): Prepared => {
  const { past, future } = channelsOf(series, c);
  const all = past.map((row) => (options.scaling ? standardOf(row) : UNSCALED));
  const known = futureChannels(c);
  const window = {
    values: past.map((row, i) => lastWindow(row, c.context_length, all[i]!)),
    future: future.map((row, i) => knownFuture(row, task.horizon, all[known[i]!]!)),
    frequency: options.freq_token ?? frequencyToken(series.freq ?? 'oov'),
    categories: Object.values(series.staticCovariates ?? {}).map(Number),
  };
  const scalers = isMultivariate(c) ? predictedChannels(c).map((i) => all[i]!) : all;
  return { window, scalers };
};

const restored = (values: ArrayLike<number>, { mean, deviation }: Standard): Float64Array =>
  Float64Array.from(values, (value) => value * deviation + mean);

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

const listed = (values: readonly unknown[]): string => values.join(', ');

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
