/** Series of a hierarchy forecast by one model, and made coherent by the errors of its own backtests. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { asForecastRequest } from '@tollama/core/forecast-variants';
import type { Series } from '@tollama/core/series';
import type { ReconcileSeriesRequest } from '@tollama/core/series-requests';
import { observedTarget } from '../analysis/observed.ts';
import { runBacktest, type WindowOutcome } from '../auto/run-backtest.ts';
import type { DaemonContext } from '../context.ts';
import { reEnriched } from '../forecast/enrich.ts';
import { type Caller, serveForecast } from '../forecast/serve-forecast.ts';
import { type Structure, structureOf } from './hierarchy.ts';
import { type Residuals, reconcileForecasts } from './reconcile.ts';

/** The sum of leaves as a series of its own; a step is missing where one of them is. */
const summed = (id: string, leaves: readonly Series[]): Series => {
  const [first] = leaves;
  const values = leaves.map(observedTarget);
  const odd = leaves.find(
    ({ timestamps }) =>
      timestamps.length !== first!.timestamps.length ||
      timestamps.some((stamp, i) => stamp !== first!.timestamps[i]),
  );
  if (odd) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `series '${id}' is not given and cannot be summed: '${odd.id}' has other timestamps than '${first!.id}'`,
      { hint: `send '${id}' too, or align the timestamps` },
    );
  }
  const target = first!.target.map((_, t) => values.reduce((sum, own) => sum + own[t]!, 0));
  const actuals = leaves.every((leaf) => leaf.actuals)
    ? first!.actuals!.map((_, step) => leaves.reduce((sum, leaf) => sum + leaf.actuals![step]!, 0))
    : null;
  return {
    id,
    actuals,
    freq: first!.freq,
    timestamps: first!.timestamps,
    target: target.map((value) => (Number.isNaN(value) ? 0 : value)),
    missing_indices: target.flatMap((value, t) => (Number.isNaN(value) ? [t] : [])),
  };
};

/** All series of the tree; parents that were not sent are summed. */
const completeSeries = (
  given: readonly Series[],
  { ids, leaves, below }: Structure,
): readonly Series[] => {
  const byId = new Map(given.map((series) => [series.id, series]));
  const missing = leaves.filter((id) => !byId.has(id));
  if (missing.length > 0) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `series has no ${missing.map((id) => `'${id}'`).join(', ')}, which the hierarchy names`,
      { hint: 'send a series for each leaf' },
    );
  }
  const own = ids.map(
    (id, i) =>
      byId.get(id) ??
      summed(
        id,
        below[i]!.map((leaf) => byId.get(leaves[leaf]!)!),
      ),
  );
  const inside = new Set(ids);
  return [...own, ...given.filter(({ id }) => !inside.has(id))];
};

/** Errors at the steps of windows that all series have; undefined where there are too few of them. */
const residualsOf = (
  { ids }: Structure,
  outcomes: readonly (readonly WindowOutcome[])[],
): Residuals | undefined => {
  const own = outcomes.slice(0, ids.length);
  const windows = Math.min(...own.map(({ length }) => length));
  const errors: number[][] = ids.map(() => []);
  for (let w = 0; w < windows; w++) {
    const rows = own.map((outcome) => outcome[w]!);
    for (let step = 0; step < rows[0]!.actual.length; step++) {
      const row = rows.map(({ actual, predicted }) => actual[step]! - predicted[step]!);
      if (row.some(Number.isNaN)) continue;
      row.forEach((error, i) => {
        errors[i]!.push(error);
      });
    }
  }
  if (errors[0]!.length < 2) return undefined;
  return Object.fromEntries(ids.map((id, i) => [id, errors[i]!]));
};

export const reconcileSeries = async (
  request: ReconcileSeriesRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<ForecastResponse> => {
  const { model, hierarchy, method, proportions } = request;
  const structure = structureOf(hierarchy);
  const series = [...completeSeries(request.series, structure)];
  const plain = { ...asForecastRequest(model, request), series };
  const withoutMetrics = { ...plain, parameters: { ...plain.parameters, metrics: null } };
  const residuals =
    method === 'mint_shrink'
      ? residualsOf(structure, await runBacktest(withoutMetrics, request, context, caller.signal))
      : undefined;
  const response = await serveForecast(context, withoutMetrics, caller);
  const choice = { method, proportions, residuals };
  const { warnings, ...result } = reconcileForecasts(response.forecasts, structure, choice);
  return reEnriched(plain, {
    ...response,
    ...result,
    warnings: [...(response.warnings ?? []), ...warnings],
  });
};
