/** ONNX operators in the words of the graph language: what a vjp case names by its ONNX name. */
import {
  abs,
  add,
  asinh,
  attend,
  broadcast,
  clip,
  concat,
  constant,
  conv1d,
  cos,
  cumulativeSum,
  div,
  erf,
  exp,
  gelu,
  geluTanh,
  greater,
  iota,
  layerNormalize,
  less,
  lessOrEqual,
  log,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  pad,
  pow,
  rearrange,
  reciprocal,
  relu,
  reshape,
  rmsNormalize,
  sigmoid,
  silu,
  sin,
  sinh,
  slice,
  softmax,
  softplus,
  sqrt,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  transpose,
  where,
  widthOf,
} from '@tollama/graph';

export interface Word {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly integers: Readonly<Record<string, Tensor>>;
}

type Build = (x: readonly Tensor[], word: Word) => Tensor;

const of1 =
  (f: (x: Tensor) => Tensor): Build =>
  ([x]) =>
    f(x!);
const of2 =
  (f: (a: Tensor, b: Tensor) => Tensor): Build =>
  ([a, b]) =>
    f(a!, b!);

const numbers = (value: unknown): readonly number[] => value as readonly number[];

const reduced =
  (f: typeof sum): Build =>
  ([x], { attributes }) =>
    f(x!, numbers(attributes.axes), { keepAxes: attributes.keepdims === 1 });

/** Matrices as they are; a vector on the right stands for a column. */
const product: Build = ([a, b]) =>
  b!.shape.length > 1
    ? matmul(a!, b!)
    : rearrange(matmul(a!, rearrange(b!, 'k -> k 1')), 'n 1 -> n');

const sliced: Build = ([x], { attributes }) => {
  const [starts, ends, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name) =>
    numbers(attributes[name]),
  ) as [number[], number[], number[], number[]];
  return axes.reduce((y, axis, i) => {
    const size = widthOf(y, axis);
    const place = (at: number): number => Math.min(size, at < 0 ? size + at : at);
    return slice(y, axis, { start: place(starts[i]!), end: place(ends[i]!), step: steps[i]! });
  }, x!);
};

const padded: Build = ([x], { attributes }) => {
  const pads = numbers(attributes.pads);
  const rank = pads.length / 2;
  return x!.shape.reduce<Tensor>((y, _, axis) => {
    const [before, after] = [pads[axis]!, pads[axis + rank]!];
    return before + after > 0 ? pad(y, axis, before, after) : y;
  }, x!);
};

/** One head; a mask of -infinity where a key lies after the query. */
const attention: Build = ([q, k, v, bias], { attributes }) => {
  const [s, t] = [widthOf(q!, 1), widthOf(k!, 1)];
  const isLater = greater(rearrange(iota(t), 't -> 1 t'), rearrange(iota(s), 's -> s 1'));
  const causal = where(isLater, Number.NEGATIVE_INFINITY, 0);
  const mask = attributes.causal ? (bias ? add(bias, causal) : causal) : bias;
  const wide =
    mask && reshape(mask, mask.shape.length === 3 ? [mask.shape[0]!, 1, s, t] : [1, 1, s, t]);
  return attend(q!, k!, v!, {
    heads: 1,
    scale: Number(attributes.scale),
    ...(wide && { bias: wide }),
  });
};

const GEMM = { alpha: 1, beta: 1, transA: 0, transB: 0 };

const gemm: Build = ([a, b, c], { attributes }) => {
  const { alpha, beta, transA, transB } = { ...GEMM, ...attributes };
  const left = transA ? transpose(a!, [1, 0]) : a!;
  const whole = mul(matmul(left, b!, { transposeB: transB === 1 }), alpha);
  return c ? add(whole, mul(c, beta)) : whole;
};

/** x - max - log(sum(exp(x - max))); the maximum cancels, and so does its gradient. */
const logSoftmax: Build = ([x], { attributes }) => {
  const axis = Number(attributes.axis);
  const lower = sub(x!, stopGradient(max(x!, axis, { keepAxes: true })));
  return sub(lower, log(sum(exp(lower), axis, { keepAxes: true })));
};

const hardSwish = (x: Tensor): Tensor => {
  const between = mul(x, mul(add(x, 3), 1 / 6));
  return where(lessOrEqual(x, -3), 0, where(less(x, 3), between, x));
};

const LOWEST = -3e38;

const sizeOfAll = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Two operands without repeated letters: what is summed goes into one batched product. */
const einsum: Build = ([a, b], { attributes }) => {
  const [left, right, out] = String(attributes.equation).replaceAll(' ', '').split(/,|->/) as [
    string,
    string,
    string,
  ];
  const sizes = new Map<string, number>();
  [...left].forEach((letter, i) => {
    sizes.set(letter, widthOf(a!, i));
  });
  [...right].forEach((letter, i) => {
    sizes.set(letter, widthOf(b!, i));
  });
  const letters = (text: string, keep: (letter: string) => boolean) => [...text].filter(keep);
  const batch = letters(left, (x) => right.includes(x) && out.includes(x));
  const inner = letters(left, (x) => right.includes(x) && !out.includes(x));
  const rows = letters(left, (x) => !right.includes(x));
  const columns = letters(right, (x) => !left.includes(x));
  const ordered = (x: Tensor, names: string, ...groups: readonly (readonly string[])[]) =>
    reshape(
      transpose(
        x,
        groups.flat().map((letter) => names.indexOf(letter)),
      ),
      groups.map((group) => sizeOfAll(group.map((letter) => sizes.get(letter)!))),
    );
  const whole = matmul(
    ordered(a!, left, batch, rows, inner),
    ordered(b!, right, batch, inner, columns),
  );
  const made = [...batch, ...rows, ...columns];
  const spread = reshape(
    whole,
    made.map((letter) => sizes.get(letter)!),
  );
  const summed = made.flatMap((letter, i) => (out.includes(letter) ? [] : [i]));
  const kept = made.filter((letter) => out.includes(letter));
  const total = summed.length > 0 ? sum(spread, summed) : spread;
  return transpose(
    total,
    [...out].map((letter) => kept.indexOf(letter)),
  );
};

/** -1 for one axis that follows from the others, 0 for one that stays. */
const reshaped: Build = ([x], { attributes }) => {
  const asked = numbers(attributes.shape).map((size, i) => (size === 0 ? widthOf(x!, i) : size));
  const known = sizeOfAll(asked.filter((size) => size > 0));
  const whole = sizeOfAll(x!.shape as readonly number[]);
  return reshape(
    x!,
    asked.map((size) => (size < 0 ? whole / known : size)),
  );
};

export const ONNX_WORDS: Readonly<Record<string, Build>> = {
  Add: of2(add),
  Sub: of2(sub),
  Mul: of2(mul),
  Div: of2(div),
  Max: of2(maximum),
  Min: of2(minimum),
  MatMul: product,
  Gemm: gemm,
  Softmax: ([x], { attributes }) => softmax(x!, Number(attributes.axis)),
  LogSoftmax: logSoftmax,
  LayerNormalization: ([x, gain, offset], { attributes }) =>
    layerNormalize(x!, gain!, offset, Number(attributes.epsilon)),
  RMSNormalization: ([x, gain], { attributes }) =>
    rmsNormalize(x!, gain!, Number(attributes.epsilon)),
  Relu: of1(relu),
  Tanh: of1(tanh),
  Sigmoid: of1(sigmoid),
  Exp: of1(exp),
  Erf: of1(erf),
  Softplus: of1(softplus),
  Sinh: of1(sinh),
  Asinh: of1(asinh),
  Neg: of1(neg),
  Abs: of1(abs),
  Sin: of1(sin),
  Cos: of1(cos),
  HardSwish: of1(hardSwish),
  Elu: of1((x) => where(greater(x, 0), x, sub(exp(clip(x, LOWEST, 0)), 1))),
  Softsign: of1((x) => div(x, add(abs(x), 1))),
  LeakyRelu: ([x], { attributes }) => where(greater(x!, 0), x!, mul(x!, Number(attributes.alpha))),
  Gelu: ([x], { attributes }) => (attributes.approximate === 'tanh' ? geluTanh : gelu)(x!),
  Swish: of1(silu),
  Log: of1(log),
  Sqrt: of1(sqrt),
  Reciprocal: of1(reciprocal),
  Pow: ([x], { attributes }) => pow(x!, constant(Number(attributes.exponent))),
  ReduceMean: reduced(mean),
  ReduceSum: reduced(sum),
  ReduceMax: reduced(max),
  Clip: ([x], { attributes }) => clip(x!, Number(attributes.min), Number(attributes.max)),
  Transpose: ([x], { attributes }) => transpose(x!, numbers(attributes.perm)),
  Reshape: reshaped,
  Concat: (x, { attributes }) => concat(x, Number(attributes.axis)),
  Slice: sliced,
  Pad: padded,
  Expand: ([x], { attributes }) => broadcast(x!, numbers(attributes.shape)),
  Gather: ([x], { attributes, integers }) => take(x!, integers.indices!, Number(attributes.axis)),
  Where: ([a, b], { integers }) => where(integers.condition!, a!, b!),
  CumSum: ([x], { attributes }) => cumulativeSum(x!, Number(attributes.axis)),
  Einsum: einsum,
  Conv: ([x, weight, bias], { attributes }) =>
    conv1d(x!, weight!, {
      ...(bias && { bias }),
      stride: numbers(attributes.strides)[0]!,
      dilation: numbers(attributes.dilations)[0]!,
      groups: Number(attributes.group),
      padding: numbers(attributes.pads) as [number, number],
    }),
  Attention: attention,
};
