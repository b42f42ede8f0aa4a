/** Rolling-origin backtests through the daemon's own forecaster: histories cut at earlier origins. */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { Series } from '@tollama/core/series';

type Covariates = Series['past_covariates'];

const slice = (covariates: Covariates, from: number, end: number): Covariates =>
  covariates
    ? (Object.fromEntries(
        Object.entries(covariates).map(([name, values]) => [name, values.slice(from, end)]),
      ) as Covariates)
    : covariates;

/** The same covariates that the request knows ahead are known ahead at the earlier origin. */
const futureOf = (series: Series, origin: number, horizon: number): Covariates => {
  const known = Object.keys(series.future_covariates ?? {});
  if (known.length === 0) return null;
  const past = series.past_covariates ?? {};
  const chosen = Object.fromEntries(known.map((name) => [name, past[name]!]));
  return slice(chosen as Covariates, origin, origin + horizon);
};

/** A series as it was when `origin` of its values were known. */
export const seriesAt = (series: Series, origin: number, horizon: number): Series => ({
  ...series,
  timestamps: series.timestamps.slice(0, origin),
  target: series.target.slice(0, origin),
  missing_indices: series.missing_indices?.filter((at) => at < origin) ?? null,
  past_covariates: slice(series.past_covariates, 0, origin),
  future_covariates: futureOf(series, origin, horizon),
  actuals: null,
});

export interface Origins {
  /** At most this many, the latest first. */
  readonly count: number;
  readonly horizon: number;
  /** Steps between origins. */
  readonly step: number;
  /** Points that must be left before an origin. */
  readonly least: number;
}

/** Lengths of the history at which the model is asked again. */
export const originsOf = (length: number, { count, horizon, step, least }: Origins): number[] => {
  const origins: number[] = [];
  for (let origin = length - horizon; origin >= least && origins.length < count; origin -= step) {
    origins.push(origin);
  }
  return origins;
};

export interface Window {
  /** Place of the series in the request. */
  readonly index: number;
  readonly origin: number;
}

/** One request for all windows; ids tell series and origin apart. */
export const backtestRequest = (
  request: ForecastRequest,
  windows: readonly Window[],
  horizon: number,
): ForecastRequest => ({
  ...request,
  horizon,
  series: windows.map(({ index, origin }) => ({
    ...seriesAt(request.series[index]!, origin, horizon),
    id: `${index}@${origin}`,
  })),
  parameters: { ...request.parameters, metrics: null },
  response_options: { narrative: false, explain: false },
});
