/** One candidate of a plan: fitted and asked by its name, whether a foundation model or a baseline. */
import type { SeriesForecast, TaskSeries } from '../backend/backend.ts';
import { TSAgentKitError, toSessionError } from '../errors/session-error.ts';
import type { Panel, PanelSeries } from '../frame/panel.ts';
import { type Plan, TSFM_PREFIX } from '../plan/plan.ts';
import { countBatch, countOutOfMemory } from '../pool/load-metrics.ts';
import type { ModelPool } from '../pool/model-pool.ts';
import { forecastBaseline, isBaseline } from './baselines.ts';

/** What fitting left; no weights. */
export interface ModelArtifact {
  readonly model_name: string;
  readonly signature: string;
  readonly fit_time_ms: number;
  readonly n_series: number;
}

export interface CandidateContext {
  readonly pool: ModelPool | undefined;
  readonly plan: Plan;
  readonly signal?: AbortSignal | undefined;
}

export interface Asked {
  readonly h: number;
  /** Ascending. */
  readonly quantiles: readonly number[];
}

const adapterOf = (name: string): string | undefined =>
  name.startsWith(TSFM_PREFIX) ? name.slice(TSFM_PREFIX.length) : undefined;

/** A strict miss is a failed fit for the ladder, and says what to do about it. */
const acquire = async (
  pool: ModelPool | undefined,
  adapter: string,
  code: 'E_MODEL_FIT_FAIL' | 'E_MODEL_PREDICT_FAIL',
) => {
  if (!pool) {
    throw new TSAgentKitError('E_ADAPTER_NOT_AVAILABLE', `there is no pool for '${adapter}'`, {
      context: { adapter_name: adapter, configured_adapters: [] },
      fixHint: 'give the session a ModelPool',
    });
  }
  try {
    return await pool.acquire(adapter);
  } catch (error) {
    if (!(error instanceof TSAgentKitError) || error.code !== 'E_MODEL_NOT_LOADED') throw error;
    throw new TSAgentKitError(code, error.reason, {
      context: { ...error.context, reason: 'adapter_not_preloaded' },
      fixHint: error.fixHint,
      cause: error,
    });
  }
};

const lastPoints = <T extends { slice(from: number): T }>(values: T, most: number): T =>
  values.slice(Math.max(0, (values as unknown as { length: number }).length - most));

const asTask = (one: PanelSeries, { freq }: Panel, plan: Plan): TaskSeries => {
  const most = plan.max_train_size;
  const past = Object.entries(one.past).map(([name, values]) => [
    name,
    lastPoints([...values], most),
  ]);
  const usesFuture = plan.use_future_known && Object.keys(one.future).length > 0;
  return {
    id: one.id,
    freq,
    timestamps: lastPoints([...one.timestamps], most),
    target: one.target.subarray(Math.max(0, one.target.length - most)),
    ...(plan.use_past && past.length > 0 && { pastCovariates: Object.fromEntries(past) }),
    ...(usesFuture && {
      pastCovariates: Object.fromEntries(past),
      futureCovariates: one.future,
    }),
    ...(plan.use_static && { staticCovariates: one.statics }),
  };
};

/**
 * Fits one candidate; of foundation models that is a check that it is loaded.
 *
 * @throws TSAgentKitError E_MODEL_FIT_FAIL, E_ADAPTER_NOT_AVAILABLE, E_MODEL_LOAD_FAILED, E_OOM
 */
export const fitCandidate = async (
  name: string,
  panel: Panel,
  asked: Asked,
  { pool, plan }: CandidateContext,
): Promise<ModelArtifact> => {
  const started = performance.now();
  const artifact = (signature: string): ModelArtifact => ({
    model_name: name,
    signature,
    fit_time_ms: performance.now() - started,
    n_series: panel.series.length,
  });
  const adapter = adapterOf(name);
  if (adapter === undefined) {
    if (isBaseline(name)) return artifact(`${name}:1`);
    throw new TSAgentKitError('E_ADAPTER_NOT_AVAILABLE', `there is no model '${name}'`, {
      context: { adapter_name: name },
      fixHint: `use ${TSFM_PREFIX}<adapter>, SeasonalNaive, HistoricAverage, Naive or Croston`,
    });
  }
  const loaded = await acquire(pool, adapter, 'E_MODEL_FIT_FAIL');
  try {
    const series = panel.series.map((one) => asTask(one, panel, plan));
    const fit = await loaded.fit(series, asked.h, asked.quantiles);
    return artifact(fit.signature);
  } catch (error) {
    throw toSessionError(error, 'E_MODEL_FIT_FAIL', { model: name });
  }
};

const isWhole = ({ mean, quantiles }: SeriesForecast, { h, quantiles: levels }: Asked): boolean =>
  mean.length === h &&
  mean.every(Number.isFinite) &&
  (quantiles.length === 0 || quantiles.length === levels.length) &&
  quantiles.every((row) => row.length === h && row.every(Number.isFinite));

export interface CandidateForecasts {
  readonly forecasts: ReadonlyMap<string, SeriesForecast>;
  /** Series that the model gave nothing, or something that is no number. */
  readonly missing: readonly string[];
}

/**
 * Asks one candidate. A series without a whole forecast is reported, never filled with zeros.
 *
 * @throws TSAgentKitError E_MODEL_PREDICT_FAIL, E_OOM
 */
export const predictCandidate = async (
  name: string,
  panel: Panel,
  asked: Asked,
  { pool, plan, signal }: CandidateContext,
): Promise<CandidateForecasts> => {
  const started = performance.now();
  const adapter = adapterOf(name);
  let given: readonly SeriesForecast[];
  if (adapter === undefined && isBaseline(name)) {
    given = panel.series.map((one) => forecastBaseline(name, one, panel, asked));
  } else {
    const loaded = await acquire(pool, adapter ?? name, 'E_MODEL_PREDICT_FAIL');
    const series = panel.series.map((one) => asTask(one, panel, plan));
    try {
      const { forecasts } = await loaded.predict(series, asked.h, asked.quantiles, {
        ...(signal && { signal }),
      });
      given = forecasts;
    } catch (error) {
      signal?.throwIfAborted();
      const failed = toSessionError(error, 'E_MODEL_PREDICT_FAIL', { model: name });
      if (failed.code === 'E_OOM') countOutOfMemory();
      throw failed;
    }
  }
  countBatch(performance.now() - started);
  const whole = new Map(
    given.filter((one) => isWhole(one, asked)).map((forecast) => [forecast.id, forecast]),
  );
  return {
    forecasts: whole,
    missing: panel.series.filter(({ id }) => !whole.has(id)).map(({ id }) => id),
  };
};
