/** What a model would have said at earlier origins, and how far off it was. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { LIMITS } from '@tollama/core/limits';
import { observedTarget } from '../analysis/observed.ts';
import type { DaemonContext } from '../context.ts';
import { backtestRequest, originsOf, type Window } from './backtest.ts';

export interface WindowOutcome {
  readonly origin: number;
  /** [horizon] */
  readonly predicted: readonly number[];
  /** [horizon], NaN where missing. */
  readonly actual: Float64Array;
}

export interface BacktestPlan {
  readonly windows: number;
  /** Steps between origins; the horizon when absent. */
  readonly step?: number | null | undefined;
}

/** Points before the first origin: below that a model has next to nothing to go by. */
const LEAST_HISTORY = 4;

/**
 * Windows of each series in the order of the request, the latest origin first; a series that is too short has none.
 *
 * @throws TollamaError INVALID_REQUEST when all windows together hold too many points
 */
export const runBacktest = async (
  request: ForecastRequest,
  { windows: count, step }: BacktestPlan,
  { forecaster }: Pick<DaemonContext, 'forecaster'>,
  signal: AbortSignal,
): Promise<readonly (readonly WindowOutcome[])[]> => {
  const { horizon, series } = request;
  const plan = { count, horizon, step: step ?? horizon, least: LEAST_HISTORY };
  const windows = series.flatMap(({ target }, index): Window[] =>
    originsOf(target.length, plan).map((origin) => ({ index, origin })),
  );
  const points = windows.reduce((sum, { origin }) => sum + origin, 0);
  if (points > LIMITS.points) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `${windows.length} windows hold ${points} points, more than ${LIMITS.points}`,
      { hint: 'ask for fewer windows, or send a shorter history' },
    );
  }
  if (windows.length === 0) return series.map(() => []);
  const { forecasts } = await forecaster.forecast(
    backtestRequest(request, windows, horizon),
    signal,
  );
  const outcomes: WindowOutcome[][] = series.map(() => []);
  windows.forEach(({ index, origin }, i) => {
    const actual = observedTarget(series[index]!).subarray(origin, origin + horizon);
    outcomes[index]!.push({ origin, predicted: forecasts[i]!.mean, actual });
  });
  return outcomes;
};
