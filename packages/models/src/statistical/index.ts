/**
 * Forecasting without weights: models that need nothing but the series. They are pure and deterministic; each
 * gives means, quantiles and an account of how it came to them.
 */
import { TollamaError } from '@tollama/core/errors';
import type { ModelSeries, Outcome, SeriesForecast, TargetForecast, Task } from '../family.ts';
import { auto } from './auto.ts';
import { autoEts } from './auto-ets.ts';
import { croston } from './croston.ts';
import { ewma } from './ewma.ts';
import { observe, type Prediction, type StatisticalModel, toHistory } from './history.ts';
import { mstl } from './mstl.ts';
import { drift, naive, seasonalNaive } from './naive.ts';
import { findSeasons, type Season } from './seasonality.ts';
import { theta } from './theta.ts';

const MODELS = {
  naive,
  'seasonal-naive': seasonalNaive,
  drift,
  ewma,
  theta,
  'auto-ets': autoEts,
  mstl,
  croston,
  auto,
} as const satisfies Record<string, StatisticalModel>;

export type StatisticalModelName = keyof typeof MODELS;

/** Their names, those of `STATISTICAL_MODEL_NAMES` in core. */
export const STATISTICAL_MODELS = Object.keys(MODELS) as readonly StatisticalModelName[];

/** Candidate season lengths of a frequency, in steps: `H` -> [24, 168]. */
export type CandidateSeasons = (freq?: string) => readonly number[];

/**
 * Forecasts every target of every series by itself. `options.season_length`, a whole number or a list of
 * them, replaces the search for seasons.
 *
 * @example
 * forecastStatistical('auto', { series: [{ id: 'a', targets: [[1, 2, 3]] }], horizon: 2, quantiles: [0.9], options: {} }, () => []);
 */
export const forecastStatistical = (
  name: StatisticalModelName,
  task: Task,
  candidates: CandidateSeasons,
): Outcome => {
  const asked = askedSeasons(task.options.season_length);
  const warnings: string[] = [];
  const forecasts = task.series.map((series): SeriesForecast => {
    const lengths = asked ?? candidates(series.freq);
    const parts = series.targets.map((target) => {
      const warn = (text: string) => warnings.push(`series '${series.id}': ${text}`);
      return forecastTarget(target, { name, task, lengths, isAsked: asked !== undefined, warn });
    });
    return {
      targets: parts.map(({ forecast }) => forecast),
      explanation: explanationOf(name, series, parts),
    };
  });
  return { forecasts, warnings };
};

interface TargetForecastPart {
  readonly forecast: TargetForecast;
  readonly explanation: Readonly<Record<string, unknown>>;
}

const explanationOf = (
  name: string,
  { targets }: ModelSeries,
  parts: readonly TargetForecastPart[],
): Readonly<Record<string, unknown>> => ({
  model: name,
  ...(targets.length === 1
    ? parts[0]!.explanation
    : { targets: parts.map(({ explanation }) => explanation) }),
});

interface TargetRequest {
  readonly name: StatisticalModelName;
  readonly task: Task;
  readonly lengths: readonly number[];
  readonly isAsked: boolean;
  readonly warn: (text: string) => void;
}

const forecastTarget = (target: ArrayLike<number>, request: TargetRequest): TargetForecastPart => {
  const { task, lengths, warn } = request;
  const { values, trailing, filled } = observe(target);
  if (values.length === 0) {
    warn('no value is observed; the forecast is 0 throughout');
    const mean = new Float64Array(task.horizon);
    return {
      forecast: { mean, quantiles: task.quantiles.map(() => mean.slice()) },
      explanation: {},
    };
  }
  if (values.length === 1) warn('one value is observed; the forecast repeats it without a spread');
  const seasons = seasonsOf(values, request);
  const history = toHistory(
    values,
    seasons.map(({ length }) => length),
  );
  const prediction = MODELS[request.name](history, trailing + task.horizon);
  const toRaw = (path: Float64Array): Float64Array =>
    path.subarray(trailing).map((value) => rawValue(value, history));
  const mean = REPEATING.has(request.name)
    ? Float64Array.from(prediction.repeated!.slice(trailing), (place) => values[place]!)
    : toRaw(prediction.mean);
  const quantiles = uncrossed(prediction, task.quantiles).map(toRaw);
  return {
    forecast: {
      mean,
      quantiles: REPEATING.has(request.name)
        ? aroundMean(mean, task.quantiles, quantiles)
        : quantiles,
    },
    explanation: {
      seasons: seasons.map((season) => ({ ...season })),
      candidate_seasons: [...lengths],
      ...(filled > 0 ? { missing_values_filled: filled } : {}),
      ...(trailing > 0 ? { missing_values_at_end: trailing } : {}),
      ...prediction.explanation,
    },
  };
};

/** Models whose forecasts are values of the series. */
const REPEATING: ReadonlySet<StatisticalModelName> = new Set(['naive', 'seasonal-naive']);

/** The median is the mean itself; a rounding puts no level on its wrong side. */
const aroundMean = (
  mean: Float64Array,
  levels: readonly number[],
  paths: readonly Float64Array[],
): Float64Array[] =>
  paths.map((path, k) => {
    const level = levels[k]!;
    if (level === 0.5) return mean.slice();
    const side = level < 0.5 ? Math.min : Math.max;
    return path.map((value, h) => side(value, mean[h]!));
  });

/** Back to the series' own units; bounded by 0 where the series is, and by the largest number. */
const rawValue = (
  value: number,
  { scale, shift, isNonNegative }: { scale: number; shift: number; isNonNegative: boolean },
): number => {
  const raw = value * scale + shift;
  const bounded = Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, raw));
  return isNonNegative ? Math.max(0, bounded) : bounded;
};

/** Quantiles of ascending levels; roundings must not let one fall below the one before it. */
const uncrossed = (prediction: Prediction, levels: readonly number[]): Float64Array[] => {
  const paths = levels.map((level) => prediction.quantile(level).slice());
  for (let k = 1; k < paths.length; k++) {
    const below = paths[k - 1]!;
    const path = paths[k]!;
    for (let h = 0; h < path.length; h++) path[h] = Math.max(below[h]!, path[h]!);
  }
  return paths;
};

const seasonsOf = (
  values: Float64Array,
  { lengths, isAsked }: TargetRequest,
): readonly (Season | { readonly length: number; readonly from: 'options' })[] =>
  isAsked
    ? lengths.map((length) => ({ length, from: 'options' as const }))
    : findSeasons(values, lengths);

const askedSeasons = (option: unknown): readonly number[] | undefined => {
  if (option === undefined || option === null) return undefined;
  const lengths: readonly unknown[] = Array.isArray(option) ? option : [option];
  const isLength = (length: unknown): length is number =>
    Number.isSafeInteger(length) && (length as number) >= 1;
  if (!lengths.every(isLength)) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `options.season_length is ${JSON.stringify(option)}; it must be a whole number from 1, or a list of them`,
      {
        hint: 'give the number of steps in a season (24 for hourly data with a daily season), or leave it out',
      },
    );
  }
  return lengths.filter((length) => length > 1);
};
