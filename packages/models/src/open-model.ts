/** A checkpoint folder made ready to forecast. */

import type { Capabilities } from '@tollama/core/capabilities';
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
  type Tensor,
  type TensorValue,
  topologicalOrder,
  verifyGraph,
} from '@tollama/graph';
import type { Outcome, Probe, RunGraph, Task } from './family.ts';
import { readConfig } from './read-config.ts';
import { forecastVariates } from './variates.ts';

export interface OpenModelOptions {
  /** Threads within an operator. */
  readonly threads: number;
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
  forecast(task: Task): Promise<Outcome>;
  /** Runs one of the family's graphs itself, for callers that know the family. */
  readonly run: RunGraph;
}

const belongsTo = (graph: Graph, tensor: Tensor): boolean =>
  topologicalOrder([tensor]).every((node) => node.kind !== 'input' || graph.inputs.includes(node));

/** The graph with the probed tensors as further outputs. */
const withProbes = (graph: Graph, probes: ReadonlyMap<string, Tensor>): Graph => {
  const inner = [...probes].filter(([, tensor]) => belongsTo(graph, tensor));
  return defineGraph(graph.name, graph.inputs, {
    ...Object.fromEntries(inner),
    ...Object.fromEntries(graph.outputs),
  });
};

/**
 * Opens a model: reads config.json, checks the headers of the weights, builds the graphs of its family
 * and makes them ready to run.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for an unknown family, CHECKPOINT_INVALID for a bad file
 * @example
 * await using model = await openModel('chronos-bolt-small', { threads: 2 });
 * const { forecasts } = await model.forecast({ series: [{ id: 'a', targets: [[1, 2, 3]] }], horizon: 2, quantiles: [0.5], options: {} });
 */
export const openModel = async (folder: string, options: OpenModelOptions): Promise<OpenModel> => {
  const { threads, precision = 'float32', device = 'cpu', cacheDir, inspect = false } = options;
  const checkpoint = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, checkpoint.tensors);
  const capabilities = family.capabilities(config);
  const probes = new Map<string, Tensor>();
  const probe: Probe = (name, tensor) => {
    probes.set(name, tensor);
    return tensor;
  };
  const graphs = family.graphs(config, fromCheckpoint(checkpoint.tensors), probe);
  const sessions = new Map<string, Session>();
  for (const [name, graph] of Object.entries(graphs)) {
    const whole = inspect ? withProbes(graph, probes) : graph;
    if (inspect || process.env.TOLLAMA_DEBUG) verifyGraph(whole);
    const { keepFloat32 } = family;
    sessions.set(
      name,
      await openSession(whole, { checkpoint, threads, precision, device, cacheDir, keepFloat32 }),
    );
  }

  const inspected = new Map<string, TensorValue>();
  const run: RunGraph = async (graph, feeds, outputs) => {
    const results = await sessions.get(graph)!.run(feeds, inspect ? undefined : outputs);
    for (const [name, value] of Object.entries(results)) {
      if (inspect && !inspected.has(name)) inspected.set(name, value);
    }
    return results;
  };

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
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map((session) => session[Symbol.asyncDispose]()));
    },
  };
};
