/** Tensors of the golden files, and graphs over them that are run once. */
import type { Tensor, TensorValue } from '@tollama/graph';
import { defineGraph, input } from '@tollama/graph';
import { runGraph, tensorOf } from '@tollama/graph/testing/run-graph';

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | null)[];
}

export const toValue = ({ shape, data }: GoldenTensor): TensorValue =>
  tensorOf(
    shape,
    data.map((x) => x ?? Number.NaN),
  );

export const toGolden = ({ dims, data }: TensorValue): GoldenTensor => ({
  shape: dims,
  data: Array.from(data, Number),
});

/** An output may be called like an input. */
const outputName = (name: string): string => `result.${name}`;

/** An input of the tensor's shape. */
export const inputFor = (name: string, { shape }: Pick<GoldenTensor, 'shape'>): Tensor =>
  input(name, shape);

/**
 * Runs a graph of these inputs; an output that is undefined (no path for a gradient) comes back as null.
 */
export const runOnce = async (
  values: ReadonlyMap<Tensor, TensorValue>,
  outputs: Readonly<Record<string, Tensor | undefined>>,
): Promise<Readonly<Record<string, GoldenTensor | null>>> => {
  const there = Object.entries(outputs).flatMap(([name, x]) =>
    x ? [[outputName(name), x] as const] : [],
  );
  const graph = defineGraph('golden', [...values.keys()], Object.fromEntries(there));
  const feeds = graph.inputs.map(({ name }, i) => [name, [...values.values()][i]!] as const);
  const results = await runGraph(graph, Object.fromEntries(feeds));
  return Object.fromEntries(
    Object.keys(outputs).map((name) => {
      const value = results[outputName(name)];
      return [name, value ? toGolden(value) : null];
    }),
  );
};
