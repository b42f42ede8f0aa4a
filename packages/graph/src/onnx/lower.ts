/**
 * Node -> ONNX operators of opset 21 and of onnxruntime's own domain. One entry a kind. Fused operators
 * stand where a measurement said that they help on a CPU (bench/README.md).
 */
import { type Dim, dimEquals, shapeEquals, subtractDims } from '../dimension.ts';
import { DTYPES, type DType, isFloat, type TensorData } from '../dtype.ts';
import { misfit } from '../misfit.ts';
import {
  type BinaryOp,
  type Node,
  type ReduceOp,
  type Shape,
  type UnaryOp,
  type Visitor,
  visit,
} from '../node.ts';
import type { Emitter } from './emitter.ts';
import { lowerScan } from './lower-scan.ts';
import type { ExternalData } from './messages.ts';

export const OPSETS = { '': 21, 'com.microsoft': 1 } as const;

const MICROSOFT = 'com.microsoft';
const INT64_MAX = 9223372036854775807n;

export interface LoweringContext {
  readonly emitter: Emitter;
  /** Where a tensor of the checkpoint lies, relative to the model file. */
  readonly locate: (name: string) => ExternalData;
}

/** ONNX operators of one operand; what is missing here is composed in `unary` below. */
const UNARY: Partial<Record<UnaryOp, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  relu: 'Relu',
  selu: 'Selu',
  erf: 'Erf',
  sin: 'Sin',
  cos: 'Cos',
  sinh: 'Sinh',
  asinh: 'Asinh',
  floor: 'Floor',
  ceil: 'Ceil',
  round: 'Round',
  sign: 'Sign',
  softplus: 'Softplus',
  gelu: 'Gelu',
  isNan: 'IsNaN',
  not: 'Not',
};

const BINARY: Record<Exclude<BinaryOp, 'mod'>, string> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  min: 'Min',
  max: 'Max',
  equal: 'Equal',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
  and: 'And',
  or: 'Or',
};

const REDUCE: Record<ReduceOp, string> = {
  sum: 'ReduceSum',
  mean: 'ReduceMean',
  max: 'ReduceMax',
  min: 'ReduceMin',
};

const operands = (node: Node, { emitter }: LoweringContext): string[] =>
  node.inputs.map((x) => emitter.nameOf(x));

const staticShape = (node: Node): number[] =>
  node.shape.map((dim) =>
    typeof dim === 'number' ? dim : misfit(`onnx: ${node.kind} of symbolic size`),
  );

const zeroOf = (dtype: DType): TensorData => {
  if (dtype === 'float32') return new Float32Array(1);
  return dtype === 'float64' ? new Float64Array(1) : misfit(`onnx: no zeros of type ${dtype}`);
};

/** Numpy broadcast; Expand works both ways, so an axis that keeps its size can be asked for as 1. */
const expand = (x: Node, shape: Shape, { emitter }: LoweringContext): string => {
  const lead = shape.length - x.shape.length;
  const target = shape.map((dim, i) => (i >= lead && dimEquals(dim, x.shape[i - lead]!) ? 1 : dim));
  return emitter.emit('Expand', [emitter.nameOf(x), emitter.sizes(target)]);
};

/** onnxruntime spreads a bias over batch and heads, and wants its last two axes in full. */
const attentionBias = (bias: Node, query: Node, key: Node, context: LoweringContext): string => {
  const lead = Array.from({ length: 4 - bias.shape.length }, () => 1);
  const [batch, heads] = [...lead, ...bias.shape] as [Dim, Dim];
  const shape = [batch, heads, query.shape[1]!, key.shape.at(-2)!];
  return shapeEquals(bias.shape, shape)
    ? context.emitter.nameOf(bias)
    : expand(bias, shape, context);
};

/** The name of each node's value. */
export const lower: Visitor<string, LoweringContext> = {
  input: (node) => node.name,
  parameter: (node, { emitter, locate }) =>
    emitter.external(node.name, node.dtype, staticShape(node), locate(node.name)),
  constant: (node, { emitter }) => emitter.initializer(node.data, node.dtype, staticShape(node)),
  iota: (node, { emitter }) => emitter.range(node.shape[0]!),
  size: (node, { emitter }) => emitter.emit('Squeeze', [emitter.size(node.size)]),
  unary: (node, context) => {
    const { emitter } = context;
    const [x] = operands(node, context) as [string];
    if (node.op === 'geluTanh') {
      return emitter.emit('Gelu', [x], { attributes: { approximate: { string: 'tanh' } } });
    }
    if (node.op === 'silu') return emitter.emit('Mul', [x, emitter.emit('Sigmoid', [x])]);
    return emitter.emit(UNARY[node.op] ?? misfit(`onnx: no operator for ${node.op}`), [x]);
  },
  binary: (node, context) => {
    const names = operands(node, context);
    if (node.op !== 'mod') return context.emitter.emit(BINARY[node.op], names);
    return context.emitter.emit('Mod', names, {
      attributes: { fmod: { int: isFloat(node.dtype) ? 1 : 0 } },
    });
  },
  where: (node, context) => {
    const { emitter } = context;
    const [condition, a, b] = operands(node, context) as [string, string, string];
    if (node.dtype !== 'bool') return emitter.emit('Where', [condition, a, b]);
    // onnxruntime's Where has no bool.
    const otherwise = emitter.emit('And', [emitter.emit('Not', [condition]), b]);
    return emitter.emit('Or', [emitter.emit('And', [condition, a]), otherwise]);
  },
  cast: (node, context) =>
    context.emitter.emit('Cast', operands(node, context), {
      attributes: { to: { int: DTYPES[node.dtype].onnx } },
    }),
  reduce: (node, context) =>
    context.emitter.emit(
      REDUCE[node.op],
      [...operands(node, context), context.emitter.integers(node.axes)],
      {
        attributes: { keepdims: { int: node.keepAxes ? 1 : 0 } },
      },
    ),
  reshape: (node, context) => {
    const [x] = operands(node, context) as [string];
    if (node.shape.includes(0)) {
      const attributes = { allowzero: { int: 1 } };
      return context.emitter.emit('Reshape', [x, context.emitter.sizes(node.shape)], {
        attributes,
      });
    }
    const target = context.emitter.reshapeTarget(node.inputs[0].shape, node.shape);
    return context.emitter.emit('Reshape', [x, target]);
  },
  transpose: (node, context) =>
    context.emitter.emit('Transpose', operands(node, context), {
      attributes: { perm: { ints: node.permutation } },
    }),
  broadcast: (node, context) => expand(node.inputs[0], node.shape, context),
  concat: (node, context) =>
    context.emitter.emit('Concat', operands(node, context), {
      attributes: { axis: { int: node.axis } },
    }),
  slice: (node, context) => {
    const { emitter } = context;
    const [x] = operands(node, context) as [string];
    const fromEnd = subtractDims(node.end, node.inputs[0].shape[node.axis]!);
    const end =
      fromEnd === 0
        ? emitter.integers([INT64_MAX])
        : emitter.size(typeof fromEnd === 'number' ? fromEnd : node.end);
    return emitter.emit('Slice', [
      x,
      emitter.size(node.start),
      end,
      emitter.integers([node.axis]),
      emitter.integers([node.step]),
    ]);
  },
  take: (node, context) =>
    context.emitter.emit('Gather', operands(node, context), {
      attributes: { axis: { int: node.axis } },
    }),
  takeAlong: (node, context) =>
    context.emitter.emit('GatherElements', operands(node, context), {
      attributes: { axis: { int: node.axis } },
    }),
  pad: (node, { emitter }) => {
    const counts = emitter.sizes([node.before, node.after]);
    const axes = emitter.integers([node.axis]);
    return emitter.emit('Pad', [emitter.nameOf(node.inputs[0]), counts, '', axes]);
  },
  scatterAdd: (node, context) => {
    const { emitter } = context;
    const [values, indices] = operands(node, context) as [string, string];
    const zero = emitter.initializer(zeroOf(node.dtype), node.dtype, []);
    const zeros = emitter.emit('Expand', [zero, emitter.sizes(node.shape)]);
    return emitter.emit('ScatterElements', [zeros, indices, values], {
      attributes: { axis: { int: node.axis }, reduction: { string: 'add' } },
    });
  },
  cumulativeSum: (node, { emitter }) => {
    const axis = emitter.initializer(BigInt64Array.of(BigInt(node.axis)), 'int64', []);
    return emitter.emit('CumSum', [emitter.nameOf(node.inputs[0]), axis], {
      attributes: { reverse: { int: node.isReverse ? 1 : 0 } },
    });
  },
  top: (node, { emitter }) => {
    const inputs = [emitter.nameOf(node.inputs[0]), emitter.size(node.count)];
    const attributes = { axis: { int: node.axis }, largest: { int: node.largest ? 1 : 0 } };
    const [values, indices] = emitter.emitAll('TopK', inputs, 2, { attributes }) as [
      string,
      string,
    ];
    return node.part === 'values' ? values : indices;
  },
  conv1d: (node, context) =>
    context.emitter.emit('Conv', operands(node, context), {
      attributes: {
        strides: { ints: [node.stride] },
        dilations: { ints: [node.dilation] },
        group: { int: node.groups },
        pads: { ints: node.padding },
      },
    }),
  matmul: (node, context) => {
    const { emitter } = context;
    const names = operands(node, context);
    if (!node.transposeB) return emitter.emit('MatMul', names);
    return emitter.emit('FusedMatMul', names, {
      domain: MICROSOFT,
      attributes: { transB: { int: 1 } },
    });
  },
  linear: (node, context) => {
    const { emitter } = context;
    const [x, weight, bias] = operands(node, context) as [string, string, string | undefined];
    const product = emitter.emit('FusedMatMul', [x, weight], {
      domain: MICROSOFT,
      attributes: { transB: { int: 1 } },
    });
    return bias ? emitter.emit('Add', [product, bias]) : product;
  },
  quantizedLinear: (node, context) => {
    const [x, weight, scale, bias] = operands(node, context) as [
      string,
      string,
      string,
      string | undefined,
    ];
    const inputs = [x, weight, scale, '', ...(bias ? [bias] : [])];
    return context.emitter.emit('DynamicQuantizeMatMul', inputs, { domain: MICROSOFT });
  },
  softmax: (node, context) =>
    context.emitter.emit('Softmax', operands(node, context), {
      attributes: { axis: { int: node.axis } },
    }),
  rmsNorm: (node, context) =>
    context.emitter.emit('SimplifiedLayerNormalization', operands(node, context), {
      attributes: { axis: { int: -1 }, epsilon: { float: node.epsilon } },
    }),
  layerNorm: (node, context) =>
    context.emitter.emit('LayerNormalization', operands(node, context), {
      attributes: { axis: { int: -1 }, epsilon: { float: node.epsilon } },
    }),
  attention: (node, context) => {
    const { emitter } = context;
    const [query, key, value, bias] = node.inputs;
    const inputs = [query, key, value].map((x) => emitter.nameOf(x));
    if (bias) inputs.push('', '', attentionBias(bias, query, key, context));
    return context.emitter.emit('MultiHeadAttention', inputs, {
      domain: MICROSOFT,
      attributes: { num_heads: { int: node.heads }, scale: { float: node.scale } },
    });
  },
  rotary: (node, context) => {
    const { emitter } = context;
    const [x, cos, sin] = operands(node, context) as [string, string, string];
    const { shape } = node.inputs[1];
    const half = shape.at(-1) as number;
    // Tables are looked up by position: one row for each place of the batch, or the places of a row.
    const rows = emitter.integers([-1, half]);
    const [cosRows, sinRows] =
      shape.length === 2
        ? [cos, sin]
        : [cos, sin].map((table) => emitter.emit('Reshape', [table, rows]));
    const places = shape.length === 2 ? emitter.integers([0]) : emitter.places(shape.slice(0, 2));
    return emitter.emit('RotaryEmbedding', [x, places, cosRows!, sinRows!], {
      domain: MICROSOFT,
      attributes: {
        num_heads: { int: node.heads },
        rotary_embedding_dim: { int: 2 * half },
        interleaved: { int: node.pairs === 'neighbours' ? 1 : 0 },
      },
    });
  },
  scan: (node, context) =>
    context.emitter.loop(node.body, () =>
      lowerScan(node, context.emitter, (inner, emitter) =>
        visit(lower, inner, { ...context, emitter }),
      ),
    )[node.part]!,
  stopGradient: (node, context) => operands(node, context)[0]!,
};
