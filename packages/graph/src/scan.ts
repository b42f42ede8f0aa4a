/** A loop over time as one node: recurrent layers, samplers, decoders. */

import { addDims, type Dim, symbol, symbolsOf } from './dimension.ts';
import { defineGraph, type Graph, topologicalOrder } from './graph.ts';
import type { Growth, Node, ScanNode, Shape, Tensor } from './node.ts';
import { input, make, withInputs } from './ops.ts';

/** What one step gives: the states for the next step, and what is collected. */
export interface ScanStep {
  readonly states: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Sizes among the attributes of a node. */
const sizesIn = (node: Node): readonly Dim[] => {
  if (node.kind === 'slice') return [node.start, node.end];
  if (node.kind === 'pad') return [node.before, node.after];
  return node.kind === 'size' ? [node.size] : [];
};

/** Whether a size of the node depends on the symbol. */
const mentions = (node: Node, name: string): boolean => {
  return [...node.shape, ...sizesIn(node)].some((dim) => symbolsOf(dim).includes(name));
};

/**
 * Gives the results over placeholders instead of the outer values that they reach. Whatever depends neither on
 * the placeholders nor on how many steps were done stays outside of the loop, and is computed once.
 */
const capture = (
  results: readonly Tensor[],
  placeholders: readonly Tensor[],
  steps: string | undefined,
) => {
  const inner = new Map<Node, Tensor>(placeholders.map((node) => [node, node]));
  const captured = new Map<Node, Tensor>();
  const within = (outer: Tensor): Tensor => {
    const known = inner.get(outer) ?? captured.get(outer);
    if (known) return known;
    const stand = input(`captured${captured.size}`, outer.shape, outer.dtype);
    captured.set(outer, stand);
    return stand;
  };
  for (const node of topologicalOrder(results)) {
    const changes = steps !== undefined && mentions(node, steps);
    if (inner.has(node) || !(changes || node.inputs.some((x) => inner.has(x)))) continue;
    inner.set(node, withInputs(node, node.inputs.map(within)));
  }
  return { results: results.map(within), captured };
};

interface Body {
  readonly body: Graph;
  /** Outer values that the body has inputs for, after those of states and elements. */
  readonly captured: readonly Tensor[];
}

const closeBody = (
  open: readonly Tensor[],
  placeholders: readonly Tensor[],
  growth: Growth | undefined,
): Body => {
  const { results, captured } = capture(open, placeholders, growth?.steps);
  const outputs = Object.fromEntries(results.map((x, i) => [`result${i}`, x]));
  const body = defineGraph('step', [...placeholders, ...captured.values()], outputs);
  return { body, captured: [...captured.keys()] };
};

/**
 * For rewrites of a graph: gives a loop anew with `rule` applied to each node of its step, which sees the
 * values around the loop in place of the inputs that stand for them.
 */
export const rewriteLoops = (
  rule: (node: Node, inputs: readonly Tensor[]) => Tensor,
): ((loop: ScanNode, inputs: readonly Tensor[]) => Tensor) => {
  // The parts of a loop share its body, before and after.
  const known = new Map<Graph, Body>();
  const rewritten = (loop: ScanNode, inputs: readonly Tensor[]): Body => {
    const placeholders = loop.body.inputs.slice(0, loop.states + loop.sequences);
    const values = new Map<Node, Tensor>(
      loop.body.inputs.map((x, i) => [x, i < placeholders.length ? x : inputs[i]!]),
    );
    for (const node of loop.body.nodes) {
      if (node.kind === 'input') continue;
      const own = node.inputs.map((x) => values.get(x)!);
      values.set(node, rule(node, own));
    }
    const results = [...loop.body.outputs.values()].map((x) => values.get(x)!);
    return closeBody(results, placeholders, loop.growth);
  };
  return (loop, inputs) => {
    const done = known.get(loop.body) ?? rewritten(loop, inputs);
    known.set(loop.body, done);
    const looped = inputs.slice(0, loop.states + loop.sequences);
    return make({ ...loop, body: done.body, inputs: [...looped, ...done.captured] });
  };
};

/** The shape of state `i` within a step. */
const grownShape = (shape: Shape, i: number, growth: Growth | undefined): Shape => {
  const axis = growth?.axes[i];
  return shape.map((dim, at) => (at === axis ? addDims(dim, symbol(growth!.steps)) : dim));
};

/**
 * Runs `step` for each element of the first axis of the sequences, which have one length, and hands its
 * states on. The step may use any tensor of the graph around it.
 *
 * @param initial states before the first step; a step gives states of the same shapes
 * @param growth  states that a step gives with one more element along an axis, such as the keys and values
 * of a decoder
 * @returns the states after the last step, and each output stacked along a new first axis
 * @example
 * const { states, outputs } = scan([zeros], [xs], ([h], [x]) => {
 *   const next = tanh(add(affine(h!, weight), x!));
 *   return { states: [next], outputs: [next] };
 * }); // xs [t, b, d], zeros [b, d] -> states [[b, d]], outputs [[t, b, d]]
 */
export const scan = (
  initial: readonly Tensor[],
  sequences: readonly Tensor[],
  step: (states: readonly Tensor[], elements: readonly Tensor[]) => ScanStep,
  growth?: Growth,
): ScanStep => {
  const states = initial.map((x, i) => input(`state${i}`, grownShape(x.shape, i, growth), x.dtype));
  const elements = sequences.map((x, i) => input(`element${i}`, x.shape.slice(1), x.dtype));
  const done = step(states, elements);
  const results = [...done.states, ...done.outputs];
  const { body, captured } = closeBody(results, [...states, ...elements], growth);
  const inputs = [...initial, ...sequences, ...captured];
  const shared = { kind: 'scan', inputs, body, states: initial.length } as const;
  const parts = results.map((_, part) =>
    make({ ...shared, sequences: sequences.length, growth, part }),
  );
  return { states: parts.slice(0, initial.length), outputs: parts.slice(initial.length) };
};
