/** Forecasts of a panel that add up along a hierarchy. */

import { toSessionError } from '../errors/session-error.ts';
import type { ModelForecast } from '../forecast/forecast-panel.ts';
import type { Panel } from '../frame/panel.ts';
import { openHierarchy } from '../hierarchy/hierarchy.ts';
import { reconcile } from '../hierarchy/reconcile.ts';
import type { PredictOptions } from './session-options.ts';

/** Errors of seasonal naive within the history: what minimal trace weighs series by. */
const seasonalSteps = (target: Float64Array, season: number): Float64Array => {
  const lag = season < target.length ? season : 1;
  return target.slice(lag).map((value, i) => {
    const step = value - target[i]!;
    return Number.isNaN(step) ? 0 : step;
  });
};

/** The last errors that all series have. */
const alignEnds = (
  errors: Readonly<Record<string, Float64Array>>,
): Record<string, Float64Array> => {
  const shortest = Object.values(errors).reduce(
    (least, { length }) => Math.min(least, length),
    Number.MAX_SAFE_INTEGER,
  );
  return Object.fromEntries(
    Object.entries(errors).map(([id, row]) => [id, row.subarray(row.length - shortest)]),
  );
};

/** Makes forecasts add up where a hierarchy is given; series outside of it stay as they are. */
export const reconcilePanel = (
  panel: Panel,
  byId: ReadonlyMap<string, ModelForecast>,
  { hierarchy, reconciliationMethod = 'bottom_up' }: PredictOptions,
): ReadonlyMap<string, ModelForecast> => {
  if (!hierarchy) return byId;
  try {
    return coherent(panel, byId, { hierarchy, reconciliationMethod });
  } catch (error) {
    throw toSessionError(error, 'E_TASK_SPEC_INVALID', { field: 'hierarchy' });
  }
};

const coherent = (
  { series, season }: Panel,
  byId: ReadonlyMap<string, ModelForecast>,
  {
    hierarchy,
    reconciliationMethod,
  }: Required<Pick<PredictOptions, 'hierarchy' | 'reconciliationMethod'>>,
): ReadonlyMap<string, ModelForecast> => {
  const opened = openHierarchy(hierarchy);
  const inside = series.filter(({ id }) => opened.ids.includes(id));
  const errors = Object.fromEntries(
    inside.map(({ id, target }) => [id, seasonalSteps(target, season)]),
  );
  const reconciled = reconcile(
    opened,
    inside.map(({ id }) => byId.get(id)!.forecast),
    { method: reconciliationMethod, errors: alignEnds(errors) },
  );
  const merged = new Map(byId);
  for (const forecast of reconciled) {
    const before = byId.get(forecast.id);
    if (before) merged.set(forecast.id, { model: before.model, forecast });
  }
  return merged;
};
