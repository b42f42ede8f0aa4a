/** From a pool's settings to one adapter's: which model, which size, on which device. */
import type { AdapterConfig } from './adapter.ts';
import type { ModelPoolConfig } from './model-pool.ts';

type Settings = Pick<ModelPoolConfig, 'modelSizeByAdapter' | 'adapterKwargsByAdapter' | 'device'>;

/** Published checkpoints behind the short names, by size; any other adapter is a model's own name. */
const CHECKPOINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  chronos: {
    tiny: 'chronos-bolt-tiny',
    small: 'chronos-bolt-small',
    base: 'chronos2',
    large: 'chronos2',
  },
  moirai: { any: 'moirai-2.0-R-small' },
  timesfm: { any: 'timesfm-2.5-200m' },
};

/** modelSizeByAdapter, else the adapter's own model_size, else its pipeline, else base. */
export const modelSizeOf = (name: string, settings: Settings): string => {
  const own = settings.adapterKwargsByAdapter[name] ?? {};
  const found = [settings.modelSizeByAdapter[name], own.model_size, own.pipeline].find(
    (size) => typeof size === 'string' && size !== '',
  );
  return (found as string | undefined) ?? 'base';
};

const positive = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : fallback;

/** Settings of the adapter's own that are not options of its model. */
const OWN = new Set([
  ...['model_name', 'model_size', 'pipeline', 'device', 'cache_dir', 'batch_size'],
  ...['prediction_batch_size', 'quantile_method', 'num_samples', 'max_context_length'],
]);

export const adapterConfigOf = (name: string, settings: Settings): AdapterConfig => {
  const own = settings.adapterKwargsByAdapter[name] ?? {};
  const modelSize = modelSizeOf(name, settings);
  const checkpoints = CHECKPOINTS[name];
  const published = checkpoints?.[modelSize] ?? checkpoints?.any ?? checkpoints?.base ?? name;
  const rest = Object.entries(own).filter(([key]) => !OWN.has(key));
  return {
    adapterName: name,
    modelName: typeof own.model_name === 'string' ? own.model_name : published,
    modelSize,
    device: settings.device ?? (typeof own.device === 'string' ? own.device : null),
    batchSize: positive(own.batch_size, 32),
    predictionBatchSize: positive(own.prediction_batch_size, 100),
    quantileMethod: own.quantile_method === 'direct' ? 'direct' : 'sample',
    numSamples: positive(own.num_samples, 100),
    maxContextLength:
      own.max_context_length === undefined ? null : positive(own.max_context_length, 1),
    options: {
      ...Object.fromEntries(rest),
      ...(own.num_samples !== undefined && { num_samples: positive(own.num_samples, 100) }),
    },
  };
};
