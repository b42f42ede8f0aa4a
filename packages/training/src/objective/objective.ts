/**
 * What a published family is trained for: its own forward pass with a loss behind it. The family stays as it is;
 * its inner points are reached by its probes, and what it is fed by letting it prepare a forecast.
 */
import { TollamaError } from '@tollama/core/errors';
import {
  defineGraph,
  type Feeds,
  type Graph,
  input,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import type { Family, RunGraph } from '@tollama/models';
import { CHRONOS_BOLT } from './chronos-bolt.ts';

/** A piece of history and what followed it; NaN where a value is missing. */
export interface Window {
  readonly context: ArrayLike<number>;
  /** At most the objective's horizon; what is shorter counts as missing. */
  readonly target: ArrayLike<number>;
}

export interface Objective {
  /** The forward pass with the outputs `loss` and those of the family. */
  readonly graph: Graph;
  readonly contextLength: number;
  readonly horizon: number;
  /** What a batch of windows is fed as. */
  feeds(windows: readonly Window[]): Promise<Feeds>;
}

/** How one family is trained. */
export interface ObjectiveRecipe {
  /** The graph of the family that forecasts. */
  readonly graph: string;
  readonly contextLength: (config: unknown) => number;
  readonly horizon: (config: unknown) => number;
  readonly loss: (parts: ObjectiveParts) => Tensor;
}

export interface ObjectiveParts {
  readonly config: unknown;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Inner points of the forward pass. */
  readonly probes: ReadonlyMap<string, Tensor>;
  /** [batch, horizon], NaN where missing. */
  readonly target: Tensor;
}

const RECIPES: Readonly<Record<string, ObjectiveRecipe>> = { 'chronos-bolt': CHRONOS_BOLT };

/** Families that can be trained as they are published. */
export const TRAINABLE_FAMILIES: readonly string[] = Object.keys(RECIPES);

class Captured extends Error {
  readonly feeds: Feeds;
  constructor(feeds: Feeds) {
    super('captured');
    this.feeds = feeds;
  }
}

/** What the family feeds its graph for a forecast of these contexts. */
const capturedFeeds = async (
  family: Family,
  config: unknown,
  graph: string,
  contexts: readonly ArrayLike<number>[],
): Promise<Feeds> => {
  const capture: RunGraph = async (name, feeds) => {
    if (name === graph) throw new Captured(feeds);
    throw new TollamaError('INTERNAL', `${family.name} runs '${name}' before '${graph}'`);
  };
  const series = contexts.map((context, i) => ({ id: String(i), targets: [context] }));
  try {
    await family.forecast(capture, config, { series, horizon: 1, quantiles: [0.5], options: {} });
  } catch (error) {
    if (error instanceof Captured) return error.feeds;
    throw error;
  }
  throw new TollamaError('INTERNAL', `${family.name} forecasts without running '${graph}'`);
};

const targetFeed = (windows: readonly Window[], horizon: number) => {
  const data = new Float32Array(windows.length * horizon).fill(Number.NaN);
  windows.forEach(({ target }, b) => {
    for (let h = 0; h < Math.min(horizon, target.length); h++) data[b * horizon + h] = target[h]!;
  });
  return { dtype: 'float32', dims: [windows.length, horizon], data } as const;
};

/**
 * The objective of a family over its weights.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for a family without a recipe
 */
export const objectiveOf = (family: Family, config: unknown, weights: Weights): Objective => {
  const recipe = RECIPES[family.name];
  if (!recipe) {
    throw new TollamaError('MODEL_UNSUPPORTED', `${family.name} cannot be trained yet`, {
      hint: `families that can: ${TRAINABLE_FAMILIES.join(', ')}`,
    });
  }
  const probes = new Map<string, Tensor>();
  const graphs = family.graphs(config, weights, (name, tensor) => {
    probes.set(name, tensor);
    return tensor;
  });
  const forward = graphs[recipe.graph]!;
  const horizon = recipe.horizon(config);
  const target = input('target', ['batch', horizon]);
  const loss = recipe.loss({ config, outputs: forward.outputs, probes, target });
  const outputs = { ...Object.fromEntries(forward.outputs), loss };
  return {
    graph: defineGraph(`${forward.name}-loss`, [...forward.inputs, target], outputs),
    contextLength: recipe.contextLength(config),
    horizon,
    feeds: async (windows) => ({
      ...(await capturedFeeds(
        family,
        config,
        recipe.graph,
        windows.map(({ context }) => context),
      )),
      target: targetFeed(windows, horizon),
    }),
  };
};
