/** Micro-batching: requests that wait for the same model and ask the same of it share one run. */
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
 * Takes the first forecast and those after it that may share its run out of the queue. Nothing waits for
 * company: what is there is taken.
 */
export const takeBatch = (
  queue: { readonly kind: string }[],
  maxSeries = MAX_BATCH_SERIES,
): ForecastJob[] => {
  const batch: ForecastJob[] = [];
  let key: string | undefined;
  let count = 0;
  for (let i = 0; i < queue.length; ) {
    const job = queue[i]!;
    // An unload or load keeps its place: later requests may depend on it.
    if (!isForecast(job)) break;
    const size = job.params.series.length;
    const fits = key === undefined || (count + size <= maxSeries && batchKey(job) === key);
    if (!fits) {
      i++;
      continue;
    }
    key ??= batchKey(job);
    count += size;
    batch.push(job);
    queue.splice(i, 1);
  }
  return batch;
};
