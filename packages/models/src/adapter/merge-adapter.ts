/** An adapter written into the weights themselves. */
import { TollamaError } from '@tollama/core/errors';
import { type Checkpoint, openWeightsFile, readTensor } from '@tollama/graph';
import { ADAPTER_FILE, type Change, changesOf } from './adapter.ts';
import { readAdapterConfig } from './adapter-config.ts';

type LowRank = Extract<Change, { kind: 'lowRank' }>;

/** Adds factor * B . A to a weight [out, in], or its transpose to one that is stored the other way round. */
const addProduct = (
  weight: Float32Array,
  { a, b }: { readonly a: Float32Array; readonly b: Float32Array },
  { rank, factor, isTransposed }: LowRank,
): void => {
  const [rows, columns] = [b.length / rank, a.length / rank];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += b[row * rank + r]! * a[r * columns + column]!;
      weight[isTransposed ? column * rows + row : row * columns + column]! += factor * sum;
    }
  }
};

/**
 * Gives the rows of a weight [out, in], or the columns of one that is stored the other way round, the lengths of
 * DoRA. A row of zeros has no direction and stays.
 */
const rescale = (
  weight: Float32Array,
  magnitude: Float32Array,
  { isTransposed }: LowRank,
): void => {
  const rows = magnitude.length;
  const columns = weight.length / rows;
  magnitude.forEach((length, row) => {
    const at = (column: number) => (isTransposed ? column * rows + row : row * columns + column);
    let squares = 0;
    for (let column = 0; column < columns; column++) squares += weight[at(column)]! ** 2;
    const gain = squares === 0 ? 1 : length / Math.sqrt(squares);
    for (let column = 0; column < columns; column++) weight[at(column)]! *= gain;
  });
};

/**
 * The tensors of the base that an adapter changes, in their new values, by name.
 *
 * @throws TollamaError as `openAdapter`
 * @example
 * const merged = await mergeAdapter('sales', await openCheckpoint('chronos-bolt-small'));
 */
export const mergeAdapter = async (
  folder: string,
  base: Checkpoint,
): Promise<ReadonlyMap<string, Float32Array>> => {
  const config = await readAdapterConfig(folder);
  if (config.peft_type === 'BOTTLENECK') {
    throw new TollamaError('MODEL_UNSUPPORTED', 'a bottleneck adapter is no change of weights', {
      hint: 'LoRA, DoRA and head adapters can be merged',
    });
  }
  const file = await openWeightsFile(folder, ADAPTER_FILE);
  const merged = new Map<string, Float32Array>();
  for (const [name, change] of changesOf(file, base, config)) {
    if (change.kind === 'replaced') {
      merged.set(name, await readTensor(file.tensors.get(change.by)!));
      continue;
    }
    const weight = await readTensor(base.tensors.get(name)!);
    const [a, b] = await Promise.all(
      [change.a, change.b].map((part) => readTensor(file.tensors.get(part)!)),
    );
    addProduct(weight, { a: a!, b: b! }, change);
    if (change.magnitude !== undefined) {
      rescale(weight, await readTensor(file.tensors.get(change.magnitude)!), change);
    }
    merged.set(name, weight);
  }
  return merged;
};
