/** Are the values of a run those that the graph asks for? Said by name before onnxruntime sees them. */
import { TollamaError } from '@tollama/core/errors';
import { asLinear, type Dim, evaluateDim, shapeText, symbolsOf } from '../dimension.ts';
import type { DType, TensorData } from '../dtype.ts';
import type { Graph } from '../graph.ts';
import type { InputNode } from '../node.ts';

/** A value that goes into or comes out of a run. */
export interface TensorValue {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export type Feeds = Readonly<Record<string, TensorValue>>;

const ARRAYS: Readonly<Record<DType, abstract new (...args: never[]) => TensorData>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

type Refuse = (why: string) => never;

const checkValue = ({ dtype }: InputNode, value: TensorValue, refuse: Refuse): void => {
  if (value.dtype !== dtype) refuse(`is ${value.dtype}, expected ${dtype}`);
  if (!(value.data instanceof ARRAYS[dtype])) {
    refuse(`holds a ${value.data.constructor.name}, ${dtype} travels in a ${ARRAYS[dtype].name}`);
  }
  const count = value.dims.reduce((a, b) => a * b, 1);
  if (value.data.length !== count) {
    refuse(`holds ${value.data.length} values, its shape ${shapeText(value.dims)} needs ${count}`);
  }
};

/** Reads the symbol of a dimension off a given size; the first input that tells it decides. */
const bindSymbol = (dim: Dim, size: number, sizes: Map<string, number>, refuse: Refuse): void => {
  const linear = asLinear(dim);
  if (!linear || sizes.has(linear.name)) return;
  const value = (size - linear.offset) / linear.coefficient;
  if (!Number.isInteger(value) || value < 0) {
    refuse(`${size} is no ${shapeText([dim]).slice(1, -1)} with a whole ${linear.name}`);
  }
  sizes.set(linear.name, value);
};

const isFulfilled = (dim: Dim, size: number, sizes: ReadonlyMap<string, number>): boolean =>
  symbolsOf(dim).some((name) => !sizes.has(name)) || evaluateDim(dim, sizes) === size;

const sizesText = (sizes: ReadonlyMap<string, number>): string =>
  sizes.size === 0
    ? ''
    : ` where ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')}`;

/**
 * Throws INTERNAL, naming the input, what it must be and what it is: feeds are made by a family's code,
 * never by a user.
 */
export const checkFeeds = (graph: Graph, feeds: Feeds): void => {
  const fail = (message: string): never => {
    throw new TollamaError('INTERNAL', `graph '${graph.name}': ${message}`);
  };
  const refuseFor =
    (input: InputNode): Refuse =>
    (why) =>
      fail(`input '${input.name}' ${why}`);
  const names = graph.inputs.map((input) => input.name);
  for (const name of Object.keys(feeds)) {
    if (!names.includes(name)) fail(`has no input '${name}'; its inputs are ${names.join(', ')}`);
  }
  const sizes = new Map<string, number>();
  for (const input of graph.inputs) {
    const refuse = refuseFor(input);
    const value = feeds[input.name] ?? refuse('is missing');
    checkValue(input, value, refuse);
    const shapes = `is ${shapeText(value.dims)}, expected ${shapeText(input.shape)}`;
    if (value.dims.length !== input.shape.length) refuse(shapes);
    input.shape.forEach((dim, axis) => {
      bindSymbol(dim, value.dims[axis]!, sizes, (why) => refuse(`${shapes}: ${why}`));
    });
  }
  for (const input of graph.inputs) {
    const { dims } = feeds[input.name]!;
    if (!input.shape.every((dim, axis) => isFulfilled(dim, dims[axis]!, sizes))) {
      const expected = `${shapeText(input.shape)}${sizesText(sizes)}`;
      refuseFor(input)(`is ${shapeText(dims)}, expected ${expected}`);
    }
  }
};
