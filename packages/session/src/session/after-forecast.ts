/** What a run adds to its forecasts when it is asked to: calibration, anomalies, drift. */
import { detectAnomalies, type SeriesAnomalies } from '../anomaly/detect.ts';
import { applyConformal, errorScale, fitConformal } from '../calibration/conformal.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import { type Asked, type CandidateContext, predictCandidate } from '../forecast/candidates.ts';
import type { ModelForecast } from '../forecast/forecast-panel.ts';
import { type PastForecast, selectModels } from '../forecast/selection.ts';
import { type Panel, panelAt } from '../frame/panel.ts';
import { validateFrame } from '../frame/validate.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import type { AnomalySpec, Calibration } from './session-options.ts';

export interface AfterRequest {
  readonly panel: Panel;
  readonly spec: TaskSpec;
  readonly asked: Asked;
  readonly context: CandidateContext;
  readonly byId: ReadonlyMap<string, ModelForecast>;
}

/** Past forecasts of the models that were chosen; those of the backtest when there was one. */
const pastOfChosen = async (
  { panel, spec, asked, context, byId }: AfterRequest,
  known: readonly PastForecast[],
): Promise<readonly PastForecast[]> => {
  const models = [...new Set([...byId.values()].map(({ model }) => model))];
  const has = models.every((model) => known.some((one) => one.model === model));
  const all = has
    ? known
    : (await selectModels({ panel, spec, asked, context, candidates: models })).past;
  return all.filter(({ id, model }) => byId.get(id)?.model === model);
};

/**
 * Conformal quantiles from the errors of past forecasts.
 *
 * @throws TSAgentKitError E_CALIBRATION_FAIL without a past forecast
 */
export const calibrate = async (
  request: AfterRequest,
  known: readonly PastForecast[],
): Promise<{ readonly byId: Map<string, ModelForecast>; readonly artifact: Calibration }> => {
  const { panel, asked, byId } = request;
  const past = await pastOfChosen(request, known);
  if (past.length === 0) {
    throw new TSAgentKitError('E_CALIBRATION_FAIL', 'there is no past forecast to calibrate by', {
      fixHint: 'give longer series, or leave calibratorSpec out',
    });
  }
  const scales = new Map(
    panel.series.map(({ id, target }) => [id, errorScale(target, panel.season)]),
  );
  const conformal = fitConformal(
    past.map(({ id, actual, forecast }) => ({ actual, forecast, scale: scales.get(id)! })),
    asked.quantiles,
  );
  const moved = [...byId].map(
    ([id, { model, forecast }]) =>
      [id, { model, forecast: applyConformal(conformal, forecast, scales.get(id)!) }] as const,
  );
  return {
    byId: new Map(moved),
    artifact: { method: 'conformal', windows: past.length, offsets: conformal.offsets },
  };
};

/** Judges the latest points by the models that forecast their series. */
export const findAnomalies = async (
  { panel, spec, context, byId }: AfterRequest,
  { level = 99, last = spec.h }: AnomalySpec,
): Promise<readonly SeriesAnomalies[]> => {
  const whole = new Map(panel.series.map((one) => [one.id, one]));
  const parts = [...Map.groupBy(panel.series, ({ id }) => byId.get(id)!.model)];
  const judged = await Promise.all(
    parts.map(([model, series]) =>
      detectAnomalies(
        series.map(({ id, timestamps, target }) => ({ id, freq: panel.freq, timestamps, target })),
        async ({ series: known, horizon, quantiles }) => {
          const part = {
            ...panel,
            series: known.map(({ id, target }) => ({
              ...panelAt(whole.get(id)!, target.length, horizon),
              target,
            })),
          };
          const asked = { h: horizon, quantiles };
          const { forecasts } = await predictCandidate(model, part, asked, context);
          return { forecasts: [...forecasts.values()], warnings: [] };
        },
        { level, step: Math.min(spec.h, last), minHistory: 2, last },
      ),
    ),
  );
  return judged.flat();
};

export interface Drift {
  readonly id: string;
  /** Largest distance between the two distribution functions (Kolmogorov-Smirnov), 0 to 1. */
  readonly statistic: number;
  readonly threshold: number;
  readonly drifted: boolean;
}

const known = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();

const distance = (a: Float64Array, b: Float64Array): number => {
  let most = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
};

/** Critical value of the two-sample test at 1 %. */
const CRITICAL = 1.628;

/** How far the values of series have moved from those of a reference frame. */
export const detectDrift = (panel: Panel, spec: TaskSpec, reference: unknown): Drift[] => {
  const { groups, report } = validateFrame(reference, spec);
  if (!report.valid) {
    throw new TSAgentKitError('E_CONTRACT_INVALID', 'the reference data are no valid frame', {
      context: { errors: report.errors },
      fixHint: 'give reference data of the same columns',
    });
  }
  const before = new Map(groups.map(({ id, values }) => [id, known(values)]));
  return panel.series.flatMap(({ id, target }): Drift[] => {
    const then = before.get(id);
    const now = known(target);
    if (!then || then.length === 0 || now.length === 0) return [];
    const statistic = distance(then, now);
    const threshold = CRITICAL * Math.sqrt((then.length + now.length) / (then.length * now.length));
    return [{ id, statistic, threshold, drifted: statistic > threshold }];
  });
};
