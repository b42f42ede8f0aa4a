/**
 * TimesFM 1.0 and 2.0 for a task (v1/src/timesfm/timesfm_base.py, `forecast` and `forecast_with_covariates`).
 */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { frequencyClass } from '../timesfm/frequency.ts';
import {
  byCovariates,
  type Channels,
  forecastWithRegression,
  momentsOf,
  type Network,
  RegressionOptions,
  type Row,
  readRegressionOptions,
} from '../timesfm/regression.ts';
import { firstObserved, withoutGaps } from '../timesfm/windows.ts';
import type { Config } from './config.ts';
import { type SlideRow, slide } from './slide.ts';

const FrequencyOption = z.int().min(0).max(2);

const Options = z.object({
  ...RegressionOptions.shape,
  /** Values that the network reads; the model's own length when absent. */
  context_len: z.int().positive().optional(),
  /** Values of the series that are taken. */
  forecast_context_len: z.int().positive().optional(),
  /** 0 high, 1 medium, 2 low: of all series or of each; the series' own frequency when absent. */
  freq: z.union([FrequencyOption, z.array(FrequencyOption)]).optional(),
  normalize: z.boolean().default(false),
  /** Forecasts a moving average of so many values and what is left of the series apart. */
  window_size: z.int().positive().optional(),
  return_forecast_on_context: z.boolean().default(false),
  point_forecast_mode: z.enum(['median', 'mean']).default('median'),
  per_core_batch_size: z.int().positive().default(32),
});
type Options = z.infer<typeof Options>;

/** The mean of the last `size` values at each step, zeros before the first; and the rest. */
export const decompose = (values: Float64Array, size: number): [Float64Array, Float64Array] => {
  const smooth = values.map((_, t) => {
    let sum = 0;
    for (let k = Math.max(0, t - size + 1); k <= t; k++) sum += values[k]!;
    return sum / size;
  });
  return [smooth, values.map((value, t) => value - smooth[t]!)];
};

interface Prepared {
  readonly mean: number;
  readonly unit: number;
  /** One row, or a moving average and the rest. */
  readonly rows: readonly SlideRow[];
}

/** Infinite values count as missing. */
const finiteOrMissing = (series: ModelSeries): ModelSeries => ({
  ...series,
  targets: [Float64Array.from(series.targets[0]!, (x) => (Number.isFinite(x) ? x : Number.NaN))],
});

/** The class of each part of a series: a list has one for each series, or for each part of each. */
const frequenciesOf = (series: ModelSeries, i: number, { parts, count }: Layout, o: Options) => {
  const { freq } = o;
  if (!Array.isArray(freq)) {
    return new Array<number>(parts).fill(freq ?? frequencyClass(series.freq));
  }
  if (freq.length === count * parts) return freq.slice(i * parts, (i + 1) * parts);
  if (freq.length === count) return new Array<number>(parts).fill(freq[i]!);
  throw new TollamaError(
    'INVALID_REQUEST',
    `options.freq has ${freq.length} entries for ${count} series`,
    { hint: 'give one class for all series, or one for each' },
  );
};

interface Layout {
  /** Rows that a series is forecast in. */
  readonly parts: number;
  /** Series of the task. */
  readonly count: number;
}

/** The series from its first value on, gaps filled; zeros where every value is missing, as in the reference. */
const observedOf = (series: ModelSeries): Float64Array => {
  const [target] = series.targets;
  const isEmpty = Array.prototype.every.call(target!, Number.isNaN);
  if (isEmpty && target!.length > 0) return new Float64Array(target!.length);
  return withoutGaps(Array.prototype.slice.call(target!, firstObserved(series)));
};

const rowOf = (raw: ModelSeries): Row => {
  const series = finiteOrMissing(raw);
  const values = observedOf(series);
  return { series, values, cut: series.targets[0]!.length - values.length };
};

/** The values of a series, or what a regression left of them, as the network reads them. */
const prepare = (
  values: Float64Array,
  frequencies: readonly number[],
  o: Options,
  c: Config,
): Prepared => {
  const { mean, unit } = o.normalize ? momentsOf(values) : { mean: 0, unit: 1 };
  const taken = o.forecast_context_len ?? o.context_len ?? c.contextLength;
  const scaled = values.map((value) => (value - mean) / unit).slice(-taken);
  const parts = o.window_size === undefined ? [scaled] : decompose(scaled, o.window_size);
  const rows = parts.map((part, k) => ({ values: part, frequency: frequencies[k]! }));
  return { mean, unit, rows };
};

/** The sum of the parts' forecasts in raw units. */
const combine = (parts: readonly Float32Array[], { mean, unit }: Prepared): Float32Array =>
  parts[0]!.map((_, i) => parts.reduce((sum, part) => sum + part[i]!, 0) * unit + mean);

const channelOf = (rows: Float32Array, channel: number, c: Config): Float32Array =>
  Float32Array.from(
    { length: rows.length / c.channels },
    (_, step) => rows[step * c.channels + channel]!,
  );

/** The channel that stands for the forecast: the median, or the mean of the head. */
const pointChannel = ({ point_forecast_mode }: Options, c: Config): number =>
  point_forecast_mode === 'median' ? 1 + c.quantiles.indexOf(0.5) : 0;

const readOut = (rows: Float32Array, levels: readonly number[], o: Options, c: Config) => {
  return {
    mean: channelOf(rows, pointChannel(o, c), c),
    quantiles: quantilesWithTails(
      c.quantiles.map((_, i) => channelOf(rows, i + 1, c)),
      c.quantiles,
      levels,
    ),
  };
};

const contextOf = ({ context_len }: Options, c: Config): number => {
  const context = context_len ?? c.contextLength;
  if (context % c.inputPatch === 0) return context;
  throw new TollamaError(
    'INVALID_REQUEST',
    `options.context_len = ${context} is no multiple of the patch of ${c.inputPatch} values`,
    { hint: `use ${Math.ceil(context / c.inputPatch) * c.inputPatch}` },
  );
};

/** Forecasts of the context and the horizon, for rows of the frequencies [row][part]. */
const runNetwork = async (
  run: RunGraph,
  values: readonly Float64Array[],
  frequencies: readonly (readonly number[])[],
  { horizon, hasBackcast, o }: { horizon: number; hasBackcast: boolean; o: Options },
  c: Config,
): Promise<Channels[]> => {
  const prepared = values.map((own, i) => prepare(own, frequencies[i]!, o, c));
  const outputs = await slide(
    run,
    prepared.flatMap(({ rows }) => rows),
    { horizon, context: contextOf(o, c), hasBackcast, batch: o.per_core_batch_size },
    c,
  );
  let next = 0;
  return prepared.map((own) => {
    const whole = combine(outputs.slice(next, next + own.rows.length), own);
    next += own.rows.length;
    const start = whole.length - horizon * c.channels;
    return { forecast: whole.subarray(start), backcast: whole.subarray(0, start) };
  });
};

const answer = (
  { forecast, backcast }: Channels,
  levels: readonly number[],
  o: Options,
  c: Config,
) => ({
  targets: [readOut(forecast, levels, o, c)],
  ...(o.return_forecast_on_context && {
    explanation: { backcast: readOut(backcast, levels, o, c) },
  }),
});

/** Forecasts all series of a task; one regression for all series that have the same covariates. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const o = readRegressionOptions(Options, task, 'timesfm-1');
  const { horizon, quantiles, series } = task;
  const layout = { parts: o.window_size === undefined ? 1 : 2, count: series.length };
  const frequencies = series.map((one, i) => frequenciesOf(one, i, layout, o));
  const rows = series.map(rowOf);
  const forecasts: SeriesForecast[] = [];
  for (const [covariates, places] of byCovariates(series)) {
    const own = places.map((i) => rows[i]!);
    const classes = places.map((i) => frequencies[i]!);
    const network: Network = {
      forecast: (values, hasBackcast) =>
        runNetwork(run, values, classes, { horizon, hasBackcast, o }, c),
      channels: c.channels,
      point: pointChannel(o, c),
      inputPatch: c.inputPatch,
    };
    const hasBackcast = o.return_forecast_on_context;
    const values = own.map((row) => row.values);
    const channels = await (covariates === ''
      ? network.forecast(values, hasBackcast)
      : forecastWithRegression(network, own, horizon, o, hasBackcast));
    places.forEach((i, k) => {
      forecasts[i] = answer(channels[k]!, quantiles, o, c);
    });
  }
  return { forecasts, warnings: [] };
};
