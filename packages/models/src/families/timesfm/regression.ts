/**
 * A linear regression on covariates beside the network (`forecast_with_covariates` and utils/xreg_lib.py of all
 * generations of TimesFM): one of the two explains the series, the other what the first leaves.
 */
import { z } from 'zod';
import type { ModelSeries, Task } from '../../family.ts';
import { readOptions } from '../../read-options.ts';
import { covariateMatrix, type RegressionSeries } from './covariate-matrix.ts';
import { leastSquares, predict } from './least-squares.ts';

export const RegressionOptions = z.object({
  /** Which comes first: the regression on the covariates, or the network. */
  xreg_mode: z.enum(['xreg + timesfm', 'timesfm + xreg']).default('xreg + timesfm'),
  ridge: z.number().min(0).default(0),
  normalize_xreg_target_per_input: z.boolean().default(true),
});
export type RegressionOptions = z.infer<typeof RegressionOptions>;

/** A series without its missing start, its gaps filled. */
export interface Row {
  readonly series: ModelSeries;
  readonly values: Float64Array;
  /** How many steps were cut off. */
  readonly cut: number;
}

/** A forecast in raw units: [steps, channels], flat. */
export interface Channels {
  readonly forecast: Float32Array;
  /** What was forecast for all but the first patch of the context, oldest first. */
  readonly backcast: Float32Array;
}

/** The network beside the regression, and how its outputs are read. */
export interface Network {
  /** Forecasts the rows; the backcast may be empty where it is not asked for. */
  readonly forecast: (
    rows: readonly Float64Array[],
    hasBackcast: boolean,
  ) => Promise<readonly Channels[]>;
  readonly channels: number;
  /** The channel that stands for the forecast. */
  readonly point: number;
  /** Values of the first patch, for which nothing is forecast. */
  readonly inputPatch: number;
}

/** Standard deviations up to this count as none. */
const TINY = 1e-6;

/** Mean and population standard deviation, 1 where there is none; 0 and 1 of no values. */
export const momentsOf = (values: Float64Array) => {
  if (values.length === 0) return { mean: 0, unit: 1 };
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

/** One regression for all series. targets: the values of the last steps of each context */
const fitTogether = (
  rows: readonly Row[],
  targets: readonly Float64Array[],
  horizon: number,
  o: RegressionOptions,
): Fit[] => {
  const moments = targets.map((values) =>
    o.normalize_xreg_target_per_input ? momentsOf(values) : { mean: 0, unit: 1 },
  );
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
const moved = (
  rows: Float32Array,
  channels: number,
  unit: number,
  shift: (step: number) => number,
): Float32Array => rows.map((value, i) => value * unit + shift(Math.floor(i / channels)));

/** The regression explains the series, the network forecasts what is left. */
const regressThenForecast = async (
  { forecast, channels }: Network,
  rows: readonly Row[],
  horizon: number,
  o: RegressionOptions,
  hasBackcast: boolean,
): Promise<Channels[]> => {
  const contexts = rows.map(({ values }) => values);
  const fits = fitTogether(rows, contexts, horizon, o);
  const rests = fits.map(({ targets, context }) => targets.map((value, t) => value - context[t]!));
  const forecasts = await forecast(rests, hasBackcast);
  return forecasts.map((own, i) => {
    const { mean, unit, context, horizon: ahead } = fits[i]!;
    const start = context.length - own.backcast.length / channels;
    const past = (step: number): number => (context[start + step] ?? 0) * unit + mean;
    return {
      forecast: moved(own.forecast, channels, unit, (step) => ahead[step]! * unit + mean),
      backcast: moved(own.backcast, channels, unit, past),
    };
  });
};

/** The network's errors on the context of a series, whose first patch it does not forecast. */
const errorsOf = (
  values: Float64Array,
  backcast: Float32Array,
  { channels, point, inputPatch }: Network,
): Float64Array => {
  const known = backcast.length / channels;
  const length = Math.min(Math.max(0, values.length - inputPatch), known);
  const forecastAt = (t: number): number => backcast[(known - length + t) * channels + point]!;
  return Float64Array.from(
    { length },
    (_, t) => values[values.length - length + t]! - forecastAt(t),
  );
};

/** The network forecasts the series, the regression explains its errors on the context. */
const forecastThenRegress = async (
  network: Network,
  rows: readonly Row[],
  horizon: number,
  o: RegressionOptions,
): Promise<Channels[]> => {
  const values = rows.map((row) => row.values);
  const forecasts = await network.forecast(values, true);
  const errors = forecasts.map(({ backcast }, i) => errorsOf(values[i]!, backcast, network));
  const fits = fitTogether(rows, errors, horizon, o);
  return forecasts.map(({ forecast, backcast }, i) => {
    const { mean, unit, horizon: ahead } = fits[i]!;
    const shift = (step: number): number => ahead[step]! * unit + mean;
    return { forecast: moved(forecast, network.channels, 1, shift), backcast };
  });
};

/**
 * Forecasts series that have the same covariates, with one regression for all of them.
 *
 * @param rows at least one
 */
export const forecastWithRegression = (
  network: Network,
  rows: readonly Row[],
  horizon: number,
  o: RegressionOptions,
  hasBackcast: boolean,
): Promise<Channels[]> =>
  o.xreg_mode === 'xreg + timesfm'
    ? regressThenForecast(network, rows, horizon, o, hasBackcast)
    : forecastThenRegress(network, rows, horizon, o);

/** Equal for series whose covariates have the same names; '' has none. */
const covariatesOf = ({ futureCovariates = {}, staticCovariates = {} }: ModelSeries): string => {
  const names = [Object.keys(futureCovariates).sort(), Object.keys(staticCovariates).sort()];
  return names.flat().length > 0 ? JSON.stringify(names) : '';
};

/** Places of the series by their covariates' names; those under '' have none. */
export const byCovariates = (
  series: readonly ModelSeries[],
): ReadonlyMap<string, readonly number[]> => {
  const groups = new Map<string, number[]>();
  series.forEach((one, i) => {
    const key = covariatesOf(one);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return groups;
};

/** The request's own place for the regression, parameters.timesfm. */
const Parameters = z.object({
  parameters: z.object({ timesfm: z.record(z.string(), z.unknown()).nullish() }).optional(),
});

/**
 * Options of a family with a regression: those of the request, then what `parameters.timesfm` says of the regression.
 *
 * @throws TollamaError INVALID_REQUEST with the option's name and value
 */
export const readRegressionOptions = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  task: Task,
  family: string,
): z.infer<z.ZodObject<Shape>> => {
  const { parameters } = readOptions(Parameters, task, family);
  // By name, so that options which nobody knows stay unread (and are told).
  const asked = Object.keys(schema.shape)
    .map((name) => [name, task.options[name]] as const)
    .filter(([, value]) => value !== undefined);
  const options = { ...parameters?.timesfm, ...Object.fromEntries(asked) };
  return readOptions(schema, { options }, family);
};
