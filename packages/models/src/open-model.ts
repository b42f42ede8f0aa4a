/** A checkpoint folder made ready to forecast. */

import type { Capabilities } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import {
  type Checkpoint,
  type Device,
  defineGraph,
  fromCheckpoint,
  type Graph,
  openCheckpoint,
  openSession,
  type Precision,
  type Session,
  type SessionOptions,
  type Tensor,
  type TensorValue,
  topologicalOrder,
  verifyGraph,
  type Weights,
} from '@tollama/graph';
import { openAdapter } from './adapter/adapter.ts';
import type { Family, Outcome, Probe, RunGraph, SeriesEmbedding, Task } from './family.ts';
import { readConfig } from './read-config.ts';
import { forecastVariates } from './variates.ts';

export interface OpenModelOptions {
  /** Threads within an operator. */
  readonly threads: number;
  /** Folder of a LoRA adapter in PEFT's format, merged into the weights. */
  readonly adapter?: string | undefined;
  readonly precision?: Precision;
  readonly device?: Device;
  /** Where graph files are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Gives the inner points of the forward pass out with each run, for tests. */
  readonly inspect?: boolean;
}

export interface OpenModel extends AsyncDisposable {
  readonly family: string;
  /** The parsed config.json, of the family's own type. */
  readonly config: unknown;
  readonly capabilities: Capabilities;
  readonly device: Device;
  readonly precision: Precision;
  readonly checkpoint: Checkpoint;
  /** Inner points of the first run, by name; empty unless `inspect`. */
  readonly inspected: ReadonlyMap<string, TensorValue>;
  /** Runs one of the family's graphs itself, for callers that know the family. */
  readonly run: RunGraph;
  forecast(task: Task): Promise<Outcome>;
  /**
   * The encoder's states of each series.
   * @throws TollamaError MODEL_UNSUPPORTED for a family that offers none
   */
  embed(task: Pick<Task, 'series' | 'options'>): Promise<readonly SeriesEmbedding[]>;
}

type Probed = readonly (readonly [name: string, tensor: Tensor])[];

/** The graph with the probed tensors that belong to it as further outputs. */
const withProbes = (graph: Graph, probed: Probed): Graph => {
  const isInput = new Set<Tensor>(graph.inputs);
  const inner = probed.filter(([, tensor]) =>
    topologicalOrder([tensor]).every((node) => node.kind !== 'input' || isInput.has(node)),
  );
  return defineGraph(graph.name, graph.inputs, {
    ...Object.fromEntries(inner),
    ...Object.fromEntries(graph.outputs),
  });
};

/** The graphs of a family by their names, checked where it may take its time. */
const graphsOf = (
  family: Family,
  config: unknown,
  weights: Weights,
  inspect: boolean,
): ReadonlyMap<string, Graph> => {
  const probed: [string, Tensor][] = [];
  const probe: Probe = (name, tensor) => {
    probed.push([name, tensor]);
    return tensor;
  };
  const graphs = Object.entries(family.graphs(config, weights, probe));
  return new Map(
    graphs.map(([name, graph]) => {
      const whole = inspect ? withProbes(graph, probed) : graph;
      return [name, inspect || process.env.TOLLAMA_DEBUG ? verifyGraph(whole) : whole];
    }),
  );
};

interface Sessions extends AsyncDisposable {
  get(name: string): Promise<Session>;
}

/** Sessions that open when they are first needed: not every use of a model needs all of its graphs. */
const sessionsOf = (graphs: ReadonlyMap<string, Graph>, options: SessionOptions): Sessions => {
  const opened = new Map<string, Promise<Session>>();
  return {
    get(name) {
      const known = opened.get(name);
      if (known) return known;
      const opening = openSession(graphs.get(name)!, options);
      opened.set(name, opening);
      opening.catch(() => opened.delete(name));
      return opening;
    },
    async [Symbol.asyncDispose]() {
      const settled = await Promise.allSettled(opened.values());
      const sessions = settled.filter((result) => result.status === 'fulfilled');
      await Promise.all(sessions.map(({ value }) => value[Symbol.asyncDispose]()));
    },
  };
};

/**
 * Opens a model: reads config.json, checks the headers of the weights, builds the graphs of its family
 * and makes the first of them ready to run; the others follow when they are first used.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for an unknown family, CHECKPOINT_INVALID for a bad file
 * @example
 * await using model = await openModel('chronos-bolt-small', { threads: 2 });
 * const { forecasts } = await model.forecast({ series: [{ id: 'a', targets: [[1, 2, 3]] }], horizon: 2, quantiles: [0.5], options: {} });
 */
export const openModel = async (folder: string, options: OpenModelOptions): Promise<OpenModel> => {
  const { threads, precision = 'float32', device = 'cpu', cacheDir, inspect = false } = options;
  const base = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, base.tensors, base.hyperParameters);
  const adapter = options.adapter ? await openAdapter(options.adapter, base) : undefined;
  const checkpoint = adapter?.checkpoint ?? base;
  const weights = adapter?.weights ?? fromCheckpoint(base.tensors);
  const graphs = graphsOf(family, config, weights, inspect);
  const { keepFloat32 } = family;
  const settings = { checkpoint, threads, precision, device, cacheDir, keepFloat32 };
  const sessions = sessionsOf(graphs, settings);
  for (const name of [...graphs.keys()].slice(0, 1)) await sessions.get(name);

  const inspected = new Map<string, TensorValue>();
  const run: RunGraph = async (graph, feeds, outputs) => {
    const session = await sessions.get(graph);
    const results = await session.run(feeds, inspect ? undefined : outputs);
    for (const [name, value] of Object.entries(results)) {
      if (inspect && !inspected.has(name)) inspected.set(name, value);
    }
    return results;
  };

  const capabilities = family.capabilities(config);
  return {
    family: family.name,
    config,
    capabilities,
    device,
    precision,
    checkpoint,
    inspected,
    run,
    forecast: (task) =>
      forecastVariates(capabilities, task, (one) => family.forecast(run, config, one)),
    async embed(task) {
      if (family.embed) return family.embed(run, config, task);
      throw new TollamaError('MODEL_UNSUPPORTED', `${family.name} gives no embeddings`, {
        hint: 'ask a model of another family, such as chronos-2',
      });
    },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
};
