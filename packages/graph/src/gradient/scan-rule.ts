/**
 * Back-propagation through time (Werbos 1990): the gradient of a loop is a loop from its end. The states before
 * each step are found by running the loop once more, so that the forward pass stays as it was.
 */
import { TollamaError } from '@tollama/core/errors';
import { isFloat } from '../dtype.ts';
import type { Graph } from '../graph.ts';
import type { Node, ScanNode, Tensor } from '../node.ts';
import {
  add,
  broadcast,
  constant,
  dimOf,
  iota,
  sizeOf,
  stopGradient,
  sub,
  take,
  withInputs,
} from '../ops.ts';
import { scan } from '../scan.ts';
import type { PullBack } from './cotangent.ts';

export interface LoopContext {
  /** Gradients of the loop's results that have one, by their places. */
  readonly parts: ReadonlyMap<number, Tensor>;
  /** Whether the gradient of an input is asked for. */
  readonly isNeeded: (input: Tensor) => boolean;
  readonly pullBack: PullBack;
}

const zerosLike = (x: Tensor): Tensor => {
  const zero = constant(0, x.dtype);
  return x.shape.length === 0 ? zero : broadcast(zero, x.shape);
};

/** The sequence from its end. */
const reversed = (x: Tensor): Tensor => {
  const steps = dimOf(x, 0);
  return take(x, sub(sub(sizeOf(steps), 1), iota(steps)));
};

/** The results of a loop's body over other values in the place of its inputs. */
const instantiate = (body: Graph, values: readonly Tensor[]): readonly Tensor[] => {
  const made = new Map<Node, Tensor>(body.inputs.map((x, i) => [x, values[i]!]));
  for (const node of body.nodes) {
    if (made.has(node)) continue;
    const inputs = node.inputs.map((x) => made.get(x)!);
    made.set(node, withInputs(node, inputs));
  }
  return [...body.outputs.values()].map((x) => made.get(x)!);
};

/** Places of the values whose gradient goes back with the loop. */
const placesOf = (values: readonly Tensor[], isWanted: (x: Tensor) => boolean): readonly number[] =>
  values.flatMap((x, i) => (isFloat(x.dtype) && isWanted(x) ? [i] : []));

/** What of a loop takes part in going back, by places. */
interface Places {
  /** States. */
  readonly held: readonly number[];
  /** Sequences. */
  readonly fed: readonly number[];
  /** Values around the loop. */
  readonly kept: readonly number[];
  /** Outputs that have a gradient, among all results. */
  readonly given: readonly number[];
}

interface LoopValues {
  readonly initial: readonly Tensor[];
  readonly elements: readonly Tensor[];
  readonly around: readonly Tensor[];
}

const valuesOf = ({ inputs, states, sequences }: ScanNode): LoopValues => ({
  initial: inputs.slice(0, states),
  elements: inputs.slice(states, states + sequences),
  // The stops end the paths at the loop: what lies before it gets its share through these values alone.
  around: inputs.slice(states + sequences).map(stopGradient),
});

/** The states before each step, [steps, ...] each. */
const statesBefore = ({ body, states }: ScanNode, values: LoopValues): readonly Tensor[] =>
  scan(values.initial, values.elements, (before, element) => ({
    states: instantiate(body, [...before, ...element, ...values.around]).slice(0, states),
    outputs: before,
  })).outputs;

/**
 * The loop from its end: its states are the gradients of the states and the sums of those of the values around it,
 * its outputs the gradients of the elements.
 */
const backwardLoop = (
  { body, states, sequences }: ScanNode,
  { initial, elements, around }: LoopValues,
  befores: readonly Tensor[],
  { held, fed, kept, given }: Places,
  { parts, pullBack }: LoopContext,
) =>
  scan(
    [
      ...held.map((i) => parts.get(i) ?? zerosLike(initial[i]!)),
      ...kept.map((i) => zerosLike(around[i]!)),
    ],
    [...befores, ...elements, ...given.map((part) => parts.get(part)!)].map(reversed),
    (gradients, now) => {
      const before = now.slice(0, states);
      const element = now.slice(states, states + sequences);
      const arriving = now.slice(states + sequences);
      const results = instantiate(body, [...before, ...element, ...around]);
      const cotangents = [
        ...held.map((i, at) => ({ output: results[i]!, gradient: gradients[at]! })),
        ...given.map((part, at) => ({ output: results[part]!, gradient: arriving[at]! })),
      ];
      const wrt = [
        ...held.map((i) => before[i]!),
        ...fed.map((i) => element[i]!),
        ...kept.map((i) => around[i]!),
      ];
      const pulled = pullBack(cotangents, wrt).map((g, i) => g ?? zerosLike(wrt[i]!));
      const sums = pulled.slice(held.length + fed.length);
      return {
        states: [
          ...pulled.slice(0, held.length),
          ...sums.map((g, i) => add(gradients[held.length + i]!, g)),
        ],
        outputs: pulled.slice(held.length, held.length + fed.length),
      };
    },
  );

/** Gradients of the inputs of a loop: initial states, sequences, and the values around it. */
export const scanRule = (node: ScanNode, context: LoopContext): readonly (Tensor | undefined)[] => {
  const { states, sequences } = node;
  if (node.growth) {
    throw new TollamaError('GRAPH_INVALID', 'scan has no derivative: its states grow', {
      hint: 'train the forward pass without a memory of earlier steps',
    });
  }
  const values = valuesOf(node);
  const places: Places = {
    held: placesOf(values.initial, () => true),
    fed: placesOf(values.elements, context.isNeeded),
    kept: placesOf(node.inputs.slice(states + sequences), context.isNeeded),
    given: [...context.parts.keys()].filter((part) => part >= states),
  };
  const back = backwardLoop(node, values, statesBefore(node, values), places, context);
  const gradients = new Map<number, Tensor>([
    ...places.held.map((i, at) => [i, back.states[at]!] as const),
    ...places.fed.map((i, at) => [states + i, reversed(back.outputs[at]!)] as const),
    ...places.kept.map(
      (i, at) => [states + sequences + i, back.states[places.held.length + at]!] as const,
    ),
  ]);
  return node.inputs.map((_, i) => gradients.get(i));
};
