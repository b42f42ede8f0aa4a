/**
 * What a model family is: a config schema, what it can do, the graphs of its forward pass, and the way from
 * series to forecasts around them. Adding a family means one file that exports `defineFamily({...})`, one
 * line in `families/index.ts`, and one folder of golden vectors.
 */
import type { Capabilities } from '@tollama/core/capabilities';
import type { Graph, Tensor, TensorSpec, TensorValue, Weights } from '@tollama/graph';
import type { z } from 'zod';
import type { CovariateNames, RowWindow } from './covariate-rows.ts';

/** Marks an inner point of the forward pass, so that tests can look at it; gives the tensor back. */
export type Probe = (name: string, tensor: Tensor) => Tensor;

/** Values of a covariate: numbers (NaN where missing), or words (null where missing). */
export type Covariate = ArrayLike<number> | readonly (string | null)[];

/** One series as a model sees it: univariate, or several variates over the same time. */
export interface ModelSeries {
  readonly id: string;
  /** [variates][length], NaN where a value is missing; families that are not multivariate get one. */
  readonly targets: readonly ArrayLike<number>[];
  /** Known over the history: [length]. Holds the names of `futureCovariates` too. */
  readonly pastCovariates?: Readonly<Record<string, Covariate>>;
  /** Known over the horizon: [horizon]. */
  readonly futureCovariates?: Readonly<Record<string, Covariate>>;
  readonly staticCovariates?: Readonly<Record<string, unknown>>;
  /** Pandas alias of the frequency, for families that read it. */
  readonly freq?: string;
  /** Timestamp of the first point, for families that read the calendar. */
  readonly start?: string;
}

/** What is asked of a model: all series of a task share horizon, quantile levels and options. */
export interface Task {
  readonly series: readonly ModelSeries[];
  readonly horizon: number;
  /** Ascending levels in (0, 1); may be empty. */
  readonly quantiles: readonly number[];
  /** Options of the family (num_samples, temperature, ...) and of the request. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TargetForecast {
  /** [horizon] */
  readonly mean: ArrayLike<number>;
  /** One array [horizon] for each asked level, in their order. */
  readonly quantiles: readonly ArrayLike<number>[];
  /** Sample paths [samples][horizon], of families that draw them. */
  readonly samples?: readonly ArrayLike<number>[];
}

/** One forecast for each variate of a series. */
export interface SeriesForecast {
  readonly targets: readonly TargetForecast[];
  /** How the forecast was made, for models that choose per series. */
  readonly explanation?: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  readonly forecasts: readonly SeriesForecast[];
  /** What the user should know: a cut horizon, a dropped covariate. */
  readonly warnings: readonly string[];
}

/** What the encoder made of one series. */
export interface SeriesEmbedding {
  /** [variates, tokens, width] */
  readonly states: TensorValue;
  /** What the values were shifted and divided by, per variate; families that only scale give no `loc`. */
  readonly loc?: ArrayLike<number>;
  readonly scale: ArrayLike<number>;
}

/** Runs one of the family's graphs by its name; gives the named outputs, or all of them. */
export type RunGraph = (
  graph: string,
  feeds: Readonly<Record<string, TensorValue>>,
  outputs?: readonly string[],
) => Promise<Readonly<Record<string, TensorValue>>>;

/** What a user asks of a training, for families whose graph depends on it. */
export interface TrainingWish {
  /** Steps of a label. */
  readonly horizon?: number | undefined;
  /** Pandas alias of the series' frequency. */
  readonly freq?: string | undefined;
}

/** What a forecast is shifted and multiplied by, a number for each window or for each step of each. */
export interface Units {
  readonly loc: Float32Array;
  readonly scale: Float32Array;
}

/** The loss of families of points, with errors in units of the context's spread; quantiles have the pinball loss. */
export type PointLoss = 'absolute' | 'huber' | 'squared';

/** How a family is trained on windows of series: what goes into its graph, and what is compared with the labels. */
export interface FamilyTraining {
  /** The graph of `graphs` that is trained. */
  readonly graph: string;
  /** Points that a window's context has. */
  readonly contextLength: number;
  /** Points that a context must have at least. */
  readonly shortestContext: number;
  /** Steps that one pass gives. */
  readonly horizon: number;
  /** Levels that one pass gives, ascending; 0.5 alone of families of points. */
  readonly levels: readonly number[];
  /** [size, levels, horizon] out of the graph's outputs, in the units of the context unless `units` tells others. */
  readonly quantiles: (outputs: ReadonlyMap<string, Tensor>) => Tensor;
  /** contexts [size, contextLength], NaN where missing, padded on the left -> feeds of the graph */
  readonly feeds: (contexts: Float32Array, size: number) => Readonly<Record<string, TensorValue>>;
  /** Of families that train on covariates: which, and the feeds for windows of them. */
  readonly covariates?: {
    readonly names: CovariateNames;
    readonly feeds: (windows: readonly RowWindow[]) => Readonly<Record<string, TensorValue>>;
  };
  /** Of families that scale outside of their graph: what turns `quantiles` into the units of the contexts. */
  readonly units?: (contexts: Float32Array, size: number) => Units;
  /** Whether `units` gives a number a window [size] (when absent) or a step [size, horizon]. */
  readonly unitsOf?: 'windows' | 'steps';
  /** Of families of points. */
  readonly loss?: PointLoss;
  /** Linear layers that LoRA takes when nobody says which: ends of their names, or `all-linear`. */
  readonly targets: readonly string[] | 'all-linear';
  /** The tensors of the head. */
  readonly head: RegExp;
}

export interface Family<Config = unknown> {
  readonly name: string;
  /** The published config.json; unknown keys pass, an unknown variant of a known key is refused. */
  readonly config: z.ZodType<Config>;
  /** Adds to the config what only the tensors' shapes tell. */
  readonly complete?: (config: Config, tensors: ReadonlyMap<string, TensorSpec>) => Config;
  /** Whether a published checkpoint belongs to this family, by its config.json and its tensors' names. */
  readonly recognizes: (
    config: Readonly<Record<string, unknown>>,
    tensors: ReadonlyMap<string, TensorSpec>,
  ) => boolean;
  readonly capabilities: (config: Config) => Capabilities;
  /** The forward pass; most families have one graph, called `forward`. */
  readonly graphs: (
    config: Config,
    weights: Weights,
    probe: Probe,
  ) => Readonly<Record<string, Graph>>;
  /** From series to forecasts; plain arrays around runs of the graphs. */
  readonly forecast: (run: RunGraph, config: Config, task: Task) => Promise<Outcome>;
  /** The encoder's states, of families that offer them. */
  readonly embed?: (
    run: RunGraph,
    config: Config,
    task: Pick<Task, 'series' | 'options'>,
  ) => Promise<readonly SeriesEmbedding[]>;
  /** For families that can be trained. */
  readonly training?: (config: Config, wish?: TrainingWish) => FamilyTraining;
  /** Linear layers that int8 would harm, by the name of their weight. */
  readonly keepFloat32?: RegExp;
}

/**
 * @example
 * export const chronosBolt = defineFamily({ name: 'chronos-bolt', config: Config, ... });
 */
export const defineFamily = <Config>(family: Family<Config>): Family<Config> =>
  Object.freeze(family);
