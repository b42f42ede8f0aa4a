/**
 * Adapters as PEFT writes them: adapter_config.json and adapter_model.safetensors, byte for byte where PEFT's own
 * choice is known (order of keys, padding of the header).
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorSpec, type TensorValue, writeSafetensors } from '@tollama/graph';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';
/** PEFT's name of an adapter that lies in the folder itself; others have a subfolder of their name. */
export const DEFAULT_ADAPTER = 'default';
/** The version whose files these are like. */
const PEFT_VERSION = '0.21.2';

/** What we set ourselves; any other key is kept as it was read. */
export interface PeftConfig {
  readonly peft_type: 'LORA' | 'BOTTLENECK';
  readonly base_model_name_or_path: string | null;
  readonly revision: string | null;
  readonly r: number;
  readonly lora_alpha: number;
  readonly use_rslora: boolean;
  readonly target_modules: readonly string[] | string;
  readonly modules_to_save: readonly string[] | null;
  readonly [key: string]: unknown;
}

/** Keys of a LoraConfig that say "as usual". */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  alpha_pattern: {},
  auto_mapping: null,
  base_model_name_or_path: null,
  bias: 'none',
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_bias: false,
  lora_dropout: 0,
  modules_to_save: null,
  peft_version: PEFT_VERSION,
  rank_pattern: {},
  revision: null,
  task_type: null,
  use_dora: false,
};

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys in order, as json.dumps(sort_keys=True) has them, at every depth. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isPlain(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
};

/** Fields that Python holds as floats, which it writes with a point. */
const FLOATS = /^( *"lora_dropout": -?\d+)(,?)$/gm;

/** The text of adapter_config.json, as `LoraConfig.save_pretrained` writes it. */
export const peftConfigText = (config: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(sorted({ ...DEFAULTS, ...config }), null, 2).replace(FLOATS, '$1.0$2');

/** The folder of an adapter by its name. */
export const adapterFolder = (folder: string, name = DEFAULT_ADAPTER): string =>
  name === DEFAULT_ADAPTER ? folder : join(folder, name);

/**
 * Writes an adapter.
 *
 * @param tensors float32, by PEFT's names without the adapter's own (`base_model.model.<module>.lora_A.weight`)
 */
export const writePeftAdapter = async (
  folder: string,
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorValue>,
): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const names = [...tensors.keys()].toSorted();
  const specs = new Map<string, TensorSpec>(
    names.map((name) => [name, { dtype: 'float32', shape: tensors.get(name)!.dims }]),
  );
  await writeSafetensors(
    join(folder, ADAPTER_WEIGHTS),
    specs,
    (name) => tensors.get(name)!.data as Float32Array,
  );
  await writeFile(join(folder, ADAPTER_CONFIG), peftConfigText(config));
};

/** All keys of adapter_config.json, known or not. */
export const readPeftConfig = async (folder: string): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse(await readFile(join(folder, ADAPTER_CONFIG), 'utf8')) as Record<string, unknown>;
