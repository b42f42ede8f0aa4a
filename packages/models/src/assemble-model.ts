/** A family, its config and its weights put together to what forecasts; sessions come from outside. */
import type { Capabilities } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import {
  type Checkpoint,
  type Device,
  defineGraph,
  type Graph,
  type Precision,
  type Session,
  type Tensor,
  type TensorValue,
  topologicalOrder,
  verifyGraph,
  type Weights,
} from '@tollama/graph';
import type { Family, Outcome, Probe, RunGraph, SeriesEmbedding, Task } from './family.ts';
import { forecastVariates } from './variates.ts';

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
  /** Throws the reason of the signal before the next run of a graph once it is aborted. */
  forecast(task: Task, signal?: AbortSignal): Promise<Outcome>;
  /**
   * The encoder's states of each series.
   * @throws TollamaError MODEL_UNSUPPORTED for a family that offers none
   */
  embed(task: Pick<Task, 'series' | 'options'>): Promise<readonly SeriesEmbedding[]>;
}

export interface ModelParts {
  readonly family: Family;
  readonly config: unknown;
  readonly checkpoint: Checkpoint;
  readonly weights: Weights;
  /** Changes each graph before it is opened. */
  readonly rewrite?: ((graph: Graph) => Graph) | undefined;
  readonly device: Device;
  readonly precision: Precision;
  /** Makes one of the graphs ready to run. */
  readonly openSession: (graph: Graph) => Promise<Session>;
  /** Gives the inner points of the forward pass out with each run. */
  readonly inspect: boolean;
  /** Checks every graph before it runs. */
  readonly verify: boolean;
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
  { inspect, verify, rewrite }: Pick<ModelParts, 'inspect' | 'verify' | 'rewrite'>,
): ReadonlyMap<string, Graph> => {
  const probed: [string, Tensor][] = [];
  const probe: Probe = (name, tensor) => {
    probed.push([name, tensor]);
    return tensor;
  };
  const graphs = Object.entries(family.graphs(config, weights, probe));
  return new Map(
    graphs.map(([name, graph]) => {
      const probing = inspect ? withProbes(graph, probed) : graph;
      const whole = rewrite ? rewrite(probing) : probing;
      return [name, inspect || verify ? verifyGraph(whole) : whole];
    }),
  );
};

interface Sessions extends AsyncDisposable {
  get(name: string): Promise<Session>;
}

/** Sessions that open when they are first needed: not every use of a model needs all of its graphs. */
const sessionsOf = (
  graphs: ReadonlyMap<string, Graph>,
  open: ModelParts['openSession'],
): Sessions => {
  const opened = new Map<string, Promise<Session>>();
  return {
    get(name) {
      const known = opened.get(name);
      if (known) return known;
      const opening = open(graphs.get(name)!);
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

/** Builds the graphs and makes the first of them ready to run; the others follow when they are first used. */
export const assembleModel = async (parts: ModelParts): Promise<OpenModel> => {
  const { family, config, checkpoint, weights, device, precision, inspect } = parts;
  const graphs = graphsOf(family, config, weights, parts);
  const sessions = sessionsOf(graphs, parts.openSession);
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
    forecast(task, signal) {
      const guarded: RunGraph = (...call) => {
        signal?.throwIfAborted();
        return run(...call);
      };
      return forecastVariates(capabilities, task, (one) => family.forecast(guarded, config, one));
    },
    async embed(task) {
      if (family.embed) return family.embed(run, config, task);
      throw new TollamaError('MODEL_UNSUPPORTED', `${family.name} gives no embeddings`, {
        hint: 'ask a model of another family, such as chronos-2',
      });
    },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
};
