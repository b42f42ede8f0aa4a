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
import type { Cotangent } from './gradient.ts';

export interface LoopContext {
  /** Gradients of the loop's results that have one, by their places. */
  readonly parts: ReadonlyMap<number, Tensor>;
  /** Whether the gradient of an input is asked for. */
  readonly isNeeded: (input: Tensor) => boolean;
  readonly pullBack: (
    cotangents: readonly Cotangent[],
    wrt: readonly Tensor[],
  ) => readonly (Tensor | undefined)[];
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

/** Gradients of the inputs of a loop: initial states, sequences, and the values around it. */
export const scanRule = (
  node: ScanNode,
  { parts, isNeeded, pullBack }: LoopContext,
): readonly (Tensor | undefined)[] => {
  const { body, states, sequences } = node;
  if (node.growth) {
    throw new TollamaError('GRAPH_INVALID', 'scan has no derivative: its states grow', {
      hint: 'train the forward pass without a memory of earlier steps',
    });
  }
  const initial = node.inputs.slice(0, states);
  const elements = node.inputs.slice(states, states + sequences);
  // The stops end the paths at the loop: what lies before it gets its share through these values alone.
  const around = node.inputs.slice(states + sequences).map(stopGradient);
  const rerun = scan(initial, elements, (before, element) => ({
    states: instantiate(body, [...before, ...element, ...around]).slice(0, states),
    outputs: before,
  }));
  const held = placesOf(initial, () => true);
  const fed = placesOf(elements, isNeeded);
  const kept = placesOf(node.inputs.slice(states + sequences), isNeeded);
  const given = [...parts.keys()].filter((part) => part >= states);

  const back = scan(
    [
      ...held.map((i) => parts.get(i) ?? zerosLike(initial[i]!)),
      ...kept.map((i) => zerosLike(around[i]!)),
    ],
    [...rerun.outputs, ...elements, ...given.map((part) => parts.get(part)!)].map(reversed),
    (gradients, now) => {
      const before = now.slice(0, states);
      const element = now.slice(states, states + sequences);
      const results = instantiate(body, [...before, ...element, ...around]);
      const cotangents = [
        ...held.map((i, at) => ({ output: results[i]!, gradient: gradients[at]! })),
        ...given.map((part, at) => ({
          output: results[part]!,
          gradient: now[states + sequences + at]!,
        })),
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
  const result: (Tensor | undefined)[] = node.inputs.map(() => undefined);
  held.forEach((i, at) => {
    result[i] = back.states[at];
  });
  fed.forEach((i, at) => {
    result[states + i] = reversed(back.outputs[at]!);
  });
  kept.forEach((i, at) => {
    result[states + sequences + i] = back.states[held.length + at];
  });
  return result;
};
