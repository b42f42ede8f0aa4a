/** A checkpoint folder written again as a training library publishes it, for tests. */
import { openCheckpoint } from '../safetensors/checkpoint.ts';
import { readTensor } from '../safetensors/read-tensor.ts';
import { type Picklable, tensorOf, torchFileOf } from './torch-archive.ts';

/** A value of JSON as a pickle holds it. */
export const picklable = (value: unknown): Picklable => {
  if (Array.isArray(value)) return value.map(picklable);
  if (typeof value !== 'object' || value === null) return value as Picklable;
  return new Map(Object.entries(value).map(([key, inner]) => [key, picklable(inner)]));
};

/**
 * The tensors of a checkpoint folder as a file of torch.save: a plain state_dict, or with hyper-parameters the
 * whole that Lightning keeps.
 */
export const torchCheckpointOf = async (
  folder: string,
  hyperParameters?: Picklable,
): Promise<Uint8Array> => {
  const { tensors } = await openCheckpoint(folder);
  const storages: Record<string, Float32Array> = {};
  const state = new Map<Picklable, Picklable>();
  for (const [name, tensor] of tensors) {
    const key = String(state.size);
    storages[key] = await readTensor(tensor);
    state.set(name, tensorOf(tensor.shape, key));
  }
  if (hyperParameters === undefined) return torchFileOf(state, storages);
  const whole = new Map<Picklable, Picklable>([
    ['epoch', 7],
    ['state_dict', state],
    ['hyper_parameters', hyperParameters],
  ]);
  return torchFileOf(whole, storages);
};
