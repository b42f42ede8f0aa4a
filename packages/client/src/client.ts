/** The SDK: a typed client of the daemon over fetch, for Node and browsers. */
import type { BatchRun } from '@tollama/core/batch-run';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import type { JobState } from '@tollama/core/training-job';
import type {
  AnalyzeBody,
  AnalyzeResponse,
  AutoForecastBody,
  AutoForecastResponse,
  CompareBody,
  CompareResponse,
  ConformalBody,
  ConformalResponse,
  CounterfactualBody,
  CounterfactualResponse,
  GenerateBody,
  GenerateResponse,
  PipelineBody,
  PipelineResponse,
  ReconcileBody,
  ReconcileResponse,
  ReportBody,
  ReportResponse,
  ScenarioTreeBody,
  ScenarioTreeResponse,
  WhatIfBody,
  WhatIfResponse,
} from './analyses.ts';
import { readAnswer } from './broken-answer.ts';
import { askForEvents, postForLines } from './long-answers.ts';
import type { ServerEvent } from './streams.ts';
import { type CallOptions, type ClientOptions, type Request, Transport } from './transport.ts';
import type {
  CapabilitiesResponse,
  CreateBody,
  DashboardState,
  EventFilter,
  ForecastBody,
  InfoResponse,
  ModelfileBody,
  ModelsResponse,
  PruneResponse,
  PsResponse,
  PullBody,
  Readiness,
  StoredModelfile,
  StreamEvent,
  TagsResponse,
  TrainBody,
  UploadedSeries,
  UploadOptions,
  UsageResponse,
  ValidationResponse,
} from './types.ts';

type Answer = Readonly<Record<string, unknown>>;

/** Fields of a form; what is absent is left out. */
const formOf = (
  file: Blob,
  fields: Readonly<Record<string, string | number | boolean | undefined>>,
  name: string,
): FormData => {
  const form = new FormData();
  form.set('file', file, name);
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) form.set(field, String(value));
  }
  return form;
};

/**
 * Every method throws a TollamaError: `code` says what kind, `message` what was wrong, `hint` what to do.
 *
 * @example
 * const client = new TollamaClient();
 * const { forecasts } = await client.forecast({ model: 'auto', horizon: 12, series: [series] });
 */
export class TollamaClient {
  readonly baseUrl: string;
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options);
    this.baseUrl = this.#transport.baseUrl;
  }

  async #json<T>(path: string, request?: Request): Promise<T> {
    return (await readAnswer(await this.#transport.request(path, request))) as T;
  }

  #get<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#json(path, { ...options });
  }

  #post<T>(path: string, body: unknown, options?: CallOptions): Promise<T> {
    return this.#json(path, { method: 'POST', body, ...options });
  }

  /** For work that takes as long as it takes. */
  #ask<T>(path: string, body: unknown, options?: CallOptions): Promise<T> {
    return this.#json(path, { method: 'POST', body, isLong: true, ...options });
  }

  /** Whether a daemon answers at all. */
  async isHealthy(options?: CallOptions): Promise<boolean> {
    const request = { retries: 0, ...options };
    return this.#json<{ status: string }>('/v1/health', request).then(
      ({ status }) => status === 'ok',
      () => false,
    );
  }

  /** Whether the daemon can do its work: runners, disk. */
  readiness(options?: CallOptions): Promise<Readiness> {
    return this.#get('/health/ready', options);
  }

  async version(options?: CallOptions): Promise<string> {
    return (await this.#get<{ version: string }>('/api/version', options)).version;
  }

  /** How the daemon is set up and what it does. */
  info(options?: CallOptions): Promise<InfoResponse> {
    return this.#get('/api/info', options);
  }

  /** What a dashboard shows; parts that failed are null and told in `warnings`. */
  dashboardState(options?: CallOptions): Promise<DashboardState> {
    return this.#get('/api/dashboard/state', options);
  }

  /** Metrics in the text format of Prometheus. */
  async metrics(options?: CallOptions): Promise<string> {
    return (await this.#transport.request('/metrics', { ...options })).text();
  }

  /** What the caller's key has used. */
  usage(options?: CallOptions): Promise<UsageResponse> {
    return this.#get('/api/usage', options);
  }

  /** What the daemon does for the caller's key, until the signal is aborted or `maxEvents` came. */
  events({ names, heartbeat, maxEvents }: EventFilter = {}, options?: CallOptions) {
    const query = new URLSearchParams();
    if (names) query.set('events', names.join(','));
    if (heartbeat !== undefined) query.set('heartbeat', String(heartbeat));
    if (maxEvents !== undefined) query.set('max_events', String(maxEvents));
    return askForEvents(this.#transport, `/api/events?${query}`, { isLong: true, ...options });
  }

  /** Installed models. */
  tags(options?: CallOptions): Promise<TagsResponse> {
    return this.#get('/api/tags', options);
  }

  /** Models on offer and installed. */
  models(options?: CallOptions): Promise<ModelsResponse> {
    return this.#get('/v1/models', options);
  }

  /** What a model can do: covariates, limits, whether it is ready. */
  capabilities(model: string, options?: CallOptions): Promise<CapabilitiesResponse> {
    return this.#get(`/v1/models/${encodeURIComponent(model)}/capabilities`, options);
  }

  /** Loaded models. */
  ps(options?: CallOptions): Promise<PsResponse> {
    return this.#get('/api/ps', options);
  }

  show(model: string, options?: CallOptions): Promise<Answer> {
    return this.#post('/api/show', { model }, options);
  }

  delete(model: string, options?: CallOptions): Promise<Answer> {
    return this.#json('/api/delete', { method: 'DELETE', body: { model }, ...options });
  }

  /** Statuses of a pull as they come; the last one is `success`. Throws PULL_FAILED when it fails midway. */
  pull(body: PullBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return postForLines(this.#transport, '/api/pull', { body, ...options });
  }

  /** Makes a model; statuses as they come. */
  create(body: CreateBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return postForLines(this.#transport, '/api/create', { body, ...options });
  }

  /** The same model under another name. */
  copy(source: string, destination: string, options?: CallOptions): Promise<Answer> {
    return this.#ask('/api/copy', { source, destination }, options);
  }

  /** Compares the files of a model with their hashes; a status for each, then `success` or `damaged`. */
  verify(model: string, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return postForLines(this.#transport, '/api/verify', { body: { model }, ...options });
  }

  /** Removes what no model needs, or with `dryRun` only tells. */
  prune(dryRun = false, options?: CallOptions): Promise<PruneResponse> {
    return this.#ask('/api/prune', { dry_run: dryRun }, options);
  }

  /** Frees a loaded model's memory; it is loaded again when it is needed. */
  unload(model: string, options?: CallOptions): Promise<Answer> {
    return this.#post('/api/stop', { model }, options);
  }

  /** Whether a forecast body would be accepted, and what is wrong with it; throws only when nobody answers. */
  validate(body: unknown, options?: CallOptions): Promise<ValidationResponse> {
    return this.#post('/api/validate', body, options);
  }

  /** One forecast for each series, in their order. */
  forecast(body: ForecastBody, options?: CallOptions): Promise<ForecastResponse> {
    return this.#ask('/v1/forecast', body, options);
  }

  /** The same as lines of progress, the last of which carries the response. */
  forecastStream(body: ForecastBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return postForLines(this.#transport, '/api/forecast', { body, ...options });
  }

  /** The same as events: model_loading, inference_started, series_complete, done. */
  forecastEvents(body: ForecastBody, options?: CallOptions): AsyncGenerator<ServerEvent> {
    return askForEvents(this.#transport, '/api/forecast/stream', {
      method: 'POST',
      body,
      isLong: true,
      ...options,
    });
  }

  /** A forecast of the series in a file: CSV, JSON, NDJSON or Parquet. */
  forecastFile(
    file: Blob,
    request: Omit<ForecastBody, 'series'>,
    upload: UploadOptions = {},
    options?: CallOptions,
  ): Promise<ForecastResponse> {
    const { name = 'upload', ...fields } = upload;
    const form = formOf(file, { ...fields, payload: JSON.stringify(request) }, name);
    return this.#ask('/api/forecast/upload', form, options);
  }

  /** The series in a file. */
  readFile(file: Blob, upload: UploadOptions = {}, options?: CallOptions): Promise<UploadedSeries> {
    const { name = 'upload', ...fields } = upload;
    return this.#ask('/api/ingest/upload', formOf(file, fields, name), options);
  }

  /** A forecast by whichever installed model fits, or by several together. */
  autoForecast(body: AutoForecastBody, options?: CallOptions): Promise<AutoForecastResponse> {
    return this.#ask('/api/auto-forecast', body, options);
  }

  /** A quick forecast first, a better one after it, as events. */
  progressiveForecast(body: AutoForecastBody, options?: CallOptions): AsyncGenerator<ServerEvent> {
    return askForEvents(this.#transport, '/api/forecast/progressive', {
      method: 'POST',
      body,
      isLong: true,
      ...options,
    });
  }

  /** The same forecast by several models; one that fails does not stop the others. */
  compare(body: CompareBody, options?: CallOptions): Promise<CompareResponse> {
    return this.#ask('/api/compare', body, options);
  }

  /** Forecasts of changed data. */
  whatIf(body: WhatIfBody, options?: CallOptions): Promise<WhatIfResponse> {
    return this.#ask('/api/what-if', body, options);
  }

  /** What would have come without an intervention. */
  counterfactual(body: CounterfactualBody, options?: CallOptions): Promise<CounterfactualResponse> {
    return this.#ask('/api/counterfactual', body, options);
  }

  /** Paths that branch at quantiles. */
  scenarioTree(body: ScenarioTreeBody, options?: CallOptions): Promise<ScenarioTreeResponse> {
    return this.#ask('/api/scenario-tree', body, options);
  }

  /** Frequency, seasons, trend, anomalies and quality of series. */
  analyze(body: AnalyzeBody, options?: CallOptions): Promise<AnalyzeResponse> {
    return this.#ask('/api/analyze', body, options);
  }

  /** New series like the given ones. */
  generate(body: GenerateBody, options?: CallOptions): Promise<GenerateResponse> {
    return this.#ask('/api/generate', body, options);
  }

  /** Forecasts of a hierarchy made to add up. */
  reconcile(body: ReconcileBody, options?: CallOptions): Promise<ReconcileResponse> {
    return this.#ask('/api/reconcile', body, options);
  }

  /** Forecasts with intervals that hold what they promise. */
  conformal(body: ConformalBody, options?: CallOptions): Promise<ConformalResponse> {
    return this.#ask('/api/conformal', body, options);
  }

  /** Analysis, recommendation and forecast in one. */
  pipeline(body: PipelineBody, options?: CallOptions): Promise<PipelineResponse> {
    return this.#ask('/api/pipeline', body, options);
  }

  /** The same with a seasonal naive forecast beside. */
  report(body: ReportBody, options?: CallOptions): Promise<ReportResponse> {
    return this.#ask('/api/report', body, options);
  }

  /** Forecast profiles of the daemon. */
  async modelfiles(options?: CallOptions): Promise<readonly StoredModelfile[]> {
    const path = '/api/modelfiles';
    return (await this.#get<{ modelfiles: readonly StoredModelfile[] }>(path, options)).modelfiles;
  }

  modelfile(name: string, options?: CallOptions): Promise<StoredModelfile> {
    return this.#get(`/api/modelfiles/${encodeURIComponent(name)}`, options);
  }

  /** Writes a forecast profile, as fields or as YAML. */
  saveModelfile(body: ModelfileBody, options?: CallOptions): Promise<StoredModelfile> {
    return this.#post('/api/modelfiles', body, options);
  }

  deleteModelfile(name: string, options?: CallOptions): Promise<Answer> {
    const path = `/api/modelfiles/${encodeURIComponent(name)}`;
    return this.#json(path, { method: 'DELETE', ...options });
  }

  /** Starts a training; it runs when its turn comes. */
  train(body: TrainBody, options?: CallOptions): Promise<JobState> {
    return this.#ask('/api/train', body, options);
  }

  /** All trainings, the newest first. */
  async trainings(options?: CallOptions): Promise<readonly JobState[]> {
    return (await this.#get<{ jobs: readonly JobState[] }>('/api/train', options)).jobs;
  }

  training(id: string, options?: CallOptions): Promise<JobState> {
    return this.#get(`/api/train/${encodeURIComponent(id)}`, options);
  }

  /** Events past the number `after`, until the training ends; the last one, `end`, is the job. */
  trainingEvents(id: string, after = 0, options?: CallOptions): AsyncGenerator<ServerEvent> {
    const path = `/api/train/${encodeURIComponent(id)}/events?after=${after}`;
    return askForEvents(this.#transport, path, { isLong: true, ...options });
  }

  /** Ends a training after the step under way; `resumeTraining` goes on from there. */
  stopTraining(id: string, options?: CallOptions): Promise<JobState> {
    return this.#json(`/api/train/${encodeURIComponent(id)}`, { method: 'DELETE', ...options });
  }

  resumeTraining(id: string, options?: CallOptions): Promise<JobState> {
    return this.#post(`/api/train/${encodeURIComponent(id)}/resume`, {}, options);
  }

  /** Runs of `tollama batch` on the daemon's machine, the latest first. */
  async batches(options?: CallOptions): Promise<readonly BatchRun[]> {
    return (await this.#get<{ batches: readonly BatchRun[] }>('/api/batches', options)).batches;
  }

  /** Asks a run to stop; the same command goes on with it. */
  stopBatch(id: string, options?: CallOptions): Promise<BatchRun> {
    return this.#json(`/api/batches/${encodeURIComponent(id)}`, { method: 'DELETE', ...options });
  }

  /** Forgets a run that is over; its output stays. */
  async forgetBatch(id: string, options?: CallOptions): Promise<void> {
    const path = `/api/batches/${encodeURIComponent(id)}?purge=true`;
    await this.#json(path, { method: 'DELETE', ...options });
  }
}
