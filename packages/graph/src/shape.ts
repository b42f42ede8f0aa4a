/**
 * Shape and type inference: what a node yields from what it gets. Run once when a node is made and again
 * by `verify`. A misfit throws GRAPH_INVALID with both shapes, before any weight is read.
 */
import {
  addDims,
  type Dim,
  dimEquals,
  dimText,
  divideDims,
  multiplyDims,
  shapeEquals,
  shapeText,
  subtractDims,
} from './dimension.ts';
import { type DType, isFloat } from './dtype.ts';
import { misfit } from './misfit.ts';
import { type Node, type Shape, type ShapeAndType, type Visitor, visit } from './node.ts';
import { scanShape } from './scan-shape.ts';

/** Numpy broadcasting of two shapes. */
const broadcastShapes = (a: Shape, b: Shape, what: string): Shape => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x: Dim = a[a.length - rank + i] ?? 1;
    const y: Dim = b[b.length - rank + i] ?? 1;
    if (dimEquals(x, y) || y === 1) return x;
    if (x === 1) return y;
    return misfit(`${what}: shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
  });
};

const sizeOf = (shape: Shape): Dim => multiplyDims(...shape);

const replaceAt = (shape: Shape, axis: number, ...by: readonly Dim[]): Shape => [
  ...shape.slice(0, axis),
  ...by,
  ...shape.slice(axis + 1),
];

const requireAxis = (shape: Shape, axis: number, what: string): void => {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    misfit(`${what}: axis ${axis} is outside of ${shapeText(shape)}`);
  }
};

const requireDType = (got: DType, wanted: DType, what: string): void => {
  if (got !== wanted) misfit(`${what}: expected ${wanted}, got ${got}`);
};

/** All operands of a layer have the type of the first. */
const requireOneDType = (inputs: readonly Node[], what: string): void => {
  for (const x of inputs) requireDType(x.dtype, inputs[0]!.dtype, what);
};

const requireFloat = (got: DType, what: string): void => {
  if (!isFloat(got)) misfit(`${what}: expected a float type, got ${got}`);
};

const requireNumber = (got: DType, what: string): void => {
  if (got === 'bool') misfit(`${what}: expected numbers, got bool`);
};

const requireLast = (shape: Shape, size: Dim, what: string): void => {
  const last = shape.at(-1);
  if (last === undefined || !dimEquals(last, size)) {
    misfit(`${what}: last axis of ${shapeText(shape)} must be ${dimText(size)}`);
  }
};

/** Elementwise operators that integers have too. */
const FOR_INTEGERS = new Set(['neg', 'abs', 'sign']);

const COMPARISONS = new Set(['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual']);

const same = (node: { inputs: readonly [Node, ...Node[]] }): ShapeAndType => ({
  shape: node.inputs[0].shape,
  dtype: node.inputs[0].dtype,
});

const isNegative = (dim: Dim): boolean => typeof dim === 'number' && dim < 0;

const own = (node: Node): ShapeAndType => ({ shape: node.shape, dtype: node.dtype });

const checkVector = (vector: Node, size: Dim, what: string): void => {
  if (!shapeEquals(vector.shape, [size])) {
    misfit(`${what}: ${shapeText(vector.shape)} must be [${dimText(size)}]`);
  }
};

const infer: Visitor<ShapeAndType> = {
  input: own,
  parameter: own,
  constant: (node) => {
    if (!dimEquals(sizeOf(node.shape), node.data.length)) {
      misfit(`constant: ${node.data.length} values do not fill ${shapeText(node.shape)}`);
    }
    return own(node);
  },
  iota: (node) => ({ shape: node.shape, dtype: 'int64' }),
  size: () => ({ shape: [], dtype: 'int64' }),
  unary: (node) => {
    const [x] = node.inputs;
    if (node.op === 'not') requireDType(x.dtype, 'bool', 'not');
    else if (FOR_INTEGERS.has(node.op)) requireNumber(x.dtype, node.op);
    else requireFloat(x.dtype, node.op);
    return { shape: x.shape, dtype: node.op === 'isNan' ? 'bool' : x.dtype };
  },
  binary: (node) => {
    const [a, b] = node.inputs;
    requireDType(b.dtype, a.dtype, node.op);
    const logical = node.op === 'and' || node.op === 'or';
    if (logical) requireDType(a.dtype, 'bool', node.op);
    else if (node.op !== 'equal') requireNumber(a.dtype, node.op);
    const dtype = logical || COMPARISONS.has(node.op) ? 'bool' : a.dtype;
    return { shape: broadcastShapes(a.shape, b.shape, node.op), dtype };
  },
  where: (node) => {
    const [condition, a, b] = node.inputs;
    requireDType(condition.dtype, 'bool', 'where');
    requireDType(b.dtype, a.dtype, 'where');
    const values = broadcastShapes(a.shape, b.shape, 'where');
    return { shape: broadcastShapes(condition.shape, values, 'where'), dtype: a.dtype };
  },
  cast: (node) => ({ shape: node.inputs[0].shape, dtype: node.dtype }),
  reduce: (node) => {
    const [x] = node.inputs;
    for (const axis of node.axes) requireAxis(x.shape, axis, node.op);
    requireNumber(x.dtype, node.op);
    if (node.axes.length === 0 || node.axes.some((axis, i) => i > 0 && axis <= node.axes[i - 1]!)) {
      misfit(`${node.op}: axes [${node.axes}] must be one or more, each once`);
    }
    const shape = node.keepAxes
      ? x.shape.map((dim, i) => (node.axes.includes(i) ? 1 : dim))
      : x.shape.filter((_, i) => !node.axes.includes(i));
    return { shape, dtype: x.dtype };
  },
  reshape: (node) => {
    const [x] = node.inputs;
    if (!dimEquals(sizeOf(x.shape), sizeOf(node.shape))) {
      misfit(`reshape: ${shapeText(x.shape)} does not fill ${shapeText(node.shape)}`);
    }
    return { shape: node.shape, dtype: x.dtype };
  },
  transpose: (node) => {
    const [x] = node.inputs;
    const sorted = node.permutation.toSorted((a, b) => a - b);
    if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      misfit(`transpose: [${node.permutation}] is no permutation of ${shapeText(x.shape)}`);
    }
    return { shape: node.permutation.map((axis) => x.shape[axis]!), dtype: x.dtype };
  },
  broadcast: (node) => {
    const [x] = node.inputs;
    const shape = broadcastShapes(x.shape, node.shape, 'broadcast');
    if (!shapeEquals(shape, node.shape)) {
      misfit(`broadcast: ${shapeText(x.shape)} does not broadcast to ${shapeText(node.shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  concat: (node) => {
    const [first, ...rest] = node.inputs;
    if (!first) return misfit('concat: no inputs');
    requireAxis(first.shape, node.axis, 'concat');
    for (const other of rest) {
      requireDType(other.dtype, first.dtype, 'concat');
      const aligned = replaceAt(other.shape, node.axis, first.shape[node.axis]!);
      if (!shapeEquals(aligned, first.shape)) {
        misfit(`concat: ${shapeText(other.shape)} does not join ${shapeText(first.shape)}`);
      }
    }
    const size = addDims(...node.inputs.map((x) => x.shape[node.axis]!));
    return { shape: replaceAt(first.shape, node.axis, size), dtype: first.dtype };
  },
  slice: (node) => {
    const [x] = node.inputs;
    requireAxis(x.shape, node.axis, 'slice');
    const { start, end, step } = node;
    const bounds = `${dimText(start)}:${dimText(end)}:${step}`;
    const surplus = subtractDims(end, x.shape[node.axis]!);
    const isBackward = isNegative(start) || isNegative(end) || isNegative(subtractDims(end, start));
    if (isBackward || isNegative(subtractDims(0, surplus)) || !Number.isInteger(step) || step < 1) {
      misfit(`slice: ${bounds} is no range of axis ${node.axis} of ${shapeText(x.shape)}`);
    }
    const span = addDims(subtractDims(end, start), step - 1);
    const size =
      typeof span === 'number' ? Math.floor(span / node.step) : divideDims(span, node.step);
    if (size === undefined) return misfit(`slice: ${dimText(span)} is no multiple of ${node.step}`);
    return { shape: replaceAt(x.shape, node.axis, size), dtype: x.dtype };
  },
  take: (node) => {
    const [x, indices] = node.inputs;
    requireAxis(x.shape, node.axis, 'take');
    requireDType(indices.dtype, 'int64', 'take');
    return { shape: replaceAt(x.shape, node.axis, ...indices.shape), dtype: x.dtype };
  },
  takeAlong: (node) => {
    const [x, indices] = node.inputs;
    requireAxis(x.shape, node.axis, 'takeAlong');
    requireDType(indices.dtype, 'int64', 'takeAlong');
    if (!shapeEquals(replaceAt(indices.shape, node.axis, x.shape[node.axis]!), x.shape)) {
      misfit(`takeAlong: indices ${shapeText(indices.shape)} do not fit ${shapeText(x.shape)}`);
    }
    return { shape: indices.shape, dtype: x.dtype };
  },
  pad: (node) => {
    const [x] = node.inputs;
    requireAxis(x.shape, node.axis, 'pad');
    requireNumber(x.dtype, 'pad');
    if (isNegative(node.before) || isNegative(node.after)) misfit('pad: a negative count');
    const size = addDims(node.before, x.shape[node.axis]!, node.after);
    return { shape: replaceAt(x.shape, node.axis, size), dtype: x.dtype };
  },
  scatterAdd: (node) => {
    const [values, indices] = node.inputs;
    requireAxis(values.shape, node.axis, 'scatterAdd');
    requireFloat(values.dtype, 'scatterAdd');
    requireDType(indices.dtype, 'int64', 'scatterAdd');
    if (!shapeEquals(indices.shape, values.shape)) {
      misfit(`scatterAdd: ${shapeText(indices.shape)} places for ${shapeText(values.shape)}`);
    }
    return { shape: replaceAt(values.shape, node.axis, node.size), dtype: values.dtype };
  },
  cumulativeSum: (node) => {
    requireAxis(node.inputs[0].shape, node.axis, 'cumulativeSum');
    requireNumber(node.inputs[0].dtype, 'cumulativeSum');
    return same(node);
  },
  top: (node) => {
    const [x] = node.inputs;
    requireAxis(x.shape, node.axis, 'top');
    const size = x.shape[node.axis]!;
    requireNumber(x.dtype, 'top');
    const isCount =
      typeof node.count !== 'number' || (Number.isInteger(node.count) && node.count >= 1);
    const isMore = typeof size === 'number' && typeof node.count === 'number' && node.count > size;
    if (!isCount || isMore) misfit(`top: ${dimText(node.count)} of ${dimText(size)} elements`);
    const dtype = node.part === 'values' ? x.dtype : 'int64';
    return { shape: replaceAt(x.shape, node.axis, node.count), dtype };
  },
  conv1d: (node) => {
    const [x, weight, bias] = node.inputs;
    const [batch, channels, length] = x.shape as [Dim, Dim, Dim];
    const [out, perGroup, width] = weight.shape as [Dim, Dim, Dim];
    const expected = multiplyDims(perGroup, node.groups);
    if (x.shape.length !== 3 || weight.shape.length !== 3 || !dimEquals(channels, expected)) {
      misfit(`conv1d: weight ${shapeText(weight.shape)} does not fit ${shapeText(x.shape)}`);
    }
    if (divideDims(out, node.groups) === undefined)
      misfit(`conv1d: ${dimText(out)} channels in ${node.groups} groups`);
    requireOneDType(node.inputs, 'conv1d');
    if (bias) checkVector(bias, out, 'conv1d: bias');
    const reach = addDims(multiplyDims(node.dilation, addDims(width, -1)), 1);
    const free = subtractDims(addDims(length, node.padding[0] + node.padding[1]), reach);
    const steps =
      typeof free === 'number' ? Math.floor(free / node.stride) : divideDims(free, node.stride);
    if (steps === undefined)
      return misfit(`conv1d: ${dimText(free)} is no multiple of ${node.stride}`);
    if (isNegative(steps)) misfit(`conv1d: ${shapeText(x.shape)} is shorter than ${reach} steps`);
    return { shape: [batch, out, addDims(steps, 1)], dtype: x.dtype };
  },
  matmul: (node) => {
    const [a, b] = node.inputs;
    if (a.shape.length < 2 || b.shape.length < 2) {
      misfit(`matmul: ${shapeText(a.shape)} and ${shapeText(b.shape)} must be matrices`);
    }
    requireOneDType(node.inputs, 'matmul');
    const [rows, columns] = node.transposeB ? [-1, -2] : [-2, -1];
    if (!dimEquals(a.shape.at(-1)!, b.shape.at(rows)!)) {
      misfit(`matmul: ${shapeText(a.shape)} and ${shapeText(b.shape)} do not chain`);
    }
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
    return { shape: [...batch, a.shape.at(-2)!, b.shape.at(columns)!], dtype: a.dtype };
  },
  linear: (node) => {
    const [x, weight, bias] = node.inputs;
    if (weight.shape.length !== 2) misfit(`linear: weight ${shapeText(weight.shape)} is no matrix`);
    const [out, width] = weight.shape as [Dim, Dim];
    requireOneDType(node.inputs, 'linear');
    requireLast(x.shape, width, 'linear');
    if (bias) checkVector(bias, out, 'linear: bias');
    return { shape: [...x.shape.slice(0, -1), out], dtype: x.dtype };
  },
  quantizedLinear: (node) => {
    const [x, weight, scale, bias] = node.inputs;
    const [width, out] = weight.shape as [Dim, Dim];
    requireDType(weight.dtype, 'int8', 'quantizedLinear');
    requireLast(x.shape, width, 'quantizedLinear');
    checkVector(scale, out, 'quantizedLinear: scale');
    if (bias) checkVector(bias, out, 'quantizedLinear: bias');
    return { shape: [...x.shape.slice(0, -1), out], dtype: x.dtype };
  },
  softmax: (node) => {
    requireAxis(node.inputs[0].shape, node.axis, 'softmax');
    requireFloat(node.inputs[0].dtype, 'softmax');
    return same(node);
  },
  rmsNorm: (node) => {
    requireOneDType(node.inputs, 'rmsNorm');
    checkVector(node.inputs[1], node.inputs[0].shape.at(-1) ?? 1, 'rmsNorm: gain');
    return same(node);
  },
  layerNorm: (node) => {
    const [x, gain, offset] = node.inputs;
    requireOneDType(node.inputs, 'layerNorm');
    checkVector(gain, x.shape.at(-1) ?? 1, 'layerNorm: gain');
    if (offset) checkVector(offset, x.shape.at(-1) ?? 1, 'layerNorm: offset');
    return same(node);
  },
  attention: (node) => {
    const [query, key, value, bias] = node.inputs;
    const shapes = [query, key, value].map((x) => shapeText(x.shape)).join(', ');
    const [keys, values] = [key, value].map((x) => packedHeads(x.shape, node.heads));
    if (query.shape.length !== 3 || !keys || !values || key.shape.length !== value.shape.length) {
      return misfit(`attention: query, key, value ${shapes} must be [batch, length, width]`);
    }
    const [b, s, width] = query.shape as [Dim, Dim, Dim];
    const [keyBatch, t, keyWidth] = keys as [Dim, Dim, Dim];
    requireOneDType(node.inputs, 'attention');
    const sameBatch = dimEquals(b, keyBatch) && dimEquals(b, values[0]!);
    if (!sameBatch || !dimEquals(width, keyWidth) || !dimEquals(t, values[1]!)) {
      misfit(`attention: query, key, value ${shapes} do not match`);
    }
    for (const size of [width, values[2]!]) {
      if (typeof size !== 'number' || size % node.heads !== 0) {
        misfit(`attention: width ${dimText(size)} does not split into ${node.heads} heads`);
      }
    }
    if (bias) {
      const scores: Shape = [b, node.heads, s, t];
      const spread = broadcastShapes(bias.shape, scores, 'attention: bias');
      if (!shapeEquals(spread, scores)) {
        misfit(
          `attention: bias ${shapeText(bias.shape)} does not broadcast to ${shapeText(scores)}`,
        );
      }
    }
    return { shape: [b, s, values[2]!], dtype: query.dtype };
  },
  rotary: (node) => {
    const [x, cos, sin] = node.inputs;
    const what = `rotary: cosines ${shapeText(cos.shape)} of ${shapeText(x.shape)}`;
    if (x.shape.length !== 3) misfit(`${what}: a tensor [batch, length, width] is turned`);
    const places = x.shape.slice(3 - cos.shape.length, 2);
    const width = x.shape[2]!;
    const half = cos.shape.at(-1);
    const fits = typeof width === 'number' && typeof half === 'number' && width % node.heads === 0;
    if (!fits || 2 * half > width / node.heads || !shapeEquals(cos.shape, sin.shape)) {
      misfit(`${what}: ${node.heads} heads are too narrow, or the sines differ`);
    }
    if (cos.shape.length < 2 || !shapeEquals(cos.shape.slice(0, -1), places)) {
      misfit(`${what}: they must be of the same places`);
    }
    return same(node);
  },
  scan: scanShape,
  stopGradient: same,
};

/** [b, t, h*k] of keys or values, which may also come as [b, h, t, k]; undefined for another rank. */
const packedHeads = (shape: Shape, heads: number): Shape | undefined => {
  if (shape.length !== 4) return shape.length === 3 ? shape : undefined;
  const [b, h, t, k] = shape as [Dim, Dim, Dim, Dim];
  return dimEquals(h, heads) ? [b, t, multiplyDims(h, k)] : undefined;
};

/** Shape and dtype of a node from its inputs and attributes. Throws GRAPH_INVALID on a misfit. */
export const inferShape = (node: Node): ShapeAndType => visit(infer, node, undefined);
