/** Derivatives of elementwise operators: a line each, for x, y = f(x) and the upstream gradient g. */
import type { BinaryOp, Tensor, UnaryOp } from '../node.ts';
import {
  abs,
  add,
  cast,
  constant,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  less,
  log,
  mul,
  neg,
  pow,
  sigmoid,
  sign,
  sin,
  sinh,
  sqrt,
  sub,
  tanh,
  where,
} from '../ops.ts';

/** Undefined where the value steps: no gradient passes. */
export type UnaryRule = ((g: Tensor, x: Tensor, y: Tensor) => Tensor) | undefined;

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715;

const square = (x: Tensor): Tensor => mul(x, x);

/** Phi(x) + x phi(x) */
const geluSlope = (x: Tensor): Tensor => {
  const share = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(share, mul(x, density));
};

const geluTanhSlope = (x: Tensor): Tensor => {
  const t = tanh(mul(mul(x, SQRT_2_OVER_PI), add(mul(square(x), GELU_CUBE), 1)));
  const inner = mul(add(mul(square(x), 3 * GELU_CUBE), 1), SQRT_2_OVER_PI);
  return mul(add(add(t, 1), mul(mul(x, sub(1, square(t))), inner)), 0.5);
};

/** By cosh^2 = 1 + sinh^2: the language has sinh only. */
const cosh = (x: Tensor): Tensor => sqrt(add(square(sinh(x)), 1));

export const UNARY_RULES: Readonly<Record<UnaryOp, UnaryRule>> = {
  neg: (g) => neg(g),
  abs: (g, x) => mul(g, sign(x)),
  exp: (g, _, y) => mul(g, y),
  log: (g, x) => div(g, x),
  sqrt: (g, _, y) => div(mul(g, 0.5), y),
  reciprocal: (g, _, y) => neg(mul(g, square(y))),
  tanh: (g, _, y) => mul(g, sub(1, square(y))),
  sigmoid: (g, _, y) => mul(g, mul(y, sub(1, y))),
  relu: (g, _, y) => mul(g, sign(y)),
  selu: (g, x, y) =>
    where(greater(x, 0), mul(g, SELU_SCALE), mul(g, add(y, SELU_SCALE * SELU_ALPHA))),
  erf: (g, x) => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  sin: (g, x) => mul(g, cos(x)),
  cos: (g, x) => neg(mul(g, sin(x))),
  sinh: (g, x) => mul(g, cosh(x)),
  asinh: (g, x) => div(g, sqrt(add(square(x), 1))),
  floor: undefined,
  ceil: undefined,
  round: undefined,
  sign: undefined,
  softplus: (g, x) => mul(g, sigmoid(x)),
  gelu: (g, x) => mul(g, geluSlope(x)),
  geluTanh: (g, x) => mul(g, geluTanhSlope(x)),
  silu: (g, x) => {
    const s = sigmoid(x);
    return mul(g, mul(s, add(mul(x, sub(1, s)), 1)));
  },
  isNan: undefined,
  not: undefined,
};

interface Operands {
  readonly a: Tensor;
  readonly b: Tensor;
  /** a op b */
  readonly y: Tensor;
}

type BinaryRule = ((g: Tensor, operands: Operands) => readonly [Tensor, Tensor]) | undefined;

/** The winner takes all, equals take half each. */
const byOrder = (first: typeof greater): BinaryRule => {
  const share = (mine: Tensor, other: Tensor): Tensor =>
    where(
      first(mine, other),
      constant(1, mine.dtype),
      where(equal(mine, other), constant(0.5, mine.dtype), constant(0, mine.dtype)),
    );
  return (g, { a, b }) => [mul(g, share(a, b)), mul(g, share(b, a))];
};

/** Before the sums over axes along which an operand was spread. */
export const BINARY_RULES: Readonly<Record<BinaryOp, BinaryRule>> = {
  add: (g) => [g, g],
  sub: (g) => [g, neg(g)],
  mul: (g, { a, b }) => [mul(g, b), mul(g, a)],
  div: (g, { b, y }) => [div(g, b), neg(div(mul(g, y), b))],
  pow: (g, { a, b, y }) => [
    // 0^(b-1) is infinite where b is 0, and the power is constant there.
    mul(g, where(equal(b, 0), constant(0, a.dtype), mul(b, pow(a, sub(b, 1))))),
    // At a = 0 the power is 0 for all b above 0.
    mul(g, where(equal(a, 0), constant(0, a.dtype), mul(y, log(a)))),
  ],
  // y = a - trunc(a / b) b
  mod: (g, { a, b }) => {
    const quotient = div(a, b);
    return [g, neg(mul(g, mul(sign(quotient), floor(abs(quotient)))))];
  },
  min: byOrder(less),
  max: byOrder(greater),
  equal: undefined,
  less: undefined,
  lessOrEqual: undefined,
  greater: undefined,
  greaterOrEqual: undefined,
  and: undefined,
  or: undefined,
};

/** 1 where the condition holds, in the type of `like`. */
export const indicator = (condition: Tensor, like: Tensor): Tensor => cast(condition, like.dtype);
