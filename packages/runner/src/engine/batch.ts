/** Micro-batching: requests that wait for the same model and ask the same of it share one run. */
import { priorityLevel } from '@tollama/core/priority';
import type { TraceContext } from '@tollama/telemetry/trace-context';
import type { ForecastParams } from './forecast-params.ts';

export interface ForecastJob {
  readonly kind: 'forecast';
  readonly id: string;
  readonly params: ForecastParams;
  /** The caller's trace, where there is one and spans are sent. */
  readonly trace?: { readonly parent: TraceContext; readonly receivedMs: number } | undefined;
}

/** Series of one batch; a single larger request still runs whole. */
const MAX_BATCH_SERIES = 32;

/** Options under which a forecast depends on which series it is made with. */
const OWN_RUN_OPTIONS = ['cross_learning', 'uniforms', 'noise'];

/**
 * Whether the forecasts of a request depend on which series are forecast together: some models learn
 * across series, encode words over all of them, or fit one regression on the covariates of all.
 */
export const dependsOnCompany = ({ options, series }: ForecastParams): boolean =>
  OWN_RUN_OPTIONS.some((name) => options[name]) ||
  series.some((one) => one.past_covariates ?? one.future_covariates ?? one.static_covariates);

/** Equal for requests that may share a run: forecasts must not depend on who else asks. */
const batchKey = ({ id, params }: ForecastJob): string => {
  const { model, model_local_dir, model_adapter_dir, horizon, quantiles, options, parameters } =
    params;
  const what = [model, model_local_dir, model_adapter_dir, horizon, quantiles, options, parameters];
  return dependsOnCompany(params) ? id : JSON.stringify(what);
};

const isForecast = (job: { readonly kind: string }): job is ForecastJob => job.kind === 'forecast';

/**
 * Takes the forecast that is first by priority and arrival, and those after it that may share its run, out of
 * the queue. Nothing waits for company: what is there is taken.
 */
export const takeBatch = (
  queue: { readonly kind: string }[],
  maxSeries = MAX_BATCH_SERIES,
): ForecastJob[] => {
  // An unload or load keeps its place: later requests may depend on it.
  const control = queue.findIndex((job) => !isForecast(job));
  const waiting = (control < 0 ? queue : queue.slice(0, control)).filter(isForecast);
  const level = ({ params }: ForecastJob): number => priorityLevel(params.priority);
  const ordered = waiting.toSorted((a, b) => level(a) - level(b));
  const batch = new Set<ForecastJob>();
  let key: string | undefined;
  let count = 0;
  for (const job of ordered) {
    const size = job.params.series.length;
    const fits = key === undefined || (count + size <= maxSeries && batchKey(job) === key);
    if (!fits) continue;
    key ??= batchKey(job);
    count += size;
    batch.add(job);
  }
  const left = queue.filter((job) => !isForecast(job) || !batch.has(job));
  queue.splice(0, queue.length, ...left);
  return [...batch];
};
