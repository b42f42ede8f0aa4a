/** Layers, through onnxruntime, against plain arithmetic. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from './node.ts';
import * as ops from './ops.ts';
import {
  at,
  attentionOf,
  build,
  elementwise,
  linewise,
  multiply,
  type NdArray,
  nd,
  permute,
  softmaxOf,
} from './testing/nd-array.ts';
import { declared, noise, type OperatorCase, testOperators } from './testing/operator-cases.ts';
import { evaluate } from './testing/run-graph.ts';

const { POSITIVE_INFINITY: inf } = Number;
const { sqrt } = Math;
const X = noise([2, 3, 4]);
const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: number[]): number => total(values) / values.length;
const GAIN = nd([4], [1, 0.5, -2, 3]);
const OFFSET = nd([4], [0.25, 0, -1, 2]);
const WEIGHT = noise([3, 4], 7);
const BIAS = nd([3], [1, -1, 0.5]);
const TRANSPOSED = permute(WEIGHT, [1, 0]);
const EPSILON = 1e-3;

const normalized = (line: number[], place: number): number => {
  const center = average(line);
  const variance = average(line.map((value) => (value - center) ** 2));
  return (line[place]! - center) / sqrt(variance + EPSILON);
};

const scaled = (x: NdArray, gain: NdArray, offset?: NdArray): NdArray =>
  elementwise((a, b, c = 0) => a * b + c, x, gain, ...(offset ? [offset] : []));

const LINEAR: readonly OperatorCase[] = [
  {
    name: 'matmul',
    operands: [X, noise([4, 2], 3)],
    graph: (a, b) => ops.matmul(a!, b!),
    expected: multiply(X, noise([4, 2], 3)),
  },
  {
    name: 'matmul of batches that spread',
    operands: [noise([2, 1, 3, 4]), noise([5, 4, 2], 3)],
    graph: (a, b) => ops.matmul(a!, b!),
    expected: multiply(noise([2, 1, 3, 4]), noise([5, 4, 2], 3)),
  },
  {
    name: 'matmul transposeB',
    operands: [X, WEIGHT],
    graph: (a, b) => ops.matmul(a!, b!, { transposeB: true }),
    expected: multiply(X, TRANSPOSED),
  },
  {
    name: 'matmul transposeB of batches',
    operands: [X, noise([2, 5, 4], 4)],
    graph: (a, b) => ops.matmul(a!, b!, { transposeB: true }),
    expected: multiply(X, permute(noise([2, 5, 4], 4), [0, 2, 1])),
  },
  {
    name: 'linear without bias',
    operands: [X, WEIGHT],
    graph: (x, w) => ops.affine(x!, w!),
    expected: multiply(X, TRANSPOSED),
  },
  {
    name: 'linear with bias',
    operands: [X, WEIGHT, BIAS],
    graph: (x, w, b) => ops.affine(x!, w!, b),
    expected: elementwise((a, b) => a + b, multiply(X, TRANSPOSED), BIAS),
  },
  {
    name: 'linear of one vector',
    operands: [OFFSET, WEIGHT, BIAS],
    graph: (x, w, b) => ops.affine(x!, w!, b),
    expected: elementwise(
      (a, b) => a + b,
      nd([3], multiply(nd([1, 4], OFFSET.data), TRANSPOSED).data),
      BIAS,
    ),
  },
  ...[0, 1, 2].map((axis) => ({
    name: `softmax ${axis}`,
    operands: [X],
    graph: (x: Tensor) => ops.softmax(x, axis),
    expected: linewise(X, axis, softmaxOf),
  })),
  {
    name: 'softmax with infinity masked',
    operands: [nd([1, 3], [1, -inf, 2])],
    graph: (x) => ops.softmax(x!),
    expected: linewise(nd([1, 3], [1, -inf, 2]), 1, softmaxOf),
  },
  {
    name: 'softmax of large numbers',
    operands: [nd([1, 3], [1e30, -1e30, 1e30])],
    graph: (x) => ops.softmax(x!),
    expected: nd([1, 3], [0.5, 0, 0.5]),
  },
  {
    name: 'rmsNorm',
    operands: [X, GAIN],
    graph: (x, gain) => ops.rmsNormalize(x!, gain!, EPSILON),
    expected: scaled(
      linewise(
        X,
        2,
        (line, place) => line[place]! / sqrt(average(line.map((v) => v * v)) + EPSILON),
      ),
      GAIN,
    ),
  },
  {
    name: 'layerNorm',
    operands: [X, GAIN, OFFSET],
    graph: (x, gain, offset) => ops.layerNormalize(x!, gain!, offset, EPSILON),
    expected: scaled(linewise(X, 2, normalized), GAIN, OFFSET),
  },
  {
    name: 'layerNorm without offset',
    operands: [X, GAIN],
    graph: (x, gain) => ops.layerNormalize(x!, gain!, undefined, EPSILON),
    expected: scaled(linewise(X, 2, normalized), GAIN),
  },
];

interface Convolution {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly padding: readonly [number, number];
}

/** x [b, in, t], weight [out, in / groups, width] by the definition. */
const convolved = (x: NdArray, weight: NdArray, c: Convolution, bias?: NdArray): NdArray => {
  const [batch, , length] = x.dims as [number, number, number];
  const [out, perGroup, width] = weight.dims as [number, number, number];
  const reach = c.dilation * (width - 1) + 1;
  const steps = Math.floor((length + total([...c.padding]) - reach) / c.stride) + 1;
  return build([batch, out, steps], ([b, o, t]) => {
    const group = Math.floor(o! / (out / c.groups));
    const products = build([perGroup, width], ([i, w]) => {
      const place = t! * c.stride + w! * c.dilation - c.padding[0];
      if (place < 0 || place >= length) return 0;
      return at(x, [b!, group * perGroup + i!, place]) * at(weight, [o!, i!, w!]);
    });
    return total([...products.data]) + (bias ? at(bias, [o!]) : 0);
  });
};

const PLAIN: Convolution = { stride: 1, dilation: 1, groups: 1, padding: [0, 0] };

const convolution = (name: string, change: Partial<Convolution>, hasBias = false): OperatorCase => {
  const options = { ...PLAIN, ...change };
  const x = noise([2, 4, 9], 11);
  const weight = noise([6, 4 / options.groups, 3], 12);
  const bias = noise([6], 13);
  return {
    name: `conv1d ${name}`,
    operands: hasBias ? [x, weight, bias] : [x, weight],
    graph: (a, w, b) => ops.conv1d(a!, w!, { ...options, ...(b && { bias: b }) }),
    expected: convolved(x, weight, options, hasBias ? bias : undefined),
  };
};

const CONVOLUTION: readonly OperatorCase[] = [
  convolution('plain', {}),
  convolution('with bias', {}, true),
  convolution('with a stride', { stride: 2 }),
  convolution('with a stride that leaves a rest', { stride: 4 }),
  convolution('dilated', { dilation: 3 }),
  convolution('grouped', { groups: 2 }, true),
  convolution('padded on one side', { padding: [2, 0] }),
  {
    name: 'conv1d with a kernel whose width is learnt at run time',
    operands: [
      declared(noise([2, 1, 9], 11), ['batch', 1, 'time']),
      declared(noise([1, 1, 3], 12), [1, 1, 'width']),
    ],
    graph: (x, w) => ops.conv1d(x!, w!),
    expected: convolved(noise([2, 1, 9], 11), noise([1, 1, 3], 12), PLAIN),
  },
  convolution('with all', { stride: 2, dilation: 2, groups: 2, padding: [3, 1] }, true),
];

const [HEADS, S, T] = [2, 3, 5];
const QUERY = noise([2, S, 4], 21);
const KEY = noise([2, T, 4], 22);
const VALUE = noise([2, T, 6], 23);
const QKV = [QUERY, KEY, VALUE] as const;
/** Pushed down as far as float32 goes, as T5 masks. */
const LOWEST = -3.4028234663852886e38;

const attention = (
  name: string,
  { bias, scale = 0.5 }: { bias?: NdArray; scale?: number } = {},
  operands: readonly NdArray[] = bias ? [...QKV, bias] : QKV,
): OperatorCase => ({
  name: `attention ${name}`,
  operands,
  graph: (q, k, v, b) => ops.attend(q!, k!, v!, { heads: HEADS, scale, ...(b && { bias: b }) }),
  expected: attentionOf(QKV, { heads: HEADS, scale, ...(bias && { bias }) }),
});

/** Some keys are masked for each row; for the first row of the second batch all are. */
const mask = build([2, 1, S, T], ([b, , q, k]) =>
  (b === 1 && q === 0) || (k! + q!) % 3 === 0 ? LOWEST : 0,
);

const ATTENTION: readonly OperatorCase[] = [
  attention('without bias'),
  attention('with scale 1', { scale: 1 }),
  attention('with a bias for each head', { bias: noise([1, HEADS, S, T], 24) }),
  attention('with a bias for each batch', { bias: noise([2, HEADS, S, T], 25) }),
  attention('with a bias of rank 2', { bias: noise([S, T], 26) }),
  attention('with a bias of keys', { bias: noise([2, 1, 1, T], 27) }),
  attention('with a bias of queries', { bias: noise([HEADS, S, 1], 28) }),
  attention('with masked keys, all of one row', { bias: mask }),
  attention('of free sizes', {}, [
    declared(QUERY, ['b', 's', 4]),
    declared(KEY, ['b', 't', 4]),
    declared(VALUE, ['b', 't', 6]),
  ]),
  attention('of free sizes with a bias of keys', { bias: noise([2, 1, 1, T], 29) }, [
    declared(QUERY, ['b', 's', 4]),
    declared(KEY, ['b', 't', 4]),
    declared(VALUE, ['b', 't', 6]),
    declared(noise([2, 1, 1, T], 29), ['b', 1, 1, 't']),
  ]),
];

describe('layers', () => testOperators(LINEAR));
describe('convolution', () => testOperators(CONVOLUTION));
describe('attention', () => testOperators(ATTENTION));

test('attention spreads a row without any key evenly', async () => {
  const q = ops.constant([...QUERY.data], 'float32', QUERY.dims);
  const k = ops.constant([...KEY.data], 'float32', KEY.dims);
  const v = ops.constant([...VALUE.data], 'float32', VALUE.dims);
  const bias = ops.constant(LOWEST, 'float32', [1, 1, 1, 1]);
  const { data } = await evaluate(ops.attend(q, k, v, { heads: HEADS, bias }));
  const column = Array.from({ length: T }, (_, t) => at(VALUE, [1, t, 5]));
  expect(data.at(-1)).toBeCloseTo(average(column), 5);
});
