/** Where models run: in a daemon, or in this process. Adapters see neither, only this. */

/** One series as it is sent to a model. */
export interface TaskSeries {
  readonly id: string;
  /** Pandas alias, or auto. */
  readonly freq: string;
  /** [length]; absent where only the order is known. */
  readonly timestamps?: readonly string[] | undefined;
  /** [length], NaN where missing. */
  readonly target: Float64Array;
  /** [length] each. */
  readonly pastCovariates?: Readonly<Record<string, readonly number[]>> | undefined;
  /** [horizon] each. */
  readonly futureCovariates?: Readonly<Record<string, readonly number[]>> | undefined;
  readonly staticCovariates?: Readonly<Record<string, unknown>> | undefined;
}

export interface ForecastTask {
  readonly series: readonly TaskSeries[];
  readonly horizon: number;
  /** Ascending levels in (0, 1). */
  readonly quantiles: readonly number[];
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SeriesForecast {
  readonly id: string;
  /** [horizon] */
  readonly mean: Float64Array;
  /** [levels][horizon]; empty of models that give points only. */
  readonly quantiles: readonly Float64Array[];
  readonly explanation?: Readonly<Record<string, unknown>> | undefined;
}

export interface ForecastResult {
  /** In the order of the task's series; a model that gave a series nothing leaves it out. */
  readonly forecasts: readonly SeriesForecast[];
  readonly warnings: readonly string[];
}

/** A model in memory, somewhere. */
export interface LoadedModel {
  readonly model: string;
  readonly device: string;
  /** Points of history that it reads; null: all. */
  readonly contextLength: number | null;
  /** What it takes in memory, as far as that is known. */
  readonly memoryBytes?: number | undefined;
  forecast(task: ForecastTask): Promise<ForecastResult>;
  unload(): Promise<void>;
}

export interface LoadRequest {
  readonly model: string;
  readonly device: string | null;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ModelBackend {
  readonly kind: string;
  /** Brings a model into memory; everything that loads, loads here. */
  load(request: LoadRequest): Promise<LoadedModel>;
  /**
   * A text that changes with what the model is (other weights under the same name); null where it follows from the
   * name and the version of tollama. It loads nothing.
   */
  identityOf?(model: string): Promise<string | null>;
}
