/** The form of a table of operators: what goes in, the graph, and what plain arithmetic says. */
import { expect, test } from 'vitest';
import type { Dim } from '../dimension.ts';
import type { DType } from '../dtype.ts';
import type { Tensor } from '../node.ts';
import { input } from '../ops.ts';
import { elementwise, type NdArray, nd } from './nd-array.ts';
import { evaluate, numbersOf, tensorOf } from './run-graph.ts';

/** An operand with its type, and with its declared shape where that is not the numbers' own. */
export interface Operand extends NdArray {
  readonly dtype: DType;
  readonly shape?: readonly (Dim | string)[];
}

export interface OperatorCase {
  readonly name: string;
  readonly operands: readonly (NdArray | Operand)[];
  readonly graph: (...tensors: Tensor[]) => Tensor;
  readonly expected: NdArray;
}

export const int64 = (x: NdArray): Operand => ({ ...x, dtype: 'int64' });
export const bool = (x: NdArray): Operand => ({ ...x, dtype: 'bool' });

/** A float32 operand whose sizes the graph learns at run time. */
export const declared = (x: NdArray, shape: readonly (Dim | string)[]): Operand => ({
  dtype: 'float32',
  ...x,
  shape,
});

/** A case of one operand whose expected value is f of each element. */
export const elementwiseCase = (
  name: string,
  graph: (...tensors: Tensor[]) => Tensor,
  f: (...values: number[]) => number,
  ...operands: readonly (NdArray | Operand)[]
): OperatorCase => ({ name, operands, graph, expected: elementwise(f, ...operands) });

/** Numbers that float32 holds exactly and that look like noise. */
export const noise = (dims: readonly number[], seed = 1): NdArray => {
  let state = seed;
  const data = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.round((state / 2147483648) * 256 - 128) / 64;
  });
  return nd(dims, data);
};

const TOLERANCE = 2e-6;

const isClose = (got: number, wanted: number): boolean =>
  Object.is(got, wanted) ||
  got === wanted ||
  Math.abs(got - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted));

/** Runs each case through onnxruntime. */
export const testOperators = (cases: readonly OperatorCase[]): void => {
  test.each(cases)('$name', async ({ operands, graph, expected }) => {
    const typed = operands.map((x): Operand => ({ dtype: 'float32', ...x }));
    const inputs = typed.map((x, i) => input(`x${i}`, x.shape ?? x.dims, x.dtype));
    const feeds = typed.map((x, i) => [`x${i}`, tensorOf(x.dims, x.data, x.dtype)]);
    const result = await evaluate(graph(...inputs), Object.fromEntries(feeds), { inputs });
    expect(result.dims).toEqual(expected.dims);
    const wrong = numbersOf(result)
      .map((got, place) => ({ place, got, wanted: Math.fround(expected.data[place]!) }))
      .filter(({ got, wanted }) => !isClose(got, wanted));
    expect(wrong).toEqual([]);
  });
};
