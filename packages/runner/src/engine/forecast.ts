/** From requests to one task and back: what the model sees, and what the client gets. */
import { TollamaError } from '@tollama/core/errors';
import { type Forecast, quantileKey, type RunnerForecast } from '@tollama/core/forecast-response';
import { SessionChoice } from '@tollama/core/runner-protocol';
import type { ModelSeries, Outcome, SeriesForecast, Task } from '@tollama/models/family';
import { type WatchedOptions, watchOptions } from '@tollama/models/unread-options';
import { dependsOnCompany, type ForecastJob } from './batch.ts';
import { firstForecastTimestamp } from './first-timestamp.ts';
import type { RunnerSeries } from './forecast-params.ts';
import type { LoadedModels } from './loaded-models.ts';
import { plainNumbers } from './plain-numbers.ts';
import type { ReadyModel } from './ready-model.ts';

const SMALL_MODEL_BYTES = 20e6;

/**
 * Series of one run of a graph; more are cut, neighbours in length together. Beyond 32 a large model gets
 * slower per series and takes more memory (bench/README.md); a small one is ruled by the overhead of a run.
 */
const chunkSeries = ({ sizeBytes }: ReadyModel): number =>
  sizeBytes < SMALL_MODEL_BYTES ? 256 : 32;

/** The target with NaN where a value is missing. */
const observedTarget = ({ target, missing_indices }: RunnerSeries): ArrayLike<number> => {
  if (!missing_indices?.length) return target;
  const values = Float64Array.from(target);
  for (const at of missing_indices) values[at] = Number.NaN;
  return values;
};

const toModelSeries = (series: RunnerSeries): ModelSeries => ({
  id: series.id,
  freq: series.freq,
  start: series.timestamps[0]!,
  targets: [observedTarget(series)],
  ...(series.past_covariates && { pastCovariates: series.past_covariates }),
  ...(series.future_covariates && { futureCovariates: series.future_covariates }),
  ...(series.static_covariates && { staticCovariates: series.static_covariates }),
});

/** Runs the task in chunks of similar lengths, so that little is padded; keeps the order of the series. */
const forecastInChunks = async (
  model: ReadyModel,
  task: Task,
  { isWhole, signal }: { readonly isWhole: boolean; readonly signal: AbortSignal | undefined },
): Promise<Outcome> => {
  const size = chunkSeries(model);
  if (isWhole || task.series.length <= size) return model.forecast(task, signal);
  const order = task.series.map((series, at) => ({ at, length: series.targets[0]!.length }));
  order.sort((a, b) => b.length - a.length || a.at - b.at);
  const forecasts = new Array<SeriesForecast>(task.series.length);
  const warnings = new Set<string>();
  for (let from = 0; from < order.length; from += size) {
    const chunk = order.slice(from, from + size);
    signal?.throwIfAborted();
    const part = { ...task, series: chunk.map(({ at }) => task.series[at]!) };
    const outcome = await model.forecast(part, signal);
    chunk.forEach(({ at }, i) => {
      forecasts[at] = outcome.forecasts[i]!;
    });
    for (const warning of outcome.warnings) warnings.add(warning);
  }
  return { forecasts, warnings: [...warnings] };
};

const TOO_LARGE = 'values may be too large for float32; rescale the series';

/** Names the series; the model's own word on it, where there is one, stands for the hint. */
const noForecast = (id: string, { params }: ForecastJob, warnings: readonly string[]) => {
  const told = warnings.find((warning) => warning.startsWith(`series '${id}'`));
  const message = `model '${params.model}' gave no finite forecast for series '${id}'`;
  return new TollamaError('RUNNER_ERROR', message, { hint: told ?? TOO_LARGE });
};

const toForecast = (
  series: RunnerSeries,
  { targets, explanation }: SeriesForecast,
  job: ForecastJob,
  warnings: readonly string[],
): Forecast => {
  const { quantiles: levels } = job.params;
  const [target] = targets;
  const finite = (values: ArrayLike<number>): number[] => {
    const list = Array.from(values);
    if (list.every(Number.isFinite)) return list;
    throw noForecast(series.id, job, warnings);
  };
  const hasQuantiles = levels.length > 0 && target!.quantiles.length === levels.length;
  const rows = levels.map((level, i) => [quantileKey(level), finite(target!.quantiles[i] ?? [])]);
  return {
    id: series.id,
    freq: series.freq,
    start_timestamp: firstForecastTimestamp(series),
    mean: finite(target!.mean),
    quantiles: hasQuantiles ? Object.fromEntries(rows) : null,
    ...(explanation && { explanation: plainNumbers(explanation) as Record<string, unknown> }),
  };
};

/** The parts of a request's options that choose the session. Throws INVALID_REQUEST with the value. */
const sessionChoice = (options: Readonly<Record<string, unknown>>): SessionChoice => {
  const parsed = SessionChoice.safeParse(options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue!.path[0]);
  throw new TollamaError(
    'INVALID_REQUEST',
    `options.${name} = ${JSON.stringify(options[name])}: ${issue!.message}`,
  );
};

/** Told of each option that neither the session nor the model looked at. */
const unusedOptions = ({ unread }: WatchedOptions, model: string): readonly string[] =>
  unread()
    .filter((name) => name !== 'parameters' && !Object.hasOwn(SessionChoice.shape, name))
    .map((name) => `options.${name} means nothing to model '${model}' and was not used`);

/** What all jobs of a run have in common. */
interface Run {
  readonly model: ReadyModel;
  readonly runner: string;
  readonly seriesCount: number;
  readonly timing: RunnerForecast['timing'];
  readonly warnings: readonly string[];
  /** Of `unusedOptions`. */
  readonly unused: readonly string[];
}

/** The answer to one of the jobs of a run, from the forecasts of its own series. */
const toResult = (
  job: ForecastJob,
  own: readonly SeriesForecast[],
  { model, runner, seriesCount, timing, warnings, unused }: Run,
): RunnerForecast => {
  const { model: name, horizon, quantiles, series } = job.params;
  const forecasts = series.map((one, i) => toForecast(one, own[i]!, job, warnings));
  const isPoint = quantiles.length > 0 && forecasts.every((one) => one.quantiles === null);
  const missing = isPoint ? [`model '${name}' gives a point forecast; quantiles are left out`] : [];
  return {
    model: name,
    forecasts,
    usage: {
      runner,
      device: model.device,
      precision: model.precision,
      family: model.family,
      series_count: forecasts.length,
      horizon,
      batch_series: seriesCount,
      peak_memory_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    },
    timing,
    warnings: [...warnings, ...missing, ...unused],
  };
};

/**
 * Forecasts for jobs that share model, horizon, quantiles and options; one result for each.
 *
 * @param runner name of this process, for the answers
 * @throws TollamaError INVALID_REQUEST for an option out of range, RUNNER_ERROR for a forecast that is not finite,
 *   whatever the model throws, and the reason of the signal, between two runs of a graph
 */
export const forecastBatch = async (
  models: LoadedModels,
  jobs: readonly ForecastJob[],
  { runner, signal }: { readonly runner: string; readonly signal?: AbortSignal },
): Promise<RunnerForecast[]> => {
  const { params } = jobs[0]!;
  const waited = performance.now();
  const model = await models.get(params, sessionChoice(params.options));
  const started = performance.now();
  const series = jobs.flatMap((job) => job.params.series);
  const watched = watchOptions({ ...params.options, parameters: params.parameters });
  const task: Task = {
    series: series.map(toModelSeries),
    horizon: params.horizon,
    quantiles: params.quantiles,
    options: watched.options,
  };
  const { forecasts, warnings } = await forecastInChunks(model, task, {
    isWhole: dependsOnCompany(params),
    signal,
  });
  const unused = unusedOptions(watched, params.model);
  const timing = { model_load_ms: started - waited, inference_ms: performance.now() - started };
  const run = { model, runner, seriesCount: series.length, timing, warnings, unused };
  let next = 0;
  return jobs.map((job) => {
    const from = next;
    next += job.params.series.length;
    return toResult(job, forecasts.slice(from, next), run);
  });
};
