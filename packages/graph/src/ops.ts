/**
 * The words of the graph language. Every function takes tensors and returns a new one; nothing is
 * computed. Negative axes count from the end; a plain number stands for a scalar of the other
 * operand's type. All throw GRAPH_INVALID when shapes or types do not fit.
 */
import { type Dim, shapeEquals, symbol } from './dimension.ts';
import type { DType, TensorData } from './dtype.ts';
import { misfit } from './misfit.ts';
import type { BinaryOp, Node, ReduceOp, RotaryPairs, Shape, Tensor, UnaryOp } from './node.ts';
import { inferShape } from './shape.ts';

type Scalar = Tensor | number;

type Unshaped<N> = N extends Node
  ? Omit<N, 'shape' | 'dtype'> & Partial<Pick<N, 'shape' | 'dtype'>>
  : never;

/** Completes a node with what inference finds and freezes it. */
export const make = (node: Unshaped<Node>): Tensor => {
  const draft = { shape: [], dtype: 'float32', ...node } as Node;
  return Object.freeze({ ...draft, ...inferShape(draft) }) as Tensor;
};

const axisOf = (x: Tensor, axis: number): number => (axis < 0 ? axis + x.shape.length : axis);

// ---- leaves ------------------------------------------------------------------------------------

/** A value fed to each run. Sizes given as strings are symbolic: `input('x', ['batch', 512])`. */
export const input = (
  name: string,
  shape: readonly (Dim | string)[],
  dtype: DType = 'float32',
): Tensor =>
  make({
    kind: 'input',
    inputs: [],
    name,
    dtype,
    shape: shape.map((dim) => (typeof dim === 'string' ? symbol(dim) : dim)),
  });

/** A tensor of the checkpoint by its published name; see `weights.ts` for the usual way to get one. */
export const parameter = (name: string, shape: readonly number[], dtype: DType): Tensor =>
  make({ kind: 'parameter', inputs: [], name, shape, dtype });

const dataFor = (values: readonly number[], dtype: DType): TensorData => {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(value));
    case 'int32':
      return Int32Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'bool':
    case 'uint8':
      return Uint8Array.from(values);
    default:
      return misfit(`constant: no constants of type ${dtype}`);
  }
};

/** Numbers known when the graph is built; shape [values.length] unless given. */
export const constant = (
  values: number | readonly number[],
  dtype: DType = 'float32',
  shape?: readonly number[],
): Tensor => {
  const list = typeof values === 'number' ? [values] : values;
  const dims = shape ?? (typeof values === 'number' ? [] : [list.length]);
  return make({ kind: 'constant', inputs: [], data: dataFor(list, dtype), dtype, shape: dims });
};

/** 0 ... size-1, int64 [size]. */
export const iota = (size: Dim): Tensor =>
  make({ kind: 'iota', inputs: [], shape: [size], dtype: 'int64' });

/** A symbolic size as a scalar of the graph: int64 []. */
export const sizeOf = (size: Dim): Tensor => make({ kind: 'size', inputs: [], size });

// ---- elementwise -------------------------------------------------------------------------------

const unary =
  (op: UnaryOp) =>
  (x: Tensor): Tensor =>
    make({ kind: 'unary', op, inputs: [x] });

export const neg = unary('neg');
export const abs = unary('abs');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const reciprocal = unary('reciprocal');
export const tanh = unary('tanh');
export const sigmoid = unary('sigmoid');
export const relu = unary('relu');
/** 1.0507 x above 0, 1.7581 (exp(x) - 1) below (Klambauer et al. 2017). */
export const selu = unary('selu');
export const erf = unary('erf');
export const sin = unary('sin');
export const cos = unary('cos');
export const sinh = unary('sinh');
export const asinh = unary('asinh');
export const floor = unary('floor');
export const ceil = unary('ceil');
/** Half to even. */
export const round = unary('round');
export const sign = unary('sign');
export const softplus = unary('softplus');
/** x * Phi(x), the exact form. */
export const gelu = unary('gelu');
/** The form of gelu with a tanh (Hendrycks & Gimpel 2016): within 1e-3 of the exact one. */
export const geluTanh = unary('geluTanh');
/** x * sigmoid(x) */
export const silu = unary('silu');
export const isNan = unary('isNan');
export const not = unary('not');

const lift = (value: Scalar, like: Tensor): Tensor =>
  typeof value === 'number' ? constant(value, like.dtype) : value;

const binary =
  (op: BinaryOp) =>
  (a: Scalar, b: Scalar): Tensor => {
    const like = typeof a === 'number' ? b : a;
    if (typeof like === 'number') return misfit(`${op}: one operand must be a tensor`);
    return make({ kind: 'binary', op, inputs: [lift(a, like), lift(b, like)] });
  };

export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const pow = binary('pow');
/** Remainder with the sign of the divisor for integers, of the dividend for floats. */
export const mod = binary('mod');
export const minimum = binary('min');
export const maximum = binary('max');
export const equal = binary('equal');
export const less = binary('less');
export const lessOrEqual = binary('lessOrEqual');
export const greater = binary('greater');
export const greaterOrEqual = binary('greaterOrEqual');
export const and = binary('and');
export const or = binary('or');

/** condition ? a : b with broadcasting. */
export const where = (condition: Tensor, a: Scalar, b: Scalar): Tensor => {
  const like = typeof a === 'number' ? b : a;
  if (typeof like === 'number') {
    return make({ kind: 'where', inputs: [condition, constant(a as number), constant(like)] });
  }
  return make({ kind: 'where', inputs: [condition, lift(a, like), lift(b, like)] });
};

/** min(max(x, low), high) whose derivative is 1 on the bounds, too. */
export const clip = (x: Tensor, low: number, high: number): Tensor =>
  where(less(x, low), low, where(greater(x, high), high, x));

/** The values in another type, as ONNX' Cast converts them; the tensor itself where it has that type. */
export const cast = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : make({ kind: 'cast', inputs: [x], dtype });

/** The value itself; gradients end here. */
export const stopGradient = (x: Tensor): Tensor => make({ kind: 'stopGradient', inputs: [x] });

// ---- reductions --------------------------------------------------------------------------------

export interface ReduceOptions {
  /** Keep reduced axes with size 1. */
  readonly keepAxes?: boolean;
}

const reduce =
  (op: ReduceOp) =>
  (x: Tensor, axes: number | readonly number[], options: ReduceOptions = {}): Tensor =>
    make({
      kind: 'reduce',
      op,
      inputs: [x],
      axes: (typeof axes === 'number' ? [axes] : axes)
        .map((a) => axisOf(x, a))
        .sort((a, b) => a - b),
      keepAxes: options.keepAxes ?? false,
    });

export const sum = reduce('sum');
export const mean = reduce('mean');
/** Undefined where a value is NaN; `min` too. */
export const max = reduce('max');
export const min = reduce('min');

// ---- layout (families write `rearrange`; these are what it is made of) -----------------------------

/** The same elements, row by row, in another shape of as many. */
export const reshape = (x: Tensor, shape: Shape): Tensor =>
  make({ kind: 'reshape', inputs: [x], shape });

/** Axis i of the result is axis permutation[i] of x. */
export const transpose = (x: Tensor, permutation: readonly number[]): Tensor =>
  permutation.every((axis, i) => axis === i)
    ? x
    : make({ kind: 'transpose', inputs: [x], permutation });

/** Numpy broadcast to a shape. */
export const broadcast = (x: Tensor, shape: Shape): Tensor =>
  make({ kind: 'broadcast', inputs: [x], shape });

/** Joins tensors along an axis; all other axes are equal. */
export const concat = (inputs: readonly Tensor[], axis: number): Tensor =>
  make({ kind: 'concat', inputs, axis: axisOf(inputs[0] ?? misfit('concat: no inputs'), axis) });

export interface SliceOptions {
  readonly start?: Dim;
  readonly end?: Dim;
  readonly step?: number;
}

/** x[start:end:step] on one axis; start defaults to 0, end to the axis' size. */
export const slice = (x: Tensor, axis: number, options: SliceOptions): Tensor => {
  const at = axisOf(x, axis);
  const end = options.end ?? x.shape[at] ?? misfit(`slice: no axis ${axis}`);
  return make({
    kind: 'slice',
    inputs: [x],
    axis: at,
    start: options.start ?? 0,
    end,
    step: options.step ?? 1,
  });
};

/** Rows of `axis` by int64 indices; the indices' axes take the place of `axis`. */
export const take = (x: Tensor, indices: Tensor, axis = 0): Tensor =>
  make({ kind: 'take', inputs: [x, indices], axis: axisOf(x, axis) });

/** Elements along `axis` picked by int64 indices of the result's shape (torch.gather). */
export const takeAlong = (x: Tensor, indices: Tensor, axis: number): Tensor =>
  make({ kind: 'takeAlong', inputs: [x, indices], axis: axisOf(x, axis) });

/** Zeros before and after an axis. */
export const pad = (x: Tensor, axis: number, before: Dim, after: Dim): Tensor =>
  make({ kind: 'pad', inputs: [x], axis: axisOf(x, axis), before, after });

/** Zeros with `size` elements along `axis`, to which `values` are added at `indices` of their shape. */
export const scatterAdd = (values: Tensor, indices: Tensor, axis: number, size: Dim): Tensor =>
  make({ kind: 'scatterAdd', inputs: [values, indices], axis: axisOf(values, axis), size });

/** Inclusive running sum along an axis, from its end where `isReverse`. */
export const cumulativeSum = (
  x: Tensor,
  axis: number,
  { isReverse = false }: { readonly isReverse?: boolean } = {},
): Tensor => make({ kind: 'cumulativeSum', inputs: [x], axis: axisOf(x, axis), isReverse });

export interface TopOptions {
  readonly axis?: number;
  readonly largest?: boolean;
}

/** The `count` largest (or smallest) elements of an axis, in order, and their int64 places. */
export const top = (
  x: Tensor,
  count: Dim,
  options: TopOptions = {},
): { values: Tensor; indices: Tensor } => {
  const { axis = -1, largest = true } = options;
  const node = { kind: 'top', inputs: [x], axis: axisOf(x, axis), count, largest } as const;
  return { values: make({ ...node, part: 'values' }), indices: make({ ...node, part: 'indices' }) };
};

/** Ascending along an axis of known size. */
export const sort = (x: Tensor, axis = -1): Tensor =>
  top(x, widthOf(x, axis), { axis, largest: false }).values;

// ---- linear algebra and layers -------------------------------------------------------------------

/** a [..., m, k] . b [..., k, n] (or b [..., n, k] with transposeB) -> [..., m, n] */
export const matmul = (
  a: Tensor,
  b: Tensor,
  options: { readonly transposeB?: boolean } = {},
): Tensor => make({ kind: 'matmul', inputs: [a, b], transposeB: options.transposeB ?? false });

/** x [..., in] . weight [out, in]^T + bias [out] -> [..., out] */
export const affine = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor =>
  make({ kind: 'linear', inputs: bias ? [x, weight, bias] : [x, weight] });

/** As `affine`, with weight [in, out] int8 and scale [out]. Made by the int8 rewrite, not by families. */
export const quantizedAffine = (x: Tensor, weight: Tensor, scale: Tensor, bias?: Tensor): Tensor =>
  make({ kind: 'quantizedLinear', inputs: bias ? [x, weight, scale, bias] : [x, weight, scale] });

export interface Conv1dOptions {
  readonly bias?: Tensor;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** Zeros before and after. */
  readonly padding?: readonly [number, number];
}

/** Convolution over the last axis: x [b, in, t], weight [out, in / groups, width] -> [b, out, t'] */
export const conv1d = (x: Tensor, weight: Tensor, options: Conv1dOptions = {}): Tensor => {
  const { bias, stride = 1, dilation = 1, groups = 1, padding = [0, 0] } = options;
  const inputs = bias ? ([x, weight, bias] as const) : ([x, weight] as const);
  return make({ kind: 'conv1d', inputs, stride, dilation, groups, padding });
};

/** exp(x) / sum(exp(x)) along an axis. */
export const softmax = (x: Tensor, axis = -1): Tensor =>
  make({ kind: 'softmax', inputs: [x], axis: axisOf(x, axis) });

/** x / sqrt(mean(x^2) + epsilon) * gain over the last axis (Zhang & Sennrich 2019). */
export const rmsNormalize = (x: Tensor, gain: Tensor, epsilon: number): Tensor =>
  make({ kind: 'rmsNorm', inputs: [x, gain], epsilon });

/** (x - mean) / sqrt(var + epsilon) * gain + offset over the last axis (Ba et al. 2016). */
export const layerNormalize = (
  x: Tensor,
  gain: Tensor,
  offset: Tensor | undefined,
  epsilon: number,
): Tensor => make({ kind: 'layerNorm', inputs: offset ? [x, gain, offset] : [x, gain], epsilon });

export interface AttentionOptions {
  readonly heads: number;
  /** Factor on query . key; 1/sqrt(width of a head) when absent, 1 for T5. */
  readonly scale?: number;
  /** Added to the scores; broadcasts to [batch, heads, s, t]. */
  readonly bias?: Tensor;
}

/**
 * Multi-head attention over packed heads: query [b, s, h*k], key [b, t, h*k], value [b, t, h*v] -> [b, s, h*v];
 * keys and values that many queries come back to may be split into heads, [b, h, t, k].
 */
export const attend = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
): Tensor => {
  const { heads, bias } = options;
  const width = query.shape.at(-1);
  const scale = options.scale ?? 1 / Math.sqrt(Number(width) / heads);
  const inputs = bias ? ([query, key, value, bias] as const) : ([query, key, value] as const);
  return make({ kind: 'attention', inputs, heads, scale });
};

export interface RotaryOptions {
  readonly heads: number;
  readonly pairs: RotaryPairs;
}

/**
 * Turns pairs of channels (a, b) of every head to (a cos - b sin, b cos + a sin) (Su et al. 2021).
 * x [b, s, h*k], cos and sin [b, s, r/2] or [s, r/2]; channels of a head from r on pass.
 */
export const turnPairs = (x: Tensor, cos: Tensor, sin: Tensor, options: RotaryOptions): Tensor =>
  make({ kind: 'rotary', inputs: [x, cos, sin], ...options });

/** Makes a node again over other inputs: for rewrites of a graph. */
export const withInputs = (node: Node, inputs: readonly Tensor[]): Tensor =>
  inputs.every((x, i) => x === node.inputs[i]) ? node : make({ ...node, inputs } as Unshaped<Node>);

/** The size of an axis. */
export const dimOf = (x: Tensor, axis: number): Dim =>
  x.shape[axisOf(x, axis)] ?? misfit(`no axis ${axis} in a tensor of rank ${x.shape.length}`);

/** The size of an axis that must be a plain number. */
export const widthOf = (x: Tensor, axis = -1): number => {
  const dim = dimOf(x, axis);
  return typeof dim === 'number' ? dim : misfit(`axis ${axis} has the symbolic size ${dim.text}`);
};

/** Whether two tensors have the same sizes, symbolic ones included. */
export const sameShape = (a: Tensor, b: Tensor): boolean => shapeEquals(a.shape, b.shape);
