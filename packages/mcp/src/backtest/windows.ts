/** Rolling origins: ends of series held out window by window. */
import { TollamaError } from '@tollama/core/errors';
import type { CovariateValues, Series } from '@tollama/core/series';
import { seasonOf } from '../series-input.ts';

export interface WindowOptions {
  readonly horizon: number;
  /** Forecasts of each series. */
  readonly windows: number;
  /** Steps between two origins. */
  readonly step: number;
}

/** One window of one series. */
export interface Window {
  /** Place of its series among those given. */
  readonly place: number;
  /** Place of the first held out value. */
  readonly origin: number;
  /** What a forecast may know; its id is the series'. */
  readonly history: Series;
  /** [horizon] what came; NaN where missing. */
  readonly actual: readonly number[];
  /** [origin] what was known; NaN where missing. */
  readonly past: readonly number[];
  readonly season: number;
}

const observed = ({ target, missing_indices }: Series): number[] => {
  const values = [...target];
  for (const at of missing_indices ?? []) values[at] = Number.NaN;
  return values;
};

const slices = (
  columns: Readonly<Record<string, CovariateValues>> | null | undefined,
  start: number,
  end: number,
  names: readonly string[],
): Record<string, CovariateValues> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const values = columns?.[name];
      return values ? [[name, values.slice(start, end) as CovariateValues]] : [];
    }),
  );

/** Covariates up to the origin; those that are known ahead also over the horizon. */
const covariatesAt = (series: Series, origin: number, horizon: number): Partial<Series> => {
  const { past_covariates: past, future_covariates: future } = series;
  if (!past || Object.keys(past).length === 0) return {};
  const known = Object.keys(future ?? {});
  return {
    past_covariates: slices(past, 0, origin, Object.keys(past)),
    ...(known.length > 0 && {
      future_covariates: slices(past, origin, origin + horizon, known),
    }),
  };
};

const windowAt = (series: Series, place: number, origin: number, horizon: number): Window => {
  const values = observed(series);
  const { past_covariates: _, future_covariates: __, missing_indices, ...rest } = series;
  const missing = (missing_indices ?? []).filter((at) => at < origin);
  return {
    place,
    origin,
    history: {
      ...rest,
      timestamps: series.timestamps.slice(0, origin),
      target: series.target.slice(0, origin),
      ...(missing.length > 0 && { missing_indices: missing }),
      ...covariatesAt(series, origin, horizon),
    },
    actual: values.slice(origin, origin + horizon),
    past: values.slice(0, origin),
    season: seasonOf(series),
  };
};

/** Points of history below which a forecast is not asked for. */
const LEAST_HISTORY = 2;

/**
 * The windows of all series, each series' earliest origin first; the last window ends with the series.
 *
 * @throws TollamaError INVALID_REQUEST for a series that is too short
 */
export const rollingWindows = (
  all: readonly Series[],
  { horizon, windows, step }: WindowOptions,
): readonly Window[] =>
  all.flatMap((series, place) => {
    const first = series.target.length - horizon - (windows - 1) * step;
    if (first < LEAST_HISTORY) {
      const message = `series '${series.id}' has ${series.target.length} points, too few for ${windows} windows of ${horizon} steps`;
      throw new TollamaError('INVALID_REQUEST', message, {
        hint: 'ask for fewer windows, a shorter horizon or a smaller step',
      });
    }
    return Array.from({ length: windows }, (_, k) =>
      windowAt(series, place, first + k * step, horizon),
    );
  });
