/** DoRA beside a linear layer, and how its magnitudes begin. */
import {
  add,
  affine,
  type Checkpoint,
  defineGraph,
  mul,
  openSession,
  parameter,
  sub,
  type Tensor,
  type TensorValue,
} from '@tollama/graph';
import { type DoraTensors, doraGain, rowNorms } from '@tollama/models/adapter/dora';
import type { SeedTensor } from './seed.ts';

interface Host {
  /** What comes in [..., in], and what the layer makes of it [..., out]. */
  readonly x: Tensor;
  readonly y: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** What DoRA adds to the value of a linear layer: (g - 1) (y - bias) + g s B A x. -> [..., out] */
export const doraChange = (
  { x, y, weight, bias }: Host,
  tensors: DoraTensors,
  scaling: number,
): Tensor => {
  const gain = doraGain(weight, tensors, scaling);
  const product = bias ? sub(y, bias) : y;
  const lowRank = affine(mul(affine(x, tensors.a), scaling), tensors.b);
  return add(mul(product, sub(gain, 1)), mul(lowRank, gain));
};

/**
 * Lengths of the rows of the host's weights, by their names, for the seeds that begin with them. They come from the
 * operators that divide by them later, so that a fresh seed changes no bit.
 */
export const hostRowNorms = async (
  tensors: readonly SeedTensor[],
  checkpoint: Checkpoint,
): Promise<ReadonlyMap<string, TensorValue>> => {
  const names = new Set(tensors.flatMap(({ rowNormsOf }) => rowNormsOf ?? []));
  if (names.size === 0) return new Map();
  const outputs = [...names].map((name): [string, Tensor] => {
    const { shape, dtype } = checkpoint.tensors.get(name)!;
    return [`norms.${name}`, rowNorms(parameter(name, shape, dtype))];
  });
  const graph = defineGraph('row-norms', [], Object.fromEntries(outputs));
  await using session = await openSession(graph, { threads: 1, checkpoint });
  const norms = await session.run({});
  return new Map([...names].map((name) => [name, norms[`norms.${name}`]!]));
};
