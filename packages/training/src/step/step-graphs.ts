/** The graphs of a training step: forward and backward pass, clipping and the optimizer. */
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  concat,
  defineGraph,
  exposeLayers,
  type Graph,
  gradient,
  input,
  mul,
  type Node,
  parametersOf,
  reaches,
  reshape,
  rewriteGraph,
  slice,
  type Tensor,
  withInputs,
} from '@tollama/graph';
import { clipFactor, globalNorm } from './clip.ts';
import { type Group, layOut, type TensorToPlace } from './layout.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { type GroupState, scalarInput, scalarNames, updated } from './optimizer-graph.ts';

export interface StepGraphOptions {
  readonly graph: Graph;
  /** Names of the graph's parameters to train. */
  readonly trainable: readonly string[];
  readonly optimizer: OptimizerOptions;
  readonly clipNorm?: number | undefined;
  readonly isDecayed?: ((name: string, shape: readonly number[]) => boolean) | undefined;
  /** Tensors that begin to train together count their own steps; all count the training's when absent. */
  readonly cohortOf?: ((name: string) => string | undefined) | undefined;
}

export interface StepGraphs {
  readonly groups: readonly Group[];
  /** batch, state -> loss, norm, next state */
  readonly step: Graph;
  /** batch, parameters, sums, share -> loss, sums + share * gradients */
  readonly accumulate: Graph;
  /** state, sums -> norm, next state */
  readonly apply: Graph;
  /** batch, parameters -> loss and the other outputs */
  readonly evaluate: Graph;
}

export const LOSS = 'loss';
export const NORM = 'gradient_norm';
export const SHARE = 'share';

/** Names of a group's flat tensors, before a step and (`next.`) after it. */
export const parametersName = (group: Group): string => `${group.name}.parameters`;
export const momentName = (group: Group, moment: string): string => `${group.name}.${moment}`;
export const sumName = (group: Group): string => `${group.name}.gradient`;
export const nextName = (name: string): string => `next.${name}`;

const refuse = (message: string): never => {
  throw new TollamaError('GRAPH_INVALID', message);
};

const lossOf = (graph: Graph): Tensor =>
  graph.outputs.get(LOSS) ?? refuse(`graph '${graph.name}' has no output '${LOSS}' to train for`);

/** The trainable parameters in the order of their names, with what their group depends on. */
const tensorsToPlace = (options: StepGraphOptions): readonly TensorToPlace[] => {
  const { graph, trainable, isDecayed = () => true, cohortOf } = options;
  const loss = lossOf(graph);
  const nodes = Map.groupBy(parametersOf(graph), ({ name }) => name);
  const placed = trainable.map((name): TensorToPlace => {
    const [first, ...others] = nodes.get(name) ?? [];
    if (!first) return refuse(`graph '${graph.name}' has no parameter '${name}' to train`);
    const shape = first.shape as readonly number[];
    const isReached = [first, ...others].some((node) => reaches(loss, node));
    return { name, shape, isReached, isDecayed: isDecayed(name, shape), cohort: cohortOf?.(name) };
  });
  if (!placed.some(({ isReached }) => isReached)) {
    refuse(
      `the loss of graph '${graph.name}' follows none of the ${placed.length} trainable tensors`,
    );
  }
  return placed;
};

interface Trained {
  /** The forward pass over flat inputs. */
  readonly graph: Graph;
  readonly groups: readonly Group[];
  /** Each trainable tensor, cut out of its group's flat input. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly states: ReadonlyMap<Group, GroupState>;
}

/** Puts slices of the flat inputs in the place of the trainable parameters. */
const trainedGraph = (graph: Graph, groups: readonly Group[]): Trained => {
  const states = new Map(
    groups.map((group): [Group, GroupState] => [
      group,
      {
        parameters: input(parametersName(group), [group.size]),
        moments: Object.fromEntries(
          group.moments.map((moment) => [moment, input(momentName(group, moment), [group.size])]),
        ),
      },
    ]),
  );
  const tensors = new Map<string, Tensor>();
  for (const [group, { parameters }] of states) {
    for (const { name, shape, start, end } of group.places) {
      tensors.set(name, reshape(slice(parameters, 0, { start, end }), shape));
    }
  }
  const rule = (node: Node, inputs: readonly Tensor[]): Tensor =>
    (node.kind === 'parameter' ? tensors.get(node.name) : undefined) ?? withInputs(node, inputs);
  const flats = [...states.values()].map(({ parameters }) => parameters);
  const rewritten = rewriteGraph(exposeLayers(graph), rule, flats);
  return { graph: rewritten, groups, tensors, states };
};

/** The flat gradient of each group that has one. */
const flatGradients = ({ graph, groups, tensors }: Trained): ReadonlyMap<Group, Tensor> => {
  const learning = groups.filter(({ rule }) => rule.kind !== 'rest');
  const wrt = learning.flatMap(({ places }) => places.map(({ name }) => tensors.get(name)!));
  const gradients = new Map(gradient(lossOf(graph), wrt).map((g, i) => [wrt[i]!, g]));
  return new Map(
    learning.map((group): [Group, Tensor] => {
      const parts = group.places.map(({ name, start, end }) =>
        reshape(gradients.get(tensors.get(name)!)!, [end - start]),
      );
      return [group, parts.length === 1 ? parts[0]! : concat(parts, 0)];
    }),
  );
};

const stateInputs = (states: Iterable<GroupState>): readonly Tensor[] =>
  [...states].flatMap(({ parameters, moments }) => [parameters, ...Object.values(moments)]);

interface Update {
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Clipping and the optimizer over the flat gradients. */
const updateOf = (
  gradients: ReadonlyMap<Group, Tensor>,
  states: ReadonlyMap<Group, GroupState>,
  clipNorm: number | undefined,
): Update => {
  const norm = globalNorm([...gradients.values()]);
  const factor = clipFactor(norm, clipNorm);
  const scalars = new Map(
    [...gradients.keys()].flatMap(scalarNames).map((name) => [name, scalarInput(name)]),
  );
  const outputs: Record<string, Tensor> = { [NORM]: norm };
  for (const [group, g] of gradients) {
    const next = updated(group, states.get(group)!, g, factor, (name) => scalars.get(name)!);
    outputs[nextName(parametersName(group))] = next.parameters;
    for (const [moment, value] of Object.entries(next.moments)) {
      outputs[nextName(momentName(group, moment))] = value;
    }
  }
  return { inputs: [...scalars.values()], outputs };
};

const accumulateGraph = (trained: Trained, gradients: ReadonlyMap<Group, Tensor>): Graph => {
  const { graph } = trained;
  const share = scalarInput(SHARE);
  const sums = [...gradients].map(([group, g]) => {
    const before = input(sumName(group), [group.size]);
    return { before, name: nextName(sumName(group)), after: add(before, mul(g, share)) };
  });
  return defineGraph(
    `${graph.name}-accumulate`,
    [...graph.inputs, share, ...sums.map(({ before }) => before)],
    {
      [LOSS]: lossOf(graph),
      ...Object.fromEntries(sums.map(({ name, after }) => [name, after])),
    },
  );
};

const applyGraph = (
  { graph, states }: Trained,
  groups: readonly Group[],
  clipNorm: number | undefined,
): Graph => {
  const sums = new Map(groups.map((group) => [group, input(sumName(group), [group.size])]));
  const { inputs, outputs } = updateOf(sums, states, clipNorm);
  const learning = groups.map((group) => states.get(group)!);
  return defineGraph(
    `${graph.name}-apply`,
    [...stateInputs(learning), ...sums.values(), ...inputs],
    outputs,
  );
};

/**
 * Builds all graphs of a training step.
 *
 * @throws TollamaError GRAPH_INVALID without a scalar output `loss`, for an unknown parameter, or where the
 * way from the loss leads through a node without a derivative
 */
export const buildStepGraphs = (options: StepGraphOptions): StepGraphs => {
  const groups = layOut(tensorsToPlace(options), options.optimizer);
  const trained = trainedGraph(options.graph, groups);
  const { graph, states } = trained;
  const gradients = flatGradients(trained);
  const { inputs, outputs } = updateOf(gradients, states, options.clipNorm);
  const moments = [...states.values()].flatMap((state) => Object.values(state.moments));
  const stepInputs = [...graph.inputs, ...moments, ...inputs];
  return {
    groups,
    step: defineGraph(`${graph.name}-step`, stepInputs, { [LOSS]: lossOf(graph), ...outputs }),
    accumulate: accumulateGraph(trained, gradients),
    apply: applyGraph(trained, [...gradients.keys()], options.clipNorm),
    evaluate: graph,
  };
};
