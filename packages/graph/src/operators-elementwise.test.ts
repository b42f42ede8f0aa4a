/** Elementwise operators, through onnxruntime, against plain arithmetic. */
import { describe } from 'vitest';
import * as ops from './ops.ts';
import { elementwise, erfOf, type NdArray, nd, roundOf } from './testing/nd-array.ts';
import {
  bool,
  elementwiseCase,
  int64,
  noise,
  type Operand,
  type OperatorCase,
  testOperators,
} from './testing/operator-cases.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const { abs, exp, log, sqrt, tanh, max, min } = Math;

/** A value of each kind that arithmetic treats in its own way. */
const SPECIAL = nd([12], [-inf, -3.5, -2, -1.5, -0.5, -0, 0, 0.5, 1, 2.5, inf, nan]);
const unary = (
  name: string,
  graph: OperatorCase['graph'],
  f: (x: number) => number,
  x: NdArray | Operand = SPECIAL,
): OperatorCase => elementwiseCase(name, graph, f, x);

const logistic = (x: number): number => 1 / (1 + exp(-x));
const signOf = (x: number): number => (Number.isNaN(x) ? nan : Math.sign(x));

const UNARY: readonly OperatorCase[] = [
  unary('neg', ops.neg, (x) => -x),
  unary('neg of int64', ops.neg, (x) => -x, int64(nd([3], [-2, 0, 5]))),
  unary('abs', ops.abs, abs),
  unary('exp', ops.exp, exp),
  unary('log', ops.log, log),
  unary('sqrt', ops.sqrt, sqrt),
  unary('reciprocal', ops.reciprocal, (x) => 1 / x),
  unary('tanh', ops.tanh, tanh),
  unary('sigmoid', ops.sigmoid, logistic),
  unary('relu', ops.relu, (x) => max(0, x)),
  unary(
    'selu',
    ops.selu,
    (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * exp(x) - 1.6732632423543772),
  ),
  unary('erf', ops.erf, erfOf, nd([7], [-inf, -2, -0.5, 0, 0.1, 1, inf])),
  unary('sin', ops.sin, Math.sin, noise([9])),
  unary('cos', ops.cos, Math.cos, noise([9])),
  unary('sinh', ops.sinh, Math.sinh),
  unary('asinh', ops.asinh, Math.asinh, noise([9])),
  unary('floor', ops.floor, Math.floor),
  unary('ceil', ops.ceil, Math.ceil),
  unary('round', ops.round, roundOf),
  unary('sign', ops.sign, signOf, nd([4], [-2, 0, 3, inf])),
  unary('softplus', ops.softplus, (x) => max(x, 0) + Math.log1p(exp(-abs(x))), noise([9])),
  unary('softplus far out', ops.softplus, (x) => max(x, 0), nd([4], [-200, 200, -inf, inf])),
  unary(
    'geluTanh',
    ops.geluTanh,
    (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
    noise([9]),
  ),
  unary('gelu', ops.gelu, (x) => (x * (1 + erfOf(x / Math.SQRT2))) / 2, noise([9])),
  unary('silu', ops.silu, (x) => x * logistic(x), noise([9])),
  unary('isNan', ops.isNan, (x) => Number(Number.isNaN(x))),
  unary('not', ops.not, (x) => 1 - x, bool(nd([2], [0, 1]))),
  unary('stopGradient', ops.stopGradient, (x) => x),
];

/** Rows against columns: every pair of special values, through broadcasting. */
const ROW = nd([1, 12], SPECIAL.data);
const COLUMN = nd([12, 1], SPECIAL.data);

const binary = (
  name: string,
  graph: OperatorCase['graph'],
  f: (a: number, b: number) => number,
  [a, b]: readonly [NdArray | Operand, NdArray | Operand] = [ROW, COLUMN],
): OperatorCase => elementwiseCase(name, graph, f, a, b);

const test2 = (f: (a: number, b: number) => boolean) => (a: number, b: number) => Number(f(a, b));
const BOOLS = [bool(nd([2, 1], [0, 1])), bool(nd([1, 2], [0, 1]))] as const;
const INTS = [int64(nd([4, 1], [-7, -1, 4, 9])), int64(nd([3], [-3, 2, 5]))] as const;

const BINARY: readonly OperatorCase[] = [
  binary('add', ops.add, (a, b) => a + b),
  binary('add of ranks 3 and 1', ops.add, (a, b) => a + b, [noise([2, 3, 4]), noise([4], 2)]),
  binary('add of both sides spread', ops.add, (a, b) => a + b, [noise([3, 1, 2]), noise([4, 1])]),
  binary('add of a scalar', ops.add, (a, b) => a + b, [noise([2, 2]), nd([], [0.5])]),
  binary('sub', ops.sub, (a, b) => a - b),
  binary('mul', ops.mul, (a, b) => a * b),
  binary('div', ops.div, (a, b) => a / b),
  binary('div of int64 truncates', ops.div, (a, b) => Math.trunc(a / b), INTS),
  binary('pow', ops.pow, (a, b) => a ** b, [nd([3, 1], [0.5, 1.5, 4]), noise([5])]),
  binary('mod of floats', ops.mod, (a, b) => a % b, [noise([4, 1]), nd([3], [0.75, -2, 3])]),
  binary('mod of int64', ops.mod, (a, b) => ((a % b) + b) % b, INTS),
  binary('minimum', ops.minimum, min),
  binary('maximum', ops.maximum, max),
  binary('maximum of int64', ops.maximum, max, INTS),
  binary(
    'equal',
    ops.equal,
    test2((a, b) => a === b),
  ),
  binary(
    'equal of int64',
    ops.equal,
    test2((a, b) => a === b),
    INTS,
  ),
  binary(
    'equal of bool',
    ops.equal,
    test2((a, b) => a === b),
    BOOLS,
  ),
  binary(
    'less',
    ops.less,
    test2((a, b) => a < b),
  ),
  binary(
    'lessOrEqual',
    ops.lessOrEqual,
    test2((a, b) => a <= b),
  ),
  binary(
    'greater',
    ops.greater,
    test2((a, b) => a > b),
  ),
  binary(
    'greaterOrEqual',
    ops.greaterOrEqual,
    test2((a, b) => a >= b),
  ),
  binary(
    'less of int64',
    ops.less,
    test2((a, b) => a < b),
    INTS,
  ),
  binary('and', ops.and, min, BOOLS),
  binary('or', ops.or, max, BOOLS),
];

const WITH_NAN = nd([2, 3], [1, nan, -2, 4, inf, 0.5]);
const flag = bool(nd([2, 1], [1, 0]));

const SELECTION: readonly OperatorCase[] = [
  {
    name: 'where',
    operands: [flag, WITH_NAN, nd([3], [7, 8, 9])],
    graph: (c, a, b) => ops.where(c!, a!, b!),
    expected: elementwise((c, a, b) => (c ? a : b), flag, WITH_NAN, nd([3], [7, 8, 9])),
  },
  {
    name: 'where of int64',
    operands: [flag, int64(nd([2, 2], [1, 2, 3, 4])), int64(nd([], [-1]))],
    graph: (c, a, b) => ops.where(c!, a!, b!),
    expected: nd([2, 2], [1, 2, -1, -1]),
  },
  {
    name: 'where of bool',
    operands: [flag, bool(nd([2, 2], [1, 0, 1, 0])), bool(nd([], [1]))],
    graph: (c, a, b) => ops.where(c!, a!, b!),
    expected: nd([2, 2], [1, 0, 1, 1]),
  },
  unary('cast to int64 truncates', (x) => ops.cast(x, 'int64'), Math.trunc, noise([9])),
  unary(
    'cast to bool',
    (x) => ops.cast(x, 'bool'),
    (x) => Number(x !== 0),
    nd([3], [0, -2, 0.5]),
  ),
  unary(
    'cast of bool',
    (x) => ops.cast(x, 'float32'),
    (x) => x,
    bool(nd([2], [0, 1])),
  ),
  unary(
    'cast of int64',
    (x) => ops.cast(x, 'float32'),
    (x) => x,
    int64(nd([2], [-3, 4])),
  ),
  unary(
    'cast through float64',
    (x) => ops.cast(ops.cast(x, 'float64'), 'float32'),
    (x) => x,
  ),
  unary('cast to int32', (x) => ops.cast(x, 'int32'), Math.trunc, noise([5])),
];

describe('unary', () => testOperators(UNARY));
describe('binary', () => testOperators(BINARY));
describe('selection', () => testOperators(SELECTION));
