/** Anomalies: values outside of what a model expected before it saw them. Batch over a history, or online. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastResult, ForecastTask, TaskSeries } from '../backend/backend.ts';
import { type AnomalyScore, scoreValue } from './score.ts';

/** Levels that tails are read from. */
export const DETECTION_LEVELS: readonly number[] = [
  0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
];

export type Predict = (task: ForecastTask) => Promise<ForecastResult>;

export interface DetectOptions {
  /** Central interval in percent. */
  readonly level?: number;
  /** Steps that are forecast at once: after how many the model is asked again. */
  readonly step: number;
  /** Points before the first that is judged. */
  readonly minHistory: number;
  /** Points at the end that are judged; all from minHistory on when absent. */
  readonly last?: number | undefined;
  /** Values found odd are replaced by what was expected before the model goes on. */
  readonly cleans?: boolean;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JudgedPoint extends AnomalyScore {
  /** Index in the series. */
  readonly at: number;
  readonly timestamp: string | undefined;
  readonly value: number;
}

export interface SeriesAnomalies {
  readonly id: string;
  readonly points: readonly JudgedPoint[];
}

const DEFAULT_LEVEL = 99;

const checkLevel = (level: number): number => {
  if (level > 0 && level < 100) return level;
  throw new TollamaError('INVALID_REQUEST', `level = ${level}: use percent between 0 and 100`);
};

/** One series while it is being judged: its values, cleaned as it goes. */
interface Walk {
  readonly series: TaskSeries;
  readonly cleaned: Float64Array;
  readonly points: JudgedPoint[];
  at: number;
}

const beginWalk = (series: TaskSeries, { minHistory, last }: DetectOptions): Walk => {
  const { length } = series.target;
  const from = Math.max(minHistory, last === undefined ? 0 : length - last);
  if (from < 1 || from >= length) {
    throw new TollamaError(
      'INVALID_INPUT',
      `series '${series.id}' has ${length} points, none after a history of ${Math.max(1, from)}`,
      { hint: 'give a longer series, or a smaller minimal history' },
    );
  }
  return { series, cleaned: series.target.slice(), points: [], at: from };
};

const known = ({ series, cleaned, at }: Walk): TaskSeries => ({
  ...series,
  target: cleaned.subarray(0, at),
  timestamps: series.timestamps?.slice(0, at),
  pastCovariates: undefined,
  futureCovariates: undefined,
});

const judge = (
  walk: Walk,
  quantiles: readonly ArrayLike<number>[],
  { level = DEFAULT_LEVEL, step, cleans = true }: DetectOptions,
): void => {
  const { series, cleaned, points } = walk;
  const end = Math.min(walk.at + step, series.target.length);
  for (let i = walk.at, h = 0; i < end; i++, h++) {
    const value = series.target[i]!;
    if (!Number.isFinite(value)) continue;
    const values = quantiles.map((row) => row[h]!);
    const scored = scoreValue({ levels: DETECTION_LEVELS, values }, value, level);
    points.push({ at: i, timestamp: series.timestamps?.[i], value, ...scored });
    if (cleans && scored.isAnomaly) cleaned[i] = scored.expected;
  }
  walk.at = end;
};

/**
 * Judges the points of series after their minimal history, `step` points at a time: each is compared with what
 * was forecast from the points before.
 *
 * @throws TollamaError INVALID_INPUT for a series that is too short, RUNNER_ERROR for one without a forecast
 */
export const detectAnomalies = async (
  all: readonly TaskSeries[],
  predict: Predict,
  options: DetectOptions,
): Promise<SeriesAnomalies[]> => {
  checkLevel(options.level ?? DEFAULT_LEVEL);
  const walks = all.map((series) => beginWalk(series, options));
  for (;;) {
    const open = walks.filter(({ at, series }) => at < series.target.length);
    if (open.length === 0) break;
    options.signal?.throwIfAborted();
    const { forecasts } = await predict({
      series: open.map(known),
      horizon: options.step,
      quantiles: DETECTION_LEVELS,
      options: options.options,
      signal: options.signal,
    });
    const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast]));
    for (const walk of open) judge(walk, quantilesOf(byId.get(walk.series.id), walk), options);
  }
  return walks.map(({ series: { id }, points }) => ({ id, points }));
};

const quantilesOf = (
  forecast: ForecastResult['forecasts'][number] | undefined,
  { series }: Walk,
): readonly ArrayLike<number>[] => {
  if (forecast?.quantiles.length === DETECTION_LEVELS.length) return forecast.quantiles;
  throw new TollamaError('RUNNER_ERROR', `series '${series.id}' has no forecast with quantiles`, {
    hint: 'use a model that gives quantiles, such as auto',
  });
};

export interface OnlineOptions
  extends Pick<DetectOptions, 'level' | 'step' | 'cleans' | 'options'> {
  /** Points that are kept; older ones are forgotten. */
  readonly mostHistory?: number;
}

/**
 * Judges one series value by value as it comes. The model is asked once for `step` values ahead, and again
 * when they are used up or a value was odd.
 *
 * @example
 * const detector = createOnlineDetector({ id: 'cpu', freq: 'T', target }, predict, { step: 60 });
 * (await detector.observe(97)).isAnomaly;
 */
export const createOnlineDetector = (
  series: TaskSeries,
  predict: Predict,
  options: OnlineOptions,
): { observe(value: number): Promise<AnomalyScore> } => {
  const { level = DEFAULT_LEVEL, step, cleans = true, mostHistory = 10_000 } = options;
  checkLevel(level);
  let history = Array.from(series.target).slice(-mostHistory);
  let ahead: { readonly rows: readonly ArrayLike<number>[]; used: number } | undefined;
  const expectation = async (): Promise<number[]> => {
    if (!ahead || ahead.used >= step) {
      const target = Float64Array.from(history);
      const one = { ...series, target, timestamps: undefined };
      const { forecasts } = await predict({
        series: [one],
        horizon: step,
        quantiles: DETECTION_LEVELS,
        options: options.options,
      });
      const walk = { series: one, cleaned: target, points: [], at: target.length };
      ahead = { rows: quantilesOf(forecasts[0], walk), used: 0 };
    }
    const at = ahead.used++;
    return ahead.rows.map((row) => row[at]!);
  };
  return {
    async observe(value) {
      const values = await expectation();
      const scored = scoreValue({ levels: DETECTION_LEVELS, values }, value, level);
      const kept = cleans && scored.isAnomaly ? scored.expected : value;
      history = [...history, kept].slice(-mostHistory);
      return scored;
    },
  };
};
