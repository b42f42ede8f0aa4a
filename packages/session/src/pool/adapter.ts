/** An adapter: one model of a pool under the name that policies use, loaded and unloaded explicitly. */
import type {
  ForecastResult,
  ForecastTask,
  LoadedModel,
  ModelBackend,
  TaskSeries,
} from '../backend/backend.ts';
import { type ErrorContext, TSAgentKitError } from '../errors/session-error.ts';

export const MODEL_SIZES = ['tiny', 'small', 'base', 'large'] as const;
export type ModelSize = (typeof MODEL_SIZES)[number];

export interface AdapterConfig {
  /** The adapter's name. */
  readonly adapterName: string;
  /** Name of the model in the daemon or the folder table. */
  readonly modelName: string;
  readonly modelSize: string;
  readonly device: string | null;
  readonly batchSize: number;
  readonly predictionBatchSize: number;
  readonly quantileMethod: 'sample' | 'direct';
  readonly numSamples: number;
  readonly maxContextLength: number | null;
  /** Options that each request to the model carries. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What fitting left: foundation models need no weights of their own, only to know what they were given. */
export interface AdapterFit {
  readonly adapterName: string;
  readonly signature: string;
  readonly seriesCount: number;
  readonly predictionLength: number;
  readonly quantiles: readonly number[];
  readonly fitMs: number;
}

export type Capability = 'quantiles' | 'missing_values' | 'covariates' | 'zero_shot';

export interface Adapter {
  readonly name: string;
  readonly config: AdapterConfig;
  readonly isLoaded: boolean;
  /** Where it runs, once it is loaded. */
  readonly device: string | null;
  /** What the loaded model takes in memory, as far as that is known. */
  readonly memoryBytes?: number | undefined;
  /** Forecasts that are being made. */
  readonly inFlight?: number;
  loadModel(): Promise<void>;
  unloadModel(): Promise<void>;
  /** @throws TSAgentKitError E_MODEL_NOT_LOADED; it never loads */
  fit(
    series: readonly TaskSeries[],
    predictionLength: number,
    quantiles: readonly number[],
  ): Promise<AdapterFit>;
  /** @throws TSAgentKitError E_MODEL_NOT_LOADED; it never loads */
  predict(
    series: readonly TaskSeries[],
    horizon: number,
    quantiles: readonly number[],
    rest?: Pick<ForecastTask, 'options' | 'signal'>,
  ): Promise<ForecastResult>;
  getModelSignature(): string;
  capability(name: Capability): boolean;
}

export type AdapterFactory = (config: AdapterConfig, backend: ModelBackend) => Adapter;

const CAPABILITIES: Readonly<Record<Capability, boolean>> = {
  quantiles: true,
  missing_values: true,
  covariates: true,
  zero_shot: true,
};

const cut = (one: TaskSeries, most: number | null): TaskSeries => {
  const { length } = one.target;
  if (most === null || length <= most) return one;
  const past = Object.entries(one.pastCovariates ?? {}).map(([name, values]) => [
    name,
    values.slice(length - most),
  ]);
  return {
    ...one,
    target: one.target.subarray(length - most),
    timestamps: one.timestamps?.slice(length - most),
    ...(past.length > 0 && { pastCovariates: Object.fromEntries(past) }),
  };
};

class ModelAdapter implements Adapter {
  readonly config: AdapterConfig;
  readonly #backend: ModelBackend;
  #loaded: LoadedModel | undefined;
  #inFlight = 0;

  constructor(config: AdapterConfig, backend: ModelBackend) {
    this.config = config;
    this.#backend = backend;
  }

  get name(): string {
    return this.config.adapterName;
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  get device(): string | null {
    return this.#loaded?.device ?? null;
  }

  get memoryBytes(): number | undefined {
    return this.#loaded?.memoryBytes;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async loadModel(): Promise<void> {
    if (this.#loaded) return;
    const { modelName, device, options } = this.config;
    this.#loaded = await this.#backend.load({ model: modelName, device, options });
  }

  async unloadModel(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await loaded?.unload();
  }

  async fit(
    series: readonly TaskSeries[],
    predictionLength: number,
    quantiles: readonly number[],
  ): Promise<AdapterFit> {
    const started = performance.now();
    this.#loadedFor('fit');
    return {
      adapterName: this.name,
      signature: this.getModelSignature(),
      seriesCount: series.length,
      predictionLength,
      quantiles,
      fitMs: performance.now() - started,
    };
  }

  async predict(
    series: readonly TaskSeries[],
    horizon: number,
    quantiles: readonly number[],
    rest: Pick<ForecastTask, 'options' | 'signal'> = {},
  ): Promise<ForecastResult> {
    const loaded = this.#loadedFor('predict');
    this.#inFlight++;
    try {
      return await this.#predictWith(loaded, series, { ...rest, horizon, quantiles });
    } finally {
      this.#inFlight--;
    }
  }

  async #predictWith(
    loaded: LoadedModel,
    series: readonly TaskSeries[],
    rest: Omit<ForecastTask, 'series'>,
  ): Promise<ForecastResult> {
    const { maxContextLength, predictionBatchSize } = this.config;
    const forecasts: ForecastResult['forecasts'][number][] = [];
    const warnings = new Set<string>();
    for (let from = 0; from < series.length; from += predictionBatchSize) {
      const batch = series.slice(from, from + predictionBatchSize);
      const result = await loaded.forecast({
        ...rest,
        series: batch.map((one) => cut(one, maxContextLength)),
      });
      forecasts.push(...result.forecasts);
      for (const warning of result.warnings) warnings.add(warning);
    }
    return { forecasts, warnings: [...warnings] };
  }

  getModelSignature(): string {
    const { adapterName, modelName, modelSize } = this.config;
    return `${adapterName}:${modelName}:${modelSize}:${this.#backend.kind}`;
  }

  capability(name: Capability): boolean {
    return CAPABILITIES[name];
  }

  #loadedFor(operation: 'fit' | 'predict'): LoadedModel {
    if (this.#loaded) return this.#loaded;
    const { modelSize, device } = this.config;
    const context: ErrorContext = {
      adapter_name: this.name,
      operation,
      model_size: modelSize,
      device,
    };
    throw new TSAgentKitError(
      'E_MODEL_NOT_LOADED',
      `adapter '${this.name}' is not loaded; ${operation} never loads`,
      {
        context,
        fixHint: 'Preload the adapter in ModelPool, or call loadModel() before',
      },
    );
  }
}

/** An adapter over a backend. */
export const createAdapter: AdapterFactory = (config, backend) => new ModelAdapter(config, backend);
