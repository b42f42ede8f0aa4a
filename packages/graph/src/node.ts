/**
 * The tensor-graph language: immutable nodes of one tagged union. A node names its inputs, its
 * attributes, and the shape and type that inference found for it. Nodes are made by the functions of
 * `ops.ts`; every meaning (shape, text, legality, ONNX) is a visitor with one entry for each kind, so a
 * kind without an entry does not compile.
 */
import type { Dim } from './dimension.ts';
import type { DType, TensorData } from './dtype.ts';
import type { Graph } from './graph.ts';

export type Shape = readonly Dim[];

/** Facts that every node carries, and what inference gives. */
export interface ShapeAndType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A value that the caller feeds to each run. */
export interface InputNode extends ShapeAndType {
  readonly kind: 'input';
  readonly inputs: readonly [];
  readonly name: string;
}

/** A tensor of the checkpoint, addressed by its own name in the published file. */
export interface ParameterNode extends ShapeAndType {
  readonly kind: 'parameter';
  readonly inputs: readonly [];
  readonly name: string;
}

/** Numbers that the family computes itself, such as a table of buckets. */
export interface ConstantNode extends ShapeAndType {
  readonly kind: 'constant';
  readonly inputs: readonly [];
  readonly data: TensorData;
}

/** 0, 1, ... size-1 as int64. */
export interface IotaNode extends ShapeAndType {
  readonly kind: 'iota';
  readonly inputs: readonly [];
}

/** A size of the graph's own, known when it runs: int64 of shape []. */
export interface SizeNode extends ShapeAndType {
  readonly kind: 'size';
  readonly inputs: readonly [];
  readonly size: Dim;
}

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'tanh'
  | 'sigmoid'
  | 'relu'
  | 'selu'
  | 'erf'
  | 'sin'
  | 'cos'
  | 'sinh'
  | 'asinh'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'sign'
  | 'softplus'
  | 'gelu'
  | 'geluTanh'
  | 'silu'
  | 'isNan'
  | 'not';

export interface UnaryNode extends ShapeAndType {
  readonly kind: 'unary';
  readonly op: UnaryOp;
  readonly inputs: readonly [Tensor];
}

export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'mod'
  | 'min'
  | 'max'
  | 'equal'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'and'
  | 'or';

/** Elementwise with numpy broadcasting; comparisons and logic give bool. */
export interface BinaryNode extends ShapeAndType {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly inputs: readonly [Tensor, Tensor];
}

/** condition ? a : b, elementwise with broadcasting. */
export interface WhereNode extends ShapeAndType {
  readonly kind: 'where';
  readonly inputs: readonly [Tensor, Tensor, Tensor];
}

export interface CastNode extends ShapeAndType {
  readonly kind: 'cast';
  readonly inputs: readonly [Tensor];
}

export type ReduceOp = 'sum' | 'mean' | 'max' | 'min';

/** Reduces the given axes (not negative, ascending), which stay with size 1 or go. */
export interface ReduceNode extends ShapeAndType {
  readonly kind: 'reduce';
  readonly op: ReduceOp;
  readonly inputs: readonly [Tensor];
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}

export interface ReshapeNode extends ShapeAndType {
  readonly kind: 'reshape';
  readonly inputs: readonly [Tensor];
}

export interface TransposeNode extends ShapeAndType {
  readonly kind: 'transpose';
  readonly inputs: readonly [Tensor];
  readonly permutation: readonly number[];
}

/** Numpy broadcast to the node's shape. */
export interface BroadcastNode extends ShapeAndType {
  readonly kind: 'broadcast';
  readonly inputs: readonly [Tensor];
}

export interface ConcatNode extends ShapeAndType {
  readonly kind: 'concat';
  readonly inputs: readonly Tensor[];
  readonly axis: number;
}

/** Elements start, start+step, ... before end of one axis; both ends may be symbolic, not negative. */
export interface SliceNode extends ShapeAndType {
  readonly kind: 'slice';
  readonly inputs: readonly [Tensor];
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** Rows of `axis` picked by an int64 tensor of any rank, whose axes take the place of `axis`. */
export interface TakeNode extends ShapeAndType {
  readonly kind: 'take';
  readonly inputs: readonly [Tensor, Tensor];
  readonly axis: number;
}

/** Elements along `axis` picked by int64 indices of the result's shape (torch.gather). */
export interface TakeAlongNode extends ShapeAndType {
  readonly kind: 'takeAlong';
  readonly inputs: readonly [Tensor, Tensor];
  readonly axis: number;
}

/** Zeros before and after one axis. */
export interface PadNode extends ShapeAndType {
  readonly kind: 'pad';
  readonly inputs: readonly [Tensor];
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

/**
 * Zeros with `size` elements along `axis`, to which values are added at int64 places of their own shape: what
 * undoes `takeAlong`. Equal places add up.
 */
export interface ScatterAddNode extends ShapeAndType {
  readonly kind: 'scatterAdd';
  readonly inputs: readonly [Tensor, Tensor];
  readonly axis: number;
  readonly size: Dim;
}

/** Inclusive running sum, from the end where it is reverse. */
export interface CumulativeSumNode extends ShapeAndType {
  readonly kind: 'cumulativeSum';
  readonly inputs: readonly [Tensor];
  readonly axis: number;
  readonly isReverse: boolean;
}

/** The `count` largest (or smallest) elements of an axis in order, or their int64 places. */
export interface TopNode extends ShapeAndType {
  readonly kind: 'top';
  readonly inputs: readonly [Tensor];
  readonly axis: number;
  readonly count: Dim;
  readonly largest: boolean;
  readonly part: 'values' | 'indices';
}

/** Convolution over the last axis: x [b, in, t], weight [out, in / groups, width], bias [out]. */
export interface Conv1dNode extends ShapeAndType {
  readonly kind: 'conv1d';
  readonly inputs: readonly [Tensor, Tensor] | readonly [Tensor, Tensor, Tensor];
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  /** Zeros before and after. */
  readonly padding: readonly [number, number];
}

/** Batched matrix product over the last two axes; the second may be read transposed. */
export interface MatmulNode extends ShapeAndType {
  readonly kind: 'matmul';
  readonly inputs: readonly [Tensor, Tensor];
  readonly transposeB: boolean;
}

/** x . weight^T (+ bias); weight [out, in] as torch's nn.Linear stores it. x [..., in] -> [..., out] */
export interface LinearNode extends ShapeAndType {
  readonly kind: 'linear';
  readonly inputs: readonly [Tensor, Tensor] | readonly [Tensor, Tensor, Tensor];
}

/**
 * A linear layer whose weight was quantised per output row to int8, activations per run: inputs are
 * x, weight [in, out] int8, scale [out], and the bias where there is one.
 */
export interface QuantizedLinearNode extends ShapeAndType {
  readonly kind: 'quantizedLinear';
  readonly inputs: readonly [Tensor, Tensor, Tensor] | readonly [Tensor, Tensor, Tensor, Tensor];
}

export interface SoftmaxNode extends ShapeAndType {
  readonly kind: 'softmax';
  readonly inputs: readonly [Tensor];
  readonly axis: number;
}

/** x / sqrt(mean(x^2) + epsilon) * gain over the last axis. */
export interface RmsNormNode extends ShapeAndType {
  readonly kind: 'rmsNorm';
  readonly inputs: readonly [Tensor, Tensor];
  readonly epsilon: number;
}

/** (x - mean) / sqrt(var + epsilon) * gain + offset over the last axis. */
export interface LayerNormNode extends ShapeAndType {
  readonly kind: 'layerNorm';
  readonly inputs: readonly [Tensor, Tensor] | readonly [Tensor, Tensor, Tensor];
  readonly epsilon: number;
}

/**
 * Multi-head attention: query [b, s, h*k], key [b, t, h*k] and value [b, t, h*v], or both split into heads as
 * [b, h, t, k], optional bias that is added to the scores and broadcasts to [b, h, s, t]. -> [b, s, h*v]
 */
export interface AttentionNode extends ShapeAndType {
  readonly kind: 'attention';
  readonly inputs: readonly [Tensor, Tensor, Tensor] | readonly [Tensor, Tensor, Tensor, Tensor];
  readonly heads: number;
  readonly scale: number;
}

/** Which channels of a head turn together: (0, 1), (2, 3), ... or (0, r/2), (1, r/2 + 1), ... */
export type RotaryPairs = 'neighbours' | 'halves';

/**
 * Turns the first r channels of every head in pairs: x [b, s, h*k], cosines and sines [b, s, r/2], or
 * [s, r/2] for all of the batch. -> [b, s, h*k]
 */
export interface RotaryNode extends ShapeAndType {
  readonly kind: 'rotary';
  readonly inputs: readonly [Tensor, Tensor, Tensor];
  readonly heads: number;
  readonly pairs: RotaryPairs;
}

/** Which states of a loop gain an element with each step. */
export interface Growth {
  /** The symbol, in the shapes of a step, of how many steps lie behind it. */
  readonly steps: string;
  /** For each state the axis that grows, or undefined. */
  readonly axes: readonly (number | undefined)[];
}

/**
 * A loop over the first axis of sequences. Inputs are the initial states, the sequences, and the outer values
 * that a step uses; the body has an input for each, in this order. Its outputs are the next states and what
 * is collected. A node is one result of the loop; all results share the body.
 */
export interface ScanNode extends ShapeAndType {
  readonly kind: 'scan';
  readonly inputs: readonly Tensor[];
  readonly body: Graph;
  /** How many of the inputs are states. */
  readonly states: number;
  /** How many of the inputs are sequences. */
  readonly sequences: number;
  readonly growth: Growth | undefined;
  /** The place of this result among the body's outputs. */
  readonly part: number;
}

/** The value itself; gradients end here. */
export interface StopGradientNode extends ShapeAndType {
  readonly kind: 'stopGradient';
  readonly inputs: readonly [Tensor];
}

export type Node =
  | InputNode
  | ParameterNode
  | ConstantNode
  | IotaNode
  | SizeNode
  | UnaryNode
  | BinaryNode
  | WhereNode
  | CastNode
  | ReduceNode
  | ReshapeNode
  | TransposeNode
  | BroadcastNode
  | ConcatNode
  | SliceNode
  | TakeNode
  | TakeAlongNode
  | PadNode
  | ScatterAddNode
  | CumulativeSumNode
  | TopNode
  | Conv1dNode
  | MatmulNode
  | LinearNode
  | QuantizedLinearNode
  | SoftmaxNode
  | RmsNormNode
  | LayerNormNode
  | AttentionNode
  | RotaryNode
  | ScanNode
  | StopGradientNode;

/** A symbolic tensor is the node that makes it. */
export type Tensor = Node;

export type NodeKind = Node['kind'];
export type NodeOf<K extends NodeKind> = Extract<Node, { kind: K }>;

/** One function for each kind: the form of every visitor over the language. */
export type Visitor<Result, Context = undefined> = {
  readonly [K in NodeKind]: (node: NodeOf<K>, context: Context) => Result;
};

/** Applies the visitor's entry for the node's kind. */
export const visit = <Result, Context>(
  visitor: Visitor<Result, Context>,
  node: Node,
  context: Context,
): Result => (visitor[node.kind] as (node: Node, context: Context) => Result)(node, context);
