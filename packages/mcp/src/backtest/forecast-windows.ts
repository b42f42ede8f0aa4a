/** Forecasts of many windows, in as many requests as their points need. */
import type { TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { LIMITS } from '../limits.ts';
import type { Window } from './windows.ts';

export interface WindowForecast {
  readonly window: Window;
  /** [horizon] */
  readonly mean: readonly number[];
  /** level -> [horizon], ascending */
  readonly quantiles: ReadonlyMap<number, readonly number[]>;
}

export interface WindowRequest {
  readonly model: string;
  readonly horizon: number;
  readonly quantiles: readonly number[];
}

export interface WindowCall {
  readonly client: TollamaClient;
  readonly signal: AbortSignal;
  /** Told after each request. */
  readonly onDone: (windows: number) => void;
}

export interface WindowForecasts {
  readonly forecasts: readonly WindowForecast[];
  readonly warnings: readonly string[];
}

/** Refuses what would keep the machine busy for very long. */
export const checkWork = (windows: readonly Window[], models = 1): void => {
  const points = models * windows.reduce((sum, { origin }) => sum + origin, 0);
  if (points <= LIMITS.backtestPoints) return;
  throw new TollamaError(
    'INVALID_REQUEST',
    `the windows read ${points} points together, more than the ${LIMITS.backtestPoints} of one call`,
    { hint: 'ask for fewer windows, models or series' },
  );
};

const chunksOf = (windows: readonly Window[]): Window[][] => {
  const chunks: Window[][] = [];
  let points = Number.POSITIVE_INFINITY;
  for (const window of windows) {
    if (points + window.origin > LIMITS.requestPoints) {
      chunks.push([]);
      points = 0;
    }
    chunks.at(-1)!.push(window);
    points += window.origin;
  }
  return chunks;
};

/** Windows of a series stand side by side in a request; the daemon wants their ids to differ. */
const idAt = ({ history, origin }: Window): string => `${history.id} @ ${origin}`;

export const forecastWindows = async (
  windows: readonly Window[],
  { model, horizon, quantiles }: WindowRequest,
  { client, signal, onDone }: WindowCall,
): Promise<WindowForecasts> => {
  const forecasts: WindowForecast[] = [];
  const warnings = new Set<string>();
  for (const chunk of chunksOf(windows)) {
    const series = chunk.map((window) => ({ ...window.history, id: idAt(window) }));
    const body = { model, horizon, quantiles: [...quantiles], series };
    const answer = await client.forecast(body, { signal });
    answer.forecasts.forEach((one, i) => {
      const levels = Object.entries(one.quantiles ?? {})
        .map(([level, values]) => [Number(level), values] as const)
        .toSorted(([a], [b]) => a - b);
      forecasts.push({ window: chunk[i]!, mean: one.mean, quantiles: new Map(levels) });
    });
    for (const warning of answer.warnings ?? []) warnings.add(warning);
    onDone(forecasts.length);
  }
  return { forecasts, warnings: [...warnings] };
};
