/** One forecast from the parsed request to the response: which model, what it may use, run, account. */
import { type CovariateSupport, NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { type ForecastResponse, RunnerForecast } from '@tollama/core/forecast-response';
import { type KeepAlive, parseKeepAlive } from '@tollama/core/keep-alive';
import type { Manifest } from '@tollama/core/manifest';
import { isEmbeddedName, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { type Attributes, inSpan, tellActiveSpan } from '@tollama/telemetry';
import type { LoadedModels } from '../loaded/loaded-models.ts';
import type { FamilyQueue, Metrics } from '../observe/metrics.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { estimateBytes } from '../schedule/decide.ts';
import { type SlotLimits, type SlotOptions, Slots } from '../schedule/slots.ts';
import type { Home } from '../store/home.ts';
import { checkReceipt } from '../store/license-receipt.ts';
import type { ModelStore } from '../store/model-store.ts';
import { UnchangedFiles } from '../store/unchanged-files.ts';
import { filterCovariates } from './covariates.ts';
import { enrich } from './enrich.ts';
import { resolveFrequencies } from './frequency.ts';

export interface ForecasterOptions {
  readonly home: Home;
  readonly store: ModelStore;
  readonly supervisor: Supervisor;
  readonly loaded: LoadedModels;
  readonly metrics: Metrics;
  readonly defaultTimeoutMs: number;
  readonly defaultKeepAlive: string | undefined;
  readonly queue: SlotLimits;
}

/** The facts of a model that a forecast needs. */
interface Target {
  readonly name: string;
  readonly family: string;
  readonly support: CovariateSupport;
  readonly manifest: Manifest | undefined;
}

const contextOf = (manifest: Manifest | undefined): number | null => {
  const { max_context, context_length, default_context_length } = manifest?.metadata ?? {};
  const found = [max_context, context_length, default_context_length].find(
    (value) => typeof value === 'number',
  );
  return found ?? null;
};

/** Refuses a model that is only a name, and names those that could do instead. */
const checkReady = async ({ manifest, name }: Target, store: ModelStore): Promise<void> => {
  if (manifest?.metadata?.forecast_ready !== false) return;
  const usable = (await store.list())
    .filter(({ metadata }) => metadata?.forecast_ready !== false)
    .slice(0, 5)
    .map(({ name: other }) => `'${other}'`);
  throw new TollamaError('MODEL_UNSUPPORTED', `model '${name}' cannot forecast yet`, {
    hint: `use another model: ${[...usable, "'auto'"].join(', ')}`,
  });
};

export interface PrepareOptions {
  /** Leaves out what is told about the forecasts (explanation, metrics): for answers that are columns. */
  readonly isPlain?: boolean;
  /** Of the protocols that have one: among those that wait, the smaller number goes first. */
  readonly priority?: number | undefined;
}

/** What a trace tells of a forecast. */
const facts = ({ name, family }: Target, { horizon, series }: ForecastRequest): Attributes => ({
  'tollama.model': name,
  'tollama.family': family,
  'tollama.horizon': horizon,
  'tollama.series': series.length,
});

/** A request that may run. */
export interface PreparedForecast {
  run(signal?: AbortSignal): Promise<ForecastResponse>;
}

/** Timestamps that our own runner needs to know where the forecast starts. */
const LAST_TIMESTAMPS = 16;

const withLastTimestamps = <T extends { readonly timestamps: string[] }>(series: T): T => ({
  ...series,
  timestamps: series.timestamps.slice(-LAST_TIMESTAMPS),
});

export class Forecaster {
  readonly #options: ForecasterOptions;
  readonly #slots = new Map<string, Slots>();
  readonly #files = new UnchangedFiles();

  constructor(options: ForecasterOptions) {
    this.#options = options;
  }

  async #target(model: string): Promise<Target> {
    if (isEmbeddedName(model)) {
      return {
        name: model,
        family: STATISTICAL_FAMILY,
        support: NO_COVARIATES,
        manifest: undefined,
      };
    }
    const manifest = await this.#options.store.get(model);
    await checkReceipt(this.#options.home, manifest);
    await this.#files.check(manifest);
    return {
      name: model,
      family: manifest.family,
      support: manifest.capabilities ?? NO_COVARIATES,
      manifest,
    };
  }

  /** @throws TollamaError with the status that the contract gives */
  async forecast(request: ForecastRequest, signal?: AbortSignal): Promise<ForecastResponse> {
    return (await this.prepare(request)).run(signal);
  }

  /** Everything that can be refused before a model runs. Throws what `forecast` would. */
  async prepare(
    request: ForecastRequest,
    { isPlain = false, priority }: PrepareOptions = {},
  ): Promise<PreparedForecast> {
    const started = performance.now();
    const target = await this.#target(request.model);
    await checkReady(target, this.#options.store);
    const known = resolveFrequencies(request.series);
    const filtered = filterCovariates(known.series, {
      model: target.name,
      family: target.family,
      support: target.support,
      isStrict: request.parameters.covariates_mode === 'strict',
    });
    const keepAlive = parseKeepAlive(request.keep_alive ?? this.#options.defaultKeepAlive);
    const warnings = [...known.warnings, ...filtered.warnings];
    const run = async (signal?: AbortSignal): Promise<ForecastResponse> => {
      const result = await inSpan('forecast', { attributes: facts(target, request) }, () =>
        this.#account(target, request, keepAlive, { signal, priority }, () =>
          this.#run({ ...request, series: filtered.series }, target, { signal, priority }),
        ),
      );
      this.#observe(result, target);
      const plain = respond(
        result,
        target,
        [...warnings, ...(result.warnings ?? [])],
        performance.now() - started,
      );
      if (isPlain) return plain;
      return { ...plain, ...enrich({ ...request, series: known.series }, plain) };
    };
    return { run };
  }

  #observe({ timing, usage }: RunnerForecast, { family }: Target): void {
    const number = (value: unknown): number | undefined =>
      typeof value === 'number' ? value : undefined;
    this.#options.metrics.runner({
      family,
      runner: typeof usage?.runner === 'string' ? usage.runner : `tollama-${family}`,
      inferenceMs: timing?.inference_ms ?? 0,
      loadMs: timing?.model_load_ms ?? 0,
      peakMemoryMb: number(usage?.peak_memory_mb),
      batchSeries: number(usage?.batch_series),
    });
  }

  /** Waits for a place and for room, keeps the model while it works, and starts its time to live then. */
  async #account(
    target: Target,
    request: ForecastRequest,
    keepAlive: KeepAlive,
    options: SlotOptions,
    run: () => Promise<RunnerForecast>,
  ): Promise<RunnerForecast> {
    const { loaded } = this.#options;
    const { name, family, manifest } = target;
    const weightBytes = manifest?.size_bytes ?? 0;
    const estimatedBytes = estimateBytes(weightBytes, request.options.precision);
    const facts = { name, family, weightBytes, estimatedBytes, contextLength: contextOf(manifest) };
    const asked = performance.now();
    return this.#slotsOf(family).run(async () => {
      tellActiveSpan({ 'tollama.queue_ms': performance.now() - asked });
      await loaded.begin(facts, options.signal);
      try {
        const result = await run();
        await loaded.done(name, keepAlive);
        return result;
      } catch (error) {
        loaded.failed(name);
        throw error;
      }
    }, options);
  }

  /** One queue a family. */
  #slotsOf(family: string): Slots {
    const known = this.#slots.get(family);
    if (known) return known;
    const slots = new Slots(this.#options.queue);
    this.#slots.set(family, slots);
    return slots;
  }

  /** Families that were asked at least once. */
  queues(): readonly FamilyQueue[] {
    return [...this.#slots].map(([family, { working, waiting }]) => ({ family, working, waiting }));
  }

  async #run(
    request: ForecastRequest,
    target: Target,
    { signal, priority }: SlotOptions,
  ): Promise<RunnerForecast> {
    const { supervisor, home, defaultTimeoutMs } = this.#options;
    const { manifest, name, family } = target;
    const params = {
      model: name,
      model_name: name,
      model_family: family,
      model_local_dir: manifest?.resolved?.snapshot_path ?? null,
      model_adapter_dir: manifest?.adapter_path ?? null,
      model_cache_dir: manifest ? home.model(name).graphs : null,
      model_source: manifest?.source ?? null,
      model_metadata: manifest?.metadata ?? null,
      horizon: request.horizon,
      series: request.series.map(({ actuals: _, ...series }) =>
        supervisor.isOwn(family) ? withLastTimestamps(series) : series,
      ),
      quantiles: request.quantiles,
      options: request.options,
      parameters: {
        covariates_mode: request.parameters.covariates_mode,
        timesfm: request.parameters.timesfm,
      },
      ...(priority && { priority }),
    };
    const timeoutMs = request.timeout ? request.timeout * 1000 : defaultTimeoutMs;
    const answer = await supervisor.call(family, 'forecast', params, { timeoutMs, signal });
    const parsed = RunnerForecast.safeParse(answer);
    if (!parsed.success || !isAnswerTo(request, parsed.data)) {
      throw new TollamaError(
        'RUNNER_ERROR',
        `the runner of family '${family}' did not answer with a forecast of every series`,
      );
    }
    return parsed.data;
  }
}

/** Whether an answer is one to this request, and not to another: its series in order, their steps, no gaps. */
const isAnswerTo = ({ series, horizon }: ForecastRequest, { forecasts }: RunnerForecast): boolean =>
  forecasts.length === series.length &&
  forecasts.every(
    ({ id, mean, quantiles }, i) =>
      id === series[i]!.id &&
      mean.length === horizon &&
      Object.values(quantiles ?? {}).every(({ length }) => length === horizon),
  );

const respond = (
  result: RunnerForecast,
  target: Target,
  warnings: string[],
  totalMs: number,
): ForecastResponse => {
  const loadMs = result.timing?.model_load_ms ?? 0;
  const inferenceMs = result.timing?.inference_ms ?? totalMs;
  return {
    model: target.name,
    forecasts: result.forecasts.map((forecast) => ({ quantiles: null, ...forecast })),
    metrics: null,
    timing: {
      model_load_ms: loadMs,
      inference_ms: inferenceMs,
      total_ms: Math.max(totalMs, inferenceMs),
    },
    explanation: null,
    narrative: null,
    preprocessing: null,
    usage: {
      runner: `tollama-${target.family}`,
      device: 'unknown',
      ...result.usage,
      model_load_ms: loadMs,
      inference_ms: inferenceMs,
    },
    warnings: warnings.length > 0 ? warnings : null,
  };
};
