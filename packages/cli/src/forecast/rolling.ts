/** Rolling-origin evaluation: the ends of series held out window by window, and forecast from what came before. */
import type { ForecastBody } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { inferFrequency, parseFrequency, seasonLengths } from '@tollama/core/frequency';
import type { InputSeries } from '@tollama/ingest/series-objects';
import { type AskOptions, forecastChunks } from './ask.ts';
import { type BodyOptions, latestPoints, seriesInChunks } from './body.ts';
import { type Scored, seasonalNaiveError } from './metrics.ts';

export interface RollingOptions extends BodyOptions {
  readonly horizon: number;
  readonly windows: number;
  /** Steps between two origins. */
  readonly step: number;
  readonly quantiles: readonly number[];
  /** Options of the model, and of the session. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** One window of one series. */
export interface Window {
  readonly history: InputSeries;
  readonly actuals: readonly number[];
  readonly season: number;
}

const seasonOf = ({ freq, timestamps }: InputSeries, given: string | undefined): number => {
  try {
    const alias = given ?? freq;
    const frequency =
      alias === 'auto' ? inferFrequency(timestamps).frequency : parseFrequency(alias);
    return seasonLengths(frequency)[0] ?? 1;
  } catch {
    return 1;
  }
};

/** The windows of all series, the earliest origin first. Throws INVALID_INPUT for a series that is too short. */
export const rollingWindows = (
  all: readonly InputSeries[],
  { horizon, windows, step, freq }: RollingOptions,
): Window[][] =>
  Array.from({ length: windows }, (_, k) =>
    all.map((one) => {
      const origin = one.target.length - horizon - (windows - 1 - k) * step;
      if (origin < Math.max(2, horizon)) {
        throw new TollamaError(
          'INVALID_INPUT',
          `series '${one.id}' has ${one.target.length} points, too few for ${windows} windows of ${horizon} steps`,
          {
            hint: 'use fewer --windows, a shorter --horizon, or a smaller --step',
          },
        );
      }
      const covariates = Object.entries(one.covariates).map(([name, values]) => [
        name,
        values.slice(0, origin),
      ]);
      const history = {
        ...one,
        target: one.target.slice(0, origin),
        timestamps: one.timestamps.slice(0, origin),
        covariates: Object.fromEntries(covariates),
      };
      return {
        history,
        actuals: one.target.slice(origin, origin + horizon),
        season: seasonOf(one, freq),
      };
    }),
  );

export interface RollingResult {
  readonly scored: readonly Scored[];
  /** Milliseconds of all forecasts together. */
  readonly elapsedMs: number;
}

/** Forecasts every window with a model. */
export const forecastWindows = async (
  model: string,
  windows: readonly Window[][],
  options: RollingOptions,
  ask: AskOptions,
): Promise<RollingResult> => {
  const scored: Scored[] = [];
  const started = performance.now();
  for (const window of windows) {
    const chunks: ForecastBody['series'][] = seriesInChunks(
      latestPoints(
        window.map(({ history }) => history),
        options,
      ).series,
      options,
    );
    const rest = {
      model,
      horizon: options.horizon,
      quantiles: [...options.quantiles],
      options: { ...options.options },
    };
    const { forecasts } = await forecastChunks(chunks, rest, ask);
    forecasts.forEach((forecast, i) => {
      const { history, actuals, season } = window[i]!;
      const naiveError = seasonalNaiveError(history.target, season);
      scored.push({
        mean: forecast.mean,
        quantiles: forecast.quantiles ?? {},
        actuals,
        naiveError,
      });
    });
  }
  return { scored, elapsedMs: performance.now() - started };
};
