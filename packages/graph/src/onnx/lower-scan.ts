/**
 * Loops in ONNX. Scan keeps the shapes of its states; where one grows, Loop takes its place, whose body finds its
 * elements itself. A body sees the values around it by their names; states and elements get names of their own.
 */
import type { DType } from '../dtype.ts';
import type { Node, ScanNode } from '../node.ts';
import { Emitter } from './emitter.ts';
import type { OnnxGraph, OnnxValue } from './messages.ts';

/** Lowers a node of a body by the emitter of that body, and gives the name of its value. */
type LowerInner = (node: Node, emitter: Emitter) => string;

interface Body {
  readonly graph: OnnxGraph;
  /** Inputs of a Loop's body that a Scan's does without: the number of the step, and whether it is done. */
  readonly iteration: string;
  readonly condition: string;
}

const described = (x: Node, name: string): OnnxValue => ({
  name,
  dtype: x.dtype,
  shape: x.shape,
});

/** A result needs a name of its own: Identity makes one for an input of the body, and for a second use. */
const ownNames = (
  results: readonly Node[],
  inputs: readonly Node[],
  emitter: Emitter,
): string[] => {
  const used = new Set(inputs.map((x) => emitter.nameOf(x)));
  return results.map((x) => {
    const own = emitter.nameOf(x);
    const name = used.has(own) ? emitter.emit('Identity', [own]) : own;
    used.add(name);
    return name;
  });
};

/** @param names of the loop's inputs outside */
const bodyOf = (
  { body, states, sequences, growth }: ScanNode,
  names: readonly string[],
  emitter: Emitter,
  lowerInner: LowerInner,
): Body => {
  const [iteration, condition] = [emitter.fresh(), emitter.fresh()];
  const looped = body.inputs.slice(0, states + sequences);
  body.inputs.forEach((x, i) => {
    emitter.setName(x, i < looped.length ? emitter.fresh() : names[i]!);
    if (i < states) emitter.learnSizes(emitter.nameOf(x), x.shape);
    if (growth && i >= states && i < looped.length) {
      emitter.setName(x, emitter.emit('Gather', [names[i]!, iteration]));
    }
  });
  for (const inner of body.nodes) {
    if (inner.kind !== 'input') emitter.setName(inner, lowerInner(inner, emitter));
  }
  const results = [...body.outputs.values()];
  const outputs = ownNames(results, body.inputs, emitter);
  const graph: OnnxGraph = {
    name: emitter.fresh(),
    nodes: emitter.nodes,
    initializers: [],
    inputs: looped.map((x) => described(x, emitter.nameOf(x))),
    outputs: results.map((x, i) => described(x, outputs[i]!)),
  };
  return { graph, iteration, condition };
};

interface LoopPlace {
  /** Of the loop's inputs outside. */
  readonly names: readonly string[];
  readonly inner: Emitter;
  readonly outer: Emitter;
}

/** Names of the results of a Loop: its body has the number of the step and a condition besides. */
const emitLoop = (
  node: ScanNode,
  { graph, iteration, condition }: Body,
  { names, inner, outer }: LoopPlace,
): readonly string[] => {
  const { states } = node;
  const steps = outer.size(node.inputs[states]!.shape[0]!);
  const scalar = (name: string, dtype: DType): OnnxValue => ({ name, dtype, shape: [] });
  const goesOn = inner.emit('Identity', [condition]);
  const looping: OnnxGraph = {
    ...graph,
    inputs: [
      scalar(iteration, 'int64'),
      scalar(condition, 'bool'),
      ...graph.inputs.slice(0, states),
    ],
    outputs: [scalar(goesOn, 'bool'), ...graph.outputs],
  };
  const inputs = [outer.emit('Squeeze', [steps]), '', ...names.slice(0, states)];
  return outer.emitAll('Loop', inputs, graph.outputs.length, {
    attributes: { body: { graph: looping } },
  });
};

/** Emits a loop and gives the names of its results. */
export const lowerScan = (
  node: ScanNode,
  outer: Emitter,
  lowerInner: LowerInner,
): readonly string[] => {
  const { states, sequences, growth } = node;
  const names = node.inputs.map((x) => outer.nameOf(x));
  const inner = new Emitter([], [], outer);
  const body = bodyOf(node, names, inner, lowerInner);
  if (growth) return emitLoop(node, body, { names, inner, outer });
  const { graph } = body;
  return outer.emitAll('Scan', names.slice(0, states + sequences), graph.outputs.length, {
    attributes: { body: { graph }, num_scan_inputs: { int: sequences } },
  });
};
