/** Rolling-origin evaluation of a user's own series; rows as Nixtla's tools give them, with their cutoff. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastTask, SeriesForecast, TaskSeries } from '@tollama/session/backend/backend';
import type { Adapter } from '@tollama/session/pool/adapter';
import { LOSS_LEVELS } from '../gift-eval/metrics.ts';
import { seasonalNaive } from '../gift-eval/seasonal-naive.ts';

/** Anything that forecasts: an adapter of a pool, a combination, a baseline. */
export interface Forecaster {
  readonly name: string;
  forecast(task: ForecastTask): Promise<readonly SeriesForecast[]>;
}

/** A model of a pool as a forecaster, under its adapter's name. */
export const adapterForecaster = (adapter: Adapter): Forecaster => ({
  name: adapter.name,
  forecast: async ({ series, horizon, quantiles, options, signal }) =>
    (await adapter.predict(series, horizon, quantiles, { options, signal })).forecasts,
});

/** The baseline; `seasonOf` gives the season of a series, 1 without one. */
export const seasonalNaiveForecaster = (
  seasonOf: (series: TaskSeries) => number,
  name = 'SeasonalNaive',
): Forecaster => ({
  name,
  forecast: async ({ series, horizon, quantiles }) =>
    series.map((one) => {
      const season = Math.max(1, seasonOf(one));
      const stored = seasonalNaive(one.target, { horizon, season, levels: quantiles });
      return {
        id: one.id,
        mean: Float64Array.from(stored.mean!),
        quantiles: stored.quantiles.map((row) => Float64Array.from(row)),
      };
    }),
});

export interface RollingOptions {
  readonly horizon: number;
  /** Origins of each series. */
  readonly windows: number;
  /** Steps between two origins; the horizon when absent. */
  readonly step?: number;
  readonly quantiles?: readonly number[];
  /** The most points before an origin that a model is given; all when absent. */
  readonly inputSize?: number;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** One forecast beside what came. */
export interface Fold {
  readonly series: TaskSeries;
  readonly window: number;
  /** Points before the forecast. */
  readonly origin: number;
  readonly input: Float64Array;
  readonly actual: Float64Array;
  readonly forecast: SeriesForecast;
}

/** Quantile levels where none are asked for: those of the benchmark's loss. */
export const DEFAULT_LEVELS: readonly number[] = LOSS_LEVELS;

const originOf = (
  length: number,
  { horizon, windows, step = horizon }: RollingOptions,
  k: number,
) => length - horizon - (windows - 1 - k) * step;

const checkLengths = (all: readonly TaskSeries[], options: RollingOptions): void => {
  const { horizon, windows, step = horizon } = options;
  for (const [name, value] of Object.entries({ horizon, windows, step })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new TollamaError('INVALID_REQUEST', `${name} = ${value}: use a whole number above 0`);
  }
  const ids = new Set<string>();
  for (const { id } of all) {
    if (ids.has(id)) {
      throw new TollamaError('INVALID_INPUT', `two series have the id '${id}'`, {
        hint: 'give each series an id of its own',
      });
    }
    ids.add(id);
  }
  for (const { id, target } of all) {
    if (originOf(target.length, options, 0) >= 1) continue;
    throw new TollamaError(
      'INVALID_INPUT',
      `series '${id}' has ${target.length} points, too few for ${windows} windows of ${horizon} steps`,
      { hint: 'use fewer windows, a shorter horizon or a smaller step' },
    );
  }
};

/** The series as it was known at an origin; covariates over the horizon that came are the future ones. */
const knownAt = (one: TaskSeries, origin: number, options: RollingOptions): TaskSeries => {
  const { horizon, inputSize = Number.POSITIVE_INFINITY } = options;
  const from = Math.max(0, origin - inputSize);
  const past = Object.entries(one.pastCovariates ?? {});
  const future = past.filter(([name]) => one.futureCovariates && name in one.futureCovariates);
  return {
    ...one,
    target: one.target.subarray(from, origin),
    timestamps: one.timestamps?.slice(from, origin),
    pastCovariates:
      past.length > 0
        ? Object.fromEntries(past.map(([name, values]) => [name, values.slice(from, origin)]))
        : undefined,
    futureCovariates:
      future.length > 0
        ? Object.fromEntries(
            future.map(([name, values]) => [name, values.slice(origin, origin + horizon)]),
          )
        : undefined,
  };
};

/**
 * Forecasts every window of every series with one forecaster, the earliest origin first.
 *
 * @throws TollamaError INVALID_INPUT for a series that is too short, RUNNER_ERROR for one without a forecast
 */
export const rollingForecasts = async (
  all: readonly TaskSeries[],
  forecaster: Forecaster,
  options: RollingOptions,
): Promise<Fold[]> => {
  checkLengths(all, options);
  const { horizon, windows, quantiles = DEFAULT_LEVELS, signal } = options;
  const folds: Fold[] = [];
  for (let window = 0; window < windows; window++) {
    signal?.throwIfAborted();
    const known = all.map((one) =>
      knownAt(one, originOf(one.target.length, options, window), options),
    );
    const forecasts = await forecaster.forecast({
      series: known,
      horizon,
      quantiles,
      options: options.options,
      signal,
    });
    const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast]));
    all.forEach((series, i) => {
      const forecast = byId.get(series.id);
      if (!forecast) {
        throw new TollamaError(
          'RUNNER_ERROR',
          `${forecaster.name} gave series '${series.id}' no forecast in window ${window + 1}`,
        );
      }
      const origin = originOf(series.target.length, options, window);
      const actual = series.target.subarray(origin, origin + horizon);
      folds.push({ series, window, origin, input: known[i]!.target, actual, forecast });
    });
  }
  return folds;
};

/** A row of cross-validation: `<model>` and `<model>-q-10` beside the value that came. */
export interface CrossValidationRow {
  readonly unique_id: string;
  readonly ds: string;
  /** The last timestamp before the forecast. */
  readonly cutoff: string;
  readonly y: number;
  readonly [model: string]: string | number;
}

const percent = (level: number): number => Number((level * 100).toPrecision(6));

const stampOf = ({ timestamps }: TaskSeries, at: number): string =>
  timestamps?.[at] ?? String(at + 1);

/**
 * Forecasts of several models over rolling origins as one long frame, series by series.
 *
 * @example
 * const rows = await crossValidation(series, [adapterForecaster(pool.get('auto'))], { horizon: 24, windows: 3 });
 * rows[0]; // { unique_id: 'a', ds: '...', cutoff: '...', y: 1, auto: 1.1, 'auto-q-10': 0.8, ... }
 */
export const crossValidation = async (
  all: readonly TaskSeries[],
  forecasters: readonly Forecaster[],
  options: RollingOptions,
): Promise<CrossValidationRow[]> => {
  const { horizon, quantiles = DEFAULT_LEVELS } = options;
  const columns = new Map<string, Record<string, number>[]>();
  let folds: Fold[] = [];
  for (const forecaster of forecasters) {
    folds = await rollingForecasts(all, forecaster, options);
    folds.forEach(({ forecast }, f) => {
      const key = String(f);
      const rows =
        columns.get(key) ?? Array.from({ length: horizon }, (): Record<string, number> => ({}));
      rows.forEach((row, h) => {
        row[forecaster.name] = forecast.mean[h]!;
        quantiles.forEach((level, l) => {
          const path = forecast.quantiles[l];
          if (path) row[`${forecaster.name}-q-${percent(level)}`] = path[h]!;
        });
      });
      columns.set(key, rows);
    });
  }
  const order = folds.map((_, f) => f).sort((a, b) => (a % all.length) - (b % all.length) || a - b);
  return order.flatMap((f) => {
    const { series, origin, actual } = folds[f]!;
    return columns.get(String(f))!.map((row, h) => ({
      unique_id: series.id,
      ds: stampOf(series, origin + h),
      cutoff: stampOf(series, origin - 1),
      y: actual[h]!,
      ...row,
    }));
  });
};
