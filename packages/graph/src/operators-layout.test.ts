/** Operators that reduce, pick and reorder, through onnxruntime, against plain arithmetic. */
import { describe } from 'vitest';
import { addDims, multiplyDims, symbol } from './dimension.ts';
import type { Tensor } from './node.ts';
import * as ops from './ops.ts';
import {
  along,
  at,
  build,
  linewise,
  type NdArray,
  nd,
  permute,
  reduceAxes,
} from './testing/nd-array.ts';
import {
  declared,
  elementwiseCase,
  int64,
  noise,
  type OperatorCase,
  testOperators,
} from './testing/operator-cases.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const { max, min } = Math;
const X = noise([2, 3, 4]);
const WITH_NAN = nd([2, 3], [1, nan, -2, 4, inf, 0.5]);
const WITH_INFINITY = nd([2, 3], [1, -inf, -2, 4, inf, 0.5]);
const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: number[]): number => total(values) / values.length;
const squeeze = (x: NdArray, axes: readonly number[]): NdArray =>
  nd(
    x.dims.filter((_, axis) => !axes.includes(axis)),
    x.data,
  );

const REDUCERS = [
  ['sum', ops.sum, total],
  ['mean', ops.mean, average],
  ['max', ops.max, (values: number[]) => max(...values)],
  ['min', ops.min, (values: number[]) => min(...values)],
] as const;

const over =
  (graph: typeof ops.sum, axes: readonly number[], keepAxes = false) =>
  (x: Tensor) =>
    graph(x, axes, { keepAxes });

const REDUCE: readonly OperatorCase[] = REDUCERS.flatMap(([name, graph, f]) => [
  ...[[0], [1], [2], [0, 2], [0, 1, 2]].flatMap((axes) => {
    const kept = reduceAxes(X, axes, f);
    const operands = [X];
    return [
      {
        name: `${name} [${axes}]`,
        operands,
        graph: over(graph, axes),
        expected: squeeze(kept, axes),
      },
      { name: `${name} [${axes}] kept`, operands, graph: over(graph, axes, true), expected: kept },
    ];
  }),
  {
    name: `${name} of a negative axis with infinity`,
    operands: [WITH_INFINITY],
    graph: (x: Tensor) => graph(x, -1),
    expected: squeeze(reduceAxes(WITH_INFINITY, [1], f), [1]),
  },
]);

const indices = int64(nd([2, 2], [2, 0, 1, 1]));
const places = int64(nd([2, 3, 2], [3, 0, 1, 1, 2, 0, 0, 0, 3, 2, 1, 3]));
const LINE = nd([2, 5], [3, -1, 4, 1, 5, 9, 2, -6, 5.5, 3]);

const picked = (largest: boolean, part: 'value' | 'place'): NdArray =>
  build([2, 3], ([row, i]) => {
    const line = along(LINE, [row!, 0], 1).map((value, place) => ({ value, place }));
    return line.sort((a, b) => (largest ? b.value - a.value : a.value - b.value))[i!]![part];
  });

/** X as a graph sees it that learns the middle axis at run time. */
const FREE = declared(X, ['m', 'n', 4]);

const sliced = (
  name: string,
  options: ops.SliceOptions,
  [from, size, step = 1]: readonly [number, number, number?],
  operand: NdArray = X,
): OperatorCase => ({
  name: `slice ${name}`,
  operands: [operand],
  graph: (x) => ops.slice(x!, 1, options),
  expected: build([2, size, 4], ([i, j, k]) => at(X, [i!, from + j! * step, k!])),
});

const LAYOUT: readonly OperatorCase[] = [
  sliced('of numbers', { start: 1, end: 3 }, [1, 2]),
  sliced('to the end', { start: 2 }, [2, 1]),
  sliced('to the end of a free axis', { start: 1 }, [1, 2], FREE),
  sliced('to a symbolic end', { end: symbol('n') }, [0, 3], FREE),
  sliced('up to one before a symbolic end', { end: addDims(symbol('n'), -1) }, [0, 2], FREE),
  sliced('from a symbolic start', { start: addDims(symbol('n'), -2) }, [1, 2], FREE),
  sliced('to the size of another axis', { end: symbol('m') }, [0, 2], FREE),
  sliced('of a number of a free axis', { start: 1, end: 2 }, [1, 1], FREE),
  sliced('with a step', { step: 2 }, [0, 2, 2]),
  sliced('of nothing', { start: 1, end: 1 }, [0, 0]),
  {
    name: 'reshape',
    operands: [X],
    graph: (x) => ops.reshape(x!, [4, 3, 2]),
    expected: nd([4, 3, 2], X.data),
  },
  {
    name: 'reshape of free axes',
    operands: [declared(X, ['m', 'n', 4])],
    graph: (x) => ops.reshape(x!, [2, multiplyDims(symbol('m'), symbol('n')), 2]),
    expected: nd([2, 6, 2], X.data),
  },
  {
    name: 'reshape to two sizes that differ',
    operands: [declared(X, ['m', 'n', 4])],
    graph: (x) => ops.reshape(x!, [multiplyDims(2, symbol('n')), multiplyDims(2, symbol('m'))]),
    expected: nd([6, 4], X.data),
  },
  {
    name: 'reshape of nothing',
    operands: [nd([0, 2, 3], [])],
    graph: (x) => ops.reshape(x!, [2, 3, 0]),
    expected: nd([2, 3, 0], []),
  },
  {
    name: 'broadcast to free axes',
    operands: [nd([3, 1], [1, 2, 3]), declared(X, ['m', 'n', 4])],
    graph: (x, y) => ops.broadcast(x!, [symbol('m'), 3, ops.dimOf(y!, 2)]),
    expected: build([2, 3, 4], ([, j]) => j! + 1),
  },
  {
    name: 'transpose',
    operands: [X],
    graph: (x) => ops.transpose(x!, [2, 0, 1]),
    expected: permute(X, [2, 0, 1]),
  },
  {
    name: 'broadcast',
    operands: [nd([3, 1], [1, 2, 3])],
    graph: (x) => ops.broadcast(x!, [2, 3, 4]),
    expected: build([2, 3, 4], ([, j]) => j! + 1),
  },
  {
    name: 'concat',
    operands: [X, noise([2, 1, 4], 5)],
    graph: (a, b) => ops.concat([a!, b!], -2),
    expected: build([2, 4, 4], ([i, j, k]) =>
      j! < 3 ? at(X, [i!, j!, k!]) : at(noise([2, 1, 4], 5), [i!, 0, k!]),
    ),
  },
  {
    name: 'take',
    operands: [X, indices],
    graph: (x, i) => ops.take(x!, i!, 1),
    expected: build([2, 2, 2, 4], ([i, a, b, k]) => at(X, [i!, at(indices, [a!, b!]), k!])),
  },
  {
    name: 'take of rows',
    operands: [LINE, int64(nd([3], [1, 0, 1]))],
    graph: (x, i) => ops.take(x!, i!),
    expected: build([3, 5], ([i, j]) => at(LINE, [i === 1 ? 0 : 1, j!])),
  },
  {
    name: 'takeAlong',
    operands: [X, places],
    graph: (x, i) => ops.takeAlong(x!, i!, -1),
    expected: build([2, 3, 2], ([i, j, k]) => at(X, [i!, j!, at(places, [i!, j!, k!])])),
  },
  ...[0, 1, 2].map((axis) => ({
    name: `cumulativeSum ${axis}`,
    operands: [X],
    graph: (x: Tensor) => ops.cumulativeSum(x, axis),
    expected: linewise(X, axis, (line, place) => total(line.slice(0, place + 1))),
  })),
  ...[0, 2].map((axis) => ({
    name: `cumulativeSum ${axis} from the end`,
    operands: [X],
    graph: (x: Tensor) => ops.cumulativeSum(x, axis, { isReverse: true }),
    expected: linewise(X, axis, (line, place) => total(line.slice(place))),
  })),
  {
    name: 'pad',
    operands: [declared(X, ['m', 3, 4])],
    graph: (x) => ops.pad(x!, 1, symbol('m'), 1),
    expected: build([2, 6, 4], ([i, j, k]) => (j! < 2 || j! > 4 ? 0 : at(X, [i!, j! - 2, k!]))),
  },
  {
    name: 'scatterAdd',
    operands: [X, places],
    graph: (x, i) => ops.scatterAdd(ops.slice(x!, 2, { end: 2 }), i!, 2, 5),
    expected: build([2, 3, 5], ([i, j, k]) =>
      total([0, 1].map((p) => (at(places, [i!, j!, p]) === k ? at(X, [i!, j!, p]) : 0))),
    ),
  },
  {
    name: 'sizeOf',
    operands: [declared(X, ['m', 'n', 4])],
    graph: () => ops.sizeOf(addDims(multiplyDims(symbol('m'), symbol('n')), 1)),
    expected: nd([], [7]),
  },
  elementwiseCase(
    'clip',
    (x) => ops.clip(x!, -0.5, 0.25),
    (x) => min(max(x!, -0.5), 0.25),
    X,
  ),
  ...[true, false].flatMap((largest) => [
    {
      name: `top 3 ${largest ? 'largest' : 'smallest'}`,
      operands: [LINE],
      graph: (x: Tensor) => ops.top(x, 3, { largest }).values,
      expected: picked(largest, 'value'),
    },
    {
      name: `places of the 3 ${largest ? 'largest' : 'smallest'}`,
      operands: [LINE],
      graph: (x: Tensor) => ops.top(x, 3, { largest }).indices,
      expected: picked(largest, 'place'),
    },
  ]),
  {
    name: 'top of all, however many',
    operands: [
      declared(
        LINE,
        LINE.dims.map((_, i) => `size${i}`),
      ),
    ],
    graph: (x) => ops.top(x!, ops.dimOf(x!, -1), { largest: false }).values,
    expected: linewise(LINE, 1, (line, place) => line.toSorted((a, b) => a - b)[place]!),
  },
  {
    name: 'sort',
    operands: [LINE],
    graph: (x) => ops.sort(x!),
    expected: linewise(LINE, 1, (line, place) => line.toSorted((a, b) => a - b)[place]!),
  },
  {
    name: 'iota of a symbolic size',
    operands: [declared(X, ['m', 'n', 4])],
    graph: () => ops.iota(addDims(multiplyDims(2, symbol('m')), symbol('n'), -1)),
    expected: nd([6], [0, 1, 2, 3, 4, 5]),
  },
  {
    name: 'iota of a size that an axis tells as a multiple',
    operands: [declared(nd([14], noise([14]).data), [addDims(multiplyDims(4, symbol('p')), 2)])],
    graph: () => ops.iota(symbol('p')),
    expected: nd([3], [0, 1, 2]),
  },
  { name: 'iota', operands: [], graph: () => ops.iota(4), expected: nd([4], [0, 1, 2, 3]) },
];

const PROPAGATE: readonly OperatorCase[] = REDUCERS.slice(0, 2).map(([name, graph, f]) => ({
  name: `${name} with NaN`,
  operands: [WITH_NAN],
  graph: (x: Tensor) => graph(x, 1),
  expected: squeeze(reduceAxes(WITH_NAN, [1], f), [1]),
}));

describe('reductions', () => testOperators([...REDUCE, ...PROPAGATE]));
describe('layout', () => testOperators(LAYOUT));
