/** A run: chosen models over chosen data. What is asked of the daemon, and what came back. */
import type { ForecastBody, ForecastResponse } from '@tollama/client';
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import type { Problem } from '../ui/problem.ts';
import { plural } from '../ui/quantity.ts';
import { parseLevels } from './quantile-levels.ts';
import type { Setup } from './setup.ts';
import type { SeriesData } from './table-series.ts';
import { placesOf } from './time-axis.ts';

export type Forecast = ForecastResponse['forecasts'][number];

export interface ModelResult {
  readonly model: string;
  readonly response: ForecastResponse | undefined;
  readonly problem: Problem | undefined;
  /** As the page measured it. */
  readonly elapsedMs: number | undefined;
}

export interface Run {
  /** The data that was chosen when it began. */
  readonly source: readonly SeriesData[];
  /** The series as they were forecast; with `heldOut` steps taken off their end. */
  readonly series: readonly SeriesData[];
  readonly horizon: number;
  readonly levels: readonly number[];
  readonly isHeldOut: boolean;
  /** In the order in which the models were chosen. */
  readonly results: readonly ModelResult[];
  readonly cancel: () => void;
}

export const isRunning = ({ results }: Run): boolean =>
  results.some(({ response, problem }) => !response && !problem);

/** Points of history that are sent at most, the newest ones: a body has a limit. */
const MAX_POINTS = 100_000;

/** A series as it is forecast: without what is held out, and without what is too long ago. */
export const historyOf = (series: SeriesData, leftOut: number): SeriesData => {
  const end = series.values.length - leftOut;
  const part = <T>(values: readonly T[]): readonly T[] =>
    values.slice(Math.max(0, end - MAX_POINTS), end);
  return {
    ...series,
    timestamps: part(series.timestamps),
    values: part(series.values),
    places: part(series.places),
  };
};

/** The body of a forecast; what is missing is named, since JSON has no word for it. */
export const forecastBody = (
  model: string,
  series: readonly SeriesData[],
  { horizon, levels, frequency }: { horizon: number; levels: readonly number[]; frequency: string },
): ForecastBody => ({
  model,
  horizon,
  quantiles: [...levels],
  series: series.map(({ id, timestamps, values }) => {
    const missing = values.flatMap((value, i) => (value === null ? [i] : []));
    return {
      id,
      freq: frequency || 'auto',
      timestamps: [...timestamps],
      target: values.map((value) => value ?? 0),
      ...(missing.length > 0 && { missing_indices: missing }),
    };
  }),
});

/** Why the setup cannot run; undefined when it can. */
export const obstacle = ({
  series,
  models,
  horizon,
  levels,
  isHeldOut,
}: Setup): string | undefined => {
  if (series.length === 0) return 'Choose data first.';
  if (models.length === 0) return 'Choose at least one model.';
  if (!Number.isInteger(horizon) || horizon < 1) return 'The horizon is a whole number from 1.';
  const shortest = Math.min(...series.map(({ values }) => values.length));
  if (isHeldOut && horizon >= shortest) {
    return `Holding out ${plural(horizon, 'step')} leaves nothing of the shortest series (${plural(shortest, 'point')}).`;
  }
  return parseLevels(levels).problem;
};

/** Times of the steps of a forecast, written like those of the history; 1, 2, ... where that fails. */
export const stepsOf = (
  forecast: Forecast,
  history: SeriesData,
): { timestamps: readonly string[]; places: readonly number[] } => {
  const { length } = forecast.mean;
  try {
    const last = history.timestamps.at(-1)!;
    const timestamps = futureTimestamps(last, parseFrequency(forecast.freq), length);
    const { places } = placesOf([last, ...timestamps]);
    return { timestamps, places: places.slice(1) };
  } catch {
    const [before = 0, last = 0] = history.places.slice(-2);
    const steps = Array.from({ length }, (_, i) => i + 1);
    return {
      timestamps: steps.map(String),
      places: steps.map((i) => last + i * Math.max(last - before, 1)),
    };
  }
};
