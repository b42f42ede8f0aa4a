/** Several forecasts of the same series put together, step by step and level by level. */

import type { Forecast, ForecastResponse } from '@tollama/core/forecast-response';
import type { EnsembleMethod } from '@tollama/core/forecast-variants';
import { mean, median } from '../analysis/observed.ts';

/** Share of the members that are cut off (or pulled in) at each side; at least one from three members on. */
const TRIM = 0.2;

const trimCount = (members: number): number =>
  members < 3 ? 0 : Math.max(1, Math.floor(TRIM * members));

/** One value out of the members' values. */
export const combine = (values: readonly number[], method: EnsembleMethod): number => {
  switch (method) {
    case 'mean':
      return mean(values);
    case 'median':
      return median(values);
    case 'trimmed_mean': {
      const cut = trimCount(values.length);
      return mean(values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
    }
    case 'winsorized_mean': {
      const sorted = values.toSorted((a, b) => a - b);
      const cut = trimCount(values.length);
      const [low, high] = [sorted[cut]!, sorted[sorted.length - 1 - cut]!];
      return mean(values.map((value) => Math.min(high, Math.max(low, value))));
    }
  }
};

const combinePaths = (paths: readonly (readonly number[])[], method: EnsembleMethod): number[] =>
  paths[0]!.map((_, step) =>
    combine(
      paths.map((path) => path[step]!),
      method,
    ),
  );

/** Levels that all members have: the mean of quantiles at one level is a quantile of their mixture's kind. */
const combineQuantiles = (
  members: readonly Forecast[],
  method: EnsembleMethod,
): Record<string, number[]> | null => {
  const all = members.map(({ quantiles }) => quantiles ?? {});
  const levels = Object.keys(all[0]!).filter((level) =>
    all.every((own) => Object.hasOwn(own, level)),
  );
  if (levels.length === 0) return null;
  return Object.fromEntries(
    levels.map((level) => [
      level,
      combinePaths(
        all.map((own) => own[level]!),
        method,
      ),
    ]),
  );
};

/** The forecasts of at least one response, in the order of its series. */
export const combineForecasts = (
  responses: readonly ForecastResponse[],
  method: EnsembleMethod,
): Forecast[] =>
  responses[0]!.forecasts.map(({ id, freq, start_timestamp }, i) => {
    const members = responses.map(({ forecasts }) => forecasts[i]!);
    return {
      id,
      freq,
      start_timestamp,
      mean: combinePaths(
        members.map((member) => member.mean),
        method,
      ),
      quantiles: combineQuantiles(members, method),
    };
  });
