/** A checkpoint with an adapter written into its weights: what Python loads without PEFT. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, readTensor, type TensorSpec, writeSafetensors } from '@tollama/graph';
import { mergeAdapter } from './merge-adapter.ts';

/**
 * Writes model.safetensors (float32) and config.json into a folder.
 *
 * @throws TollamaError as `mergeAdapter`
 */
export const writeMerged = async (
  base: Checkpoint,
  adapter: string,
  folder: string,
): Promise<void> => {
  const merged = await mergeAdapter(adapter, base);
  const names = [...base.tensors.keys()].toSorted();
  const specs = new Map<string, TensorSpec>();
  const values = new Map<string, Float32Array>();
  for (const name of names) {
    const tensor = base.tensors.get(name)!;
    specs.set(name, { dtype: 'float32', shape: tensor.shape });
    values.set(name, merged.get(name) ?? (await readTensor(tensor)));
  }
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), specs, (name) => values.get(name)!);
  await copyFile(join(base.folder, 'config.json'), join(folder, 'config.json'));
};
