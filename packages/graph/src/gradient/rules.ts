/**
 * Vector-Jacobian products: from the gradient of a node's value to those of its inputs, an entry a kind. An
 * entry gives undefined for an input that the value does not follow smoothly.
 */
import { TollamaError } from '@tollama/core/errors';
import { addDims, type Dim, multiplyDims, subtractDims } from '../dimension.ts';
import type { Node, ReduceNode, SliceNode, Tensor, Visitor } from '../node.ts';
import {
  broadcast,
  cast,
  constant,
  cumulativeSum,
  div,
  equal,
  make,
  mul,
  neg,
  pad,
  reshape,
  scatterAdd,
  slice,
  stopGradient,
  sum,
  takeAlong,
  transpose,
  turnPairs,
  where,
  withInputs,
} from '../ops.ts';
import { overCount, reduceTo } from './broadcasting.ts';
import { composed } from './composition.ts';
import { BINARY_RULES, indicator, UNARY_RULES } from './elementwise-rules.ts';
import { layerNormRule, linearRule, matmulRule, rmsNormRule, softmaxRule } from './layer-rules.ts';
import { type LoopContext, scanRule } from './scan-rule.ts';

/** Gradients of the inputs in their order; a function where making one may refuse. */
export type InputGradients = readonly (Tensor | undefined | (() => Tensor))[];

export interface RuleContext extends LoopContext {
  /** The gradient of the node's value. */
  readonly g: Tensor;
}

const NONE: InputGradients = [];

const refuse = (kind: string, why: string, hint: string) => (): never => {
  throw new TollamaError('GRAPH_INVALID', `${kind} has no derivative: ${why}`, { hint });
};

const noDerivative =
  (kind: Node['kind'], why: string, hint: string) =>
  (node: Node): InputGradients =>
    node.inputs.map(() => refuse(kind, why, hint));

/** The gradient with its reduced axes back, spread over all that was reduced. */
const restored = (g: Tensor, { inputs: [x], axes, keepAxes }: ReduceNode): Tensor =>
  keepAxes
    ? g
    : reshape(
        g,
        x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim)),
      );

const reduceRule = (g: Tensor, node: ReduceNode): Tensor => {
  const [x] = node.inputs;
  const dims = node.axes.map((axis) => x.shape[axis]!);
  const spread = restored(g, node);
  if (node.op === 'sum') return broadcast(spread, x.shape);
  if (node.op === 'mean') return broadcast(overCount(spread, dims), x.shape);
  const isChosen = indicator(equal(x, restored(node, node)), x);
  const share = div(spread, sum(isChosen, node.axes, { keepAxes: true }));
  return mul(isChosen, share);
};

const sliceRule = (g: Tensor, node: SliceNode): Tensor => {
  const { axis, start, step } = node;
  const size = node.inputs[0].shape[axis]!;
  const count = g.shape[axis]!;
  if (step === 1) return pad(g, axis, start, subtractDims(size, addDims(start, count)));
  // Each element followed by step - 1 zeros, of which what is past the end goes.
  const wide = [...g.shape.slice(0, axis + 1), 1, ...g.shape.slice(axis + 1)];
  const spread = pad(reshape(g, wide), axis + 1, 0, step - 1);
  const joined = reshape(spread, g.shape.with(axis, multiplyDims(count, step)));
  const reach = addDims(multiplyDims(addDims(count, -1), step), 1);
  const exact = slice(joined, axis, { end: reach });
  return pad(exact, axis, start, subtractDims(size, addDims(start, reach)));
};

/** Parts of the gradient of a concat, in order. */
const partsAlong = (g: Tensor, inputs: readonly Tensor[], axis: number): readonly Tensor[] => {
  let start: Dim = 0;
  return inputs.map((x) => {
    const end = addDims(start, x.shape[axis]!);
    const part = slice(g, axis, { start, end });
    start = end;
    return part;
  });
};

/** Rows that were picked more than once add up. */
const takeRule = (g: Tensor, x: Tensor, indices: Tensor, axis: number): Tensor => {
  const count = multiplyDims(...indices.shape);
  const shape = [...x.shape.slice(0, axis), count, ...x.shape.slice(axis + 1)];
  const places = reshape(
    indices,
    shape.map((_, i) => (i === axis ? count : 1)),
  );
  return scatterAdd(reshape(g, shape), broadcast(places, shape), axis, x.shape[axis]!);
};

/** Through what the layer is made of. The stops end the paths at its inputs, which may follow one another. */
const composedRule = (node: Node, { g, pullBack }: RuleContext): InputGradients => {
  const ends = node.inputs.map(stopGradient);
  return pullBack([{ output: composed(withInputs(node, ends)), gradient: g }], ends);
};

/** The table. Gradients of broadcast operands come in the operand's shape. */
export const rules: Visitor<InputGradients, RuleContext> = {
  input: () => NONE,
  parameter: () => NONE,
  constant: () => NONE,
  iota: () => NONE,
  size: () => NONE,
  unary: (node, { g }) => [UNARY_RULES[node.op]?.(g, node.inputs[0], node)],
  binary: (node, { g }) => {
    const [a, b] = node.inputs;
    const rule = BINARY_RULES[node.op];
    return rule ? rule(g, { a, b, y: node }).map((d, i) => reduceTo(d, node.inputs[i]!.shape)) : [];
  },
  where: (node, { g }) => {
    const [condition, a, b] = node.inputs;
    const zero = constant(0, g.dtype);
    return [
      undefined,
      reduceTo(where(condition, g, zero), a.shape),
      reduceTo(where(condition, zero, g), b.shape),
    ];
  },
  cast: (node, { g }) => [cast(g, node.inputs[0].dtype)],
  reduce: (node, { g }) => [reduceRule(g, node)],
  reshape: (node, { g }) => [reshape(g, node.inputs[0].shape)],
  transpose: (node, { g }) => [
    transpose(
      g,
      node.permutation.map((_, axis) => node.permutation.indexOf(axis)),
    ),
  ],
  broadcast: (node, { g }) => [reduceTo(g, node.inputs[0].shape)],
  concat: (node, { g }) => partsAlong(g, node.inputs, node.axis),
  slice: (node, { g }) => [sliceRule(g, node)],
  take: (node, { g }) => [takeRule(g, ...node.inputs, node.axis)],
  takeAlong: (node, { g }) => {
    const [x, indices] = node.inputs;
    return [scatterAdd(g, indices, node.axis, x.shape[node.axis]!)];
  },
  pad: (node, { g }) => {
    const size = node.inputs[0].shape[node.axis]!;
    return [slice(g, node.axis, { start: node.before, end: addDims(node.before, size) })];
  },
  scatterAdd: (node, { g }) => [takeAlong(g, node.inputs[1], node.axis)],
  cumulativeSum: (node, { g }) => [cumulativeSum(g, node.axis, { isReverse: !node.isReverse })],
  top: (node, { g }) => {
    if (node.part === 'indices') return NONE;
    const places = make({ ...node, part: 'indices' });
    return [scatterAdd(g, places, node.axis, node.inputs[0].shape[node.axis]!)];
  },
  conv1d: composedRule,
  matmul: (node, { g }) => matmulRule(g, node),
  linear: (node, { g }) => linearRule(g, node),
  quantizedLinear: noDerivative(
    'quantizedLinear',
    'its weights are rounded to int8',
    'train in float32 and quantise afterwards',
  ),
  softmax: (node, { g }) => [softmaxRule(g, node, node.axis)],
  rmsNorm: (node, { g }) => rmsNormRule(g, node),
  layerNorm: (node, { g }) => layerNormRule(g, node),
  attention: composedRule,
  rotary: (node, { g }) => {
    const [, cos, sin] = node.inputs;
    const { heads, pairs } = node;
    const table = refuse('rotary', 'its tables are constants', 'write the rotation in operators');
    // Turning back by the same angles.
    return [turnPairs(g, cos, neg(sin), { heads, pairs }), table, table];
  },
  scan: (node, context) => scanRule(node, context),
  stopGradient: () => NONE,
};
