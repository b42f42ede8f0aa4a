/** Candidates measured on the end of the series that they are to continue. */
import { errorMessage } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { observedTarget } from '../analysis/observed.ts';
import type { DaemonContext } from '../context.ts';
import { shortNumber } from '../forecast/explain.ts';
import { backtestRequest, originsOf, type Window } from './backtest.ts';
import type { RankedModel } from './rank.ts';

const MOST_SERIES = 16;
const MOST_MODELS = 4;
const LEAST_HISTORY = 8;

/** The latest window of each series that is long enough for one. */
const windowsOf = ({ series, horizon }: ForecastRequest): { windows: Window[]; reach: number } => {
  const shortest = Math.min(...series.map(({ target }) => target.length));
  const reach = Math.max(1, Math.min(horizon, Math.floor(shortest / 4)));
  const origins = { count: 1, horizon: reach, step: 1, least: LEAST_HISTORY };
  const windows = series
    .slice(0, MOST_SERIES)
    .flatMap(({ target }, index) =>
      originsOf(target.length, origins).map((origin) => ({ index, origin })),
    );
  return { windows, reach };
};

/** Sum of absolute errors against the naive forecast's: below 1 is better than repeating the last value. */
const relativeError = (
  request: ForecastRequest,
  windows: readonly Window[],
  means: readonly (readonly number[])[],
): number => {
  let error = 0;
  let naive = 0;
  windows.forEach(({ index, origin }, i) => {
    const values = observedTarget(request.series[index]!);
    const last = values.subarray(0, origin).findLast((value) => !Number.isNaN(value)) ?? 0;
    means[i]!.forEach((value, step) => {
      const actual = values[origin + step]!;
      if (Number.isNaN(actual)) return;
      error += Math.abs(actual - value);
      naive += Math.abs(actual - last);
    });
  });
  return naive > 0 ? error / naive : error > 0 ? Number.POSITIVE_INFINITY : 1;
};

/**
 * Orders the best candidates by their error on held-out values; those that were not measured keep their order
 * after them. Series too short for it leave the order as it was.
 */
export const orderByHeldOut = async (
  ranked: readonly RankedModel[],
  requestOf: (model: string) => ForecastRequest,
  { forecaster, log }: Pick<DaemonContext, 'forecaster' | 'log'>,
  signal: AbortSignal,
): Promise<readonly RankedModel[]> => {
  const tried = ranked.slice(0, MOST_MODELS);
  if (tried.length < 2) return ranked;
  const { windows, reach } = windowsOf(requestOf(tried[0]!.model));
  if (windows.length === 0) return ranked;
  const measured = await Promise.all(
    tried.map(async (candidate) => {
      const request = requestOf(candidate.model);
      try {
        const backtest = backtestRequest(request, windows, reach);
        const { forecasts } = await forecaster.forecast(backtest, signal);
        const means = forecasts.map(({ mean }) => mean);
        return { candidate, error: relativeError(request, windows, means) };
      } catch (error) {
        log.debug({ model: candidate.model, error: errorMessage(error) }, 'not measured');
        return { candidate, error: Number.POSITIVE_INFINITY };
      }
    }),
  );
  const told = measured.map(({ candidate, error }) => ({
    error,
    candidate: {
      ...candidate,
      score: Number.isFinite(error) ? Math.round(10_000 * (1 - error)) / 100 : -100,
      reasons: [
        Number.isFinite(error)
          ? `${shortNumber(error)} times the naive error on the last ${reach} known steps of ${windows.length} series`
          : 'failed on the known end of the series',
        ...candidate.reasons,
      ],
    },
  }));
  const best = told.toSorted((a, b) => a.error - b.error || a.candidate.rank - b.candidate.rank);
  const order = [...best.map(({ candidate }) => candidate), ...ranked.slice(MOST_MODELS)];
  return order.map((candidate, i) => ({ ...candidate, rank: i + 1 }));
};
