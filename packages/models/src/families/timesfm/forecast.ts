/** TimesFM 2.5 for a task: missing values, covariates through a linear regression, and the answer. */
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { readOptions } from '../../read-options.ts';
import type { Config } from './config.ts';
import { covariateMatrix, type RegressionSeries } from './covariate-matrix.ts';
import { CHANNELS, MEDIAN } from './decode.ts';
import { type Channels, Flags, forecastRows } from './flags.ts';
import { leastSquares, predict } from './least-squares.ts';
import { firstObserved, withoutGaps } from './windows.ts';

const Options = Flags.extend({
  /** Which comes first: the regression on the covariates, or the network. */
  xreg_mode: z.enum(['xreg + timesfm', 'timesfm + xreg']).default('xreg + timesfm'),
  ridge: z.number().min(0).default(0),
  normalize_xreg_target_per_input: z.boolean().default(true),
  /** What stands for the forecast: the median, as in the reference, or the mean of the head. */
  point_forecast_mode: z.enum(['median', 'mean']).default('median'),
});
type Options = z.infer<typeof Options>;

/** A series without its missing start, its gaps filled. */
interface Row {
  readonly series: ModelSeries;
  readonly values: Float64Array;
  /** How many steps were cut off. */
  readonly cut: number;
}

const rowOf = (series: ModelSeries): Row => {
  const cut = firstObserved(series);
  const values = withoutGaps(Array.prototype.slice.call(series.targets[0]!, cut));
  return { series, values, cut };
};

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** One channel of [steps, channels]. */
const channelOf = (rows: ArrayLike<number>, channel: number): Float32Array =>
  Float32Array.from(
    { length: rows.length / CHANNELS },
    (_, step) => rows[step * CHANNELS + channel]!,
  );

const readOut = (rows: ArrayLike<number>, levels: readonly number[], o: Options) => ({
  mean: channelOf(rows, o.point_forecast_mode === 'median' ? MEDIAN : 0),
  quantiles: quantilesWithTails(
    DECILES.map((_, i) => channelOf(rows, i + 1)),
    DECILES,
    levels,
  ),
});

const answer = ({ forecast, backcast }: Channels, task: Task, o: Options): SeriesForecast => ({
  targets: [readOut(forecast, task.quantiles, o)],
  ...(o.return_backcast && { explanation: { backcast: readOut(backcast, task.quantiles, o) } }),
});

// ---- covariates ----------------------------------------------------------------------------------

/** Standard deviations up to this count as none. */
const TINY = 1e-6;

/** Mean and population standard deviation, or 0 and 1 where targets stay as they are. */
const momentsOf = (values: Float64Array, o: Options) => {
  if (!o.normalize_xreg_target_per_input || values.length === 0) return { mean: 0, unit: 1 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(square / values.length);
  return { mean, unit: deviation > TINY ? deviation : 1 };
};

/** What the regression gives of one series. */
interface Fit {
  /** What the targets were shifted and divided by. */
  readonly mean: number;
  readonly unit: number;
  /** In these units: the targets, and the fit of the context and of the horizon. */
  readonly targets: Float64Array;
  readonly context: Float64Array;
  readonly horizon: Float64Array;
}

/** One regression for all series. targets: the values of the steps from `from[i]` on */
const fitTogether = (
  rows: readonly Row[],
  targets: readonly Float64Array[],
  horizon: number,
  o: Options,
): Fit[] => {
  const moments = targets.map((values) => momentsOf(values, o));
  const scaled = targets.map((values, i) =>
    values.map((value) => (value - moments[i]!.mean) / moments[i]!.unit),
  );
  const regression = rows.map(({ series, values, cut }, i): RegressionSeries => {
    const until = cut + values.length;
    return { series, from: until - targets[i]!.length, until };
  });
  const matrix = covariateMatrix(regression, horizon, o.ridge === 0);
  const fitted = matrix.flatMap((own, i) => own.slice(0, targets[i]!.length));
  const solution = leastSquares(fitted, Float64Array.from(scaled.flatMap((x) => [...x])), o.ridge);
  return matrix.map((own, i) => ({
    ...moments[i]!,
    targets: scaled[i]!,
    context: predict(own.slice(0, targets[i]!.length), solution),
    horizon: predict(own.slice(targets[i]!.length), solution),
  }));
};

/** Every channel of step t times `unit`, plus `shift(t)`. */
const moved = (rows: Float32Array, unit: number, shift: (step: number) => number): Float32Array =>
  rows.map((value, i) => value * unit + shift(Math.floor(i / CHANNELS)));

/** The regression explains the series, the network forecasts what is left. */
const regressThenForecast = async (
  run: RunGraph,
  rows: readonly Row[],
  horizon: number,
  o: Options,
  c: Config,
): Promise<Channels[]> => {
  const fits = fitTogether(
    rows,
    rows.map(({ values }) => values),
    horizon,
    o,
  );
  const rests = fits.map(({ targets, context }) => targets.map((value, t) => value - context[t]!));
  const forecasts = await forecastRows(run, rests, horizon, o, c);
  return forecasts.map(({ forecast, backcast }, i) => {
    const { mean, unit, context, horizon: ahead } = fits[i]!;
    const start = context.length - backcast.length / CHANNELS;
    return {
      forecast: moved(forecast, unit, (step) => ahead[step]! * unit + mean),
      backcast: moved(backcast, unit, (step) => (context[start + step] ?? 0) * unit + mean),
    };
  });
};

/** The network forecasts the series, the regression explains its errors on the context. */
const forecastThenRegress = async (
  run: RunGraph,
  rows: readonly Row[],
  horizon: number,
  o: Options,
  c: Config,
): Promise<Channels[]> => {
  const flags = { ...o, return_backcast: true };
  const values = rows.map((row) => row.values);
  const forecasts = await forecastRows(run, values, horizon, flags, c);
  const errors = forecasts.map(({ backcast }, i) => {
    const own = values[i]!;
    const known = channelOf(backcast, MEDIAN);
    // Nothing is forecast for the first patch.
    const length = Math.min(Math.max(0, own.length - c.inputPatch), known.length);
    return Float64Array.from(
      { length },
      (_, t) => own[own.length - length + t]! - known[known.length - length + t]!,
    );
  });
  const fits = fitTogether(rows, errors, horizon, o);
  return forecasts.map(({ forecast, backcast }, i) => {
    const { mean, unit, horizon: ahead } = fits[i]!;
    return { forecast: moved(forecast, 1, (step) => ahead[step]! * unit + mean), backcast };
  });
};

// ---- the task ------------------------------------------------------------------------------------

/** Series whose covariates have the same names share a regression; '' has none. */
const covariatesOf = ({ futureCovariates = {}, staticCovariates = {} }: ModelSeries): string => {
  const names = [Object.keys(futureCovariates).sort(), Object.keys(staticCovariates).sort()];
  return names.flat().length > 0 ? JSON.stringify(names) : '';
};

const byCovariates = (series: readonly ModelSeries[]): ReadonlyMap<string, readonly number[]> => {
  const groups = new Map<string, number[]>();
  series.forEach((one, i) => {
    const key = covariatesOf(one);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return groups;
};

/** The request's own place for the regression, parameters.timesfm; options say more. */
const Parameters = z.object({
  parameters: z.object({ timesfm: z.record(z.string(), z.unknown()).nullish() }).optional(),
});

const optionsOf = (task: Task): Options => {
  const { parameters } = readOptions(Parameters, task, 'timesfm');
  // By name, so that options which nobody knows stay unread (and are told).
  const asked = Object.keys(Options.shape)
    .map((name) => [name, task.options[name]] as const)
    .filter(([, value]) => value !== undefined);
  const options = { ...parameters?.timesfm, ...Object.fromEntries(asked) };
  return readOptions(Options, { ...task, options }, 'timesfm');
};

const NO_WINDOWS = 'window_size has no effect on TimesFM 2.5, as in the reference';

/** Forecasts all series; one regression for all series that have the same covariates. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const o = optionsOf(task);
  const rows = task.series.map(rowOf);
  const forecasts: SeriesForecast[] = [];
  for (const [covariates, places] of byCovariates(task.series)) {
    const own = places.map((i) => rows[i]!);
    const channels =
      covariates === ''
        ? await forecastRows(
            run,
            own.map(({ values }) => values),
            task.horizon,
            o,
            c,
          )
        : o.xreg_mode === 'xreg + timesfm'
          ? await regressThenForecast(run, own, task.horizon, o, c)
          : await forecastThenRegress(run, own, task.horizon, o, c);
    places.forEach((i, k) => {
      forecasts[i] = answer(channels[k]!, task, o);
    });
  }
  return { forecasts, warnings: o.window_size > 0 ? [NO_WINDOWS] : [] };
};
