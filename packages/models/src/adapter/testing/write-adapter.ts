/** For tests: an adapter folder of given tensors. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorSpec, writeSafetensors } from '@tollama/graph';

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Of rank 2 and alpha 3, where the config says nothing else. */
export const writeAdapter = async (
  path: string,
  config: object,
  tensors: Readonly<Record<string, Values>>,
): Promise<void> => {
  const full = { peft_type: 'LORA', r: 2, lora_alpha: 3, ...config };
  await writeFile(join(path, 'adapter_config.json'), JSON.stringify(full));
  const specs = Object.entries(tensors).map(([name, { shape }]): [string, TensorSpec] => [
    name,
    { dtype: 'float32', shape },
  ]);
  const file = join(path, 'adapter_model.safetensors');
  await writeSafetensors(file, new Map(specs), (name) => tensors[name]!.data);
};
