/**
 * A published family with the very loss that it was published with, for comparisons with the package that trained
 * it. Jobs are trained for a loss that all families share (`job/quantile-loss-graph.ts`).
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
import type { Family, FamilyTraining } from '@tollama/models/family';
import { chronosBoltLoss } from './chronos-bolt.ts';

/** A piece of history and what followed it; NaN where a value is missing. */
export interface Window {
  readonly context: ArrayLike<number>;
  /** At most the family's horizon; what is shorter counts as missing. */
  readonly target: ArrayLike<number>;
}

export interface Objective {
  /** The forward pass with the outputs `loss` and those of the family. */
  readonly graph: Graph;
  /** What a batch of windows is fed as. */
  readonly feeds: (windows: readonly Window[]) => Feeds;
}

export interface LossParts {
  readonly levels: readonly number[];
  /** Inner points of the forward pass. */
  readonly probes: ReadonlyMap<string, Tensor>;
  /** [batch, horizon], NaN where missing. */
  readonly target: Tensor;
}

const LOSSES: Readonly<Record<string, (parts: LossParts) => Tensor>> = {
  'chronos-bolt': chronosBoltLoss,
};

const feedsOf = (windows: readonly Window[], training: FamilyTraining): Feeds => {
  const { contextLength, shortestContext: unit, horizon } = training;
  const longest = Math.max(...windows.map(({ context }) => context.length));
  const length = Math.min(contextLength, Math.ceil(longest / unit) * unit);
  const size = windows.length;
  const contexts = new Float32Array(size * length).fill(Number.NaN);
  const targets = new Float32Array(size * horizon).fill(Number.NaN);
  windows.forEach(({ context, target }, row) => {
    const kept = Float32Array.from(context).slice(-length);
    contexts.set(kept, (row + 1) * length - kept.length);
    targets.set(Float32Array.from(target).slice(0, horizon), row * horizon);
  });
  return {
    ...training.feeds(contexts, size),
    target: { dtype: 'float32', dims: [size, horizon], data: targets },
  };
};

/**
 * The objective of a family over its weights.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for a family whose own loss is not known
 */
export const objectiveOf = (family: Family, config: unknown, weights: Weights): Objective => {
  const lossOf = LOSSES[family.name];
  const training = family.training?.(config);
  if (!lossOf || !training) {
    throw new TollamaError(
      'MODEL_UNSUPPORTED',
      `the published loss of ${family.name} is not known`,
      {
        hint: `it is of ${Object.keys(LOSSES).join(', ')}`,
      },
    );
  }
  const probes = new Map<string, Tensor>();
  const graphs = family.graphs(config, weights, (name, tensor) => {
    probes.set(name, tensor);
    return tensor;
  });
  const forward = graphs[training.graph]!;
  const target = input('target', ['batch', training.horizon]);
  const loss = lossOf({ levels: training.levels, probes, target });
  const outputs = { ...Object.fromEntries(forward.outputs), loss };
  return {
    graph: defineGraph(`${forward.name}-loss`, [...forward.inputs, target], outputs),
    feeds: (windows) => feedsOf(windows, training),
  };
};
