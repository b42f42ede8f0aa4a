/** What a job leaves: an adapter in PEFT's format, or a whole checkpoint. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobConfig, JobResult } from '@tollama/core/training-job';
import {
  type Checkpoint,
  readTensor,
  type TensorSpec,
  type TensorValue,
  writeSafetensors,
} from '@tollama/graph';
import { writeMerged } from '@tollama/models/adapter/write-merged';
import { type PeftConfig, writePeftAdapter } from '../peft/peft-folder.ts';
import { savedName } from '../slots/seed.ts';
import type { JobPaths } from './job-folder.ts';
import { loraAlpha, SEED_ID, type TrainableModel } from './trainable.ts';

export interface ExportParts {
  readonly job: JobConfig;
  readonly paths: JobPaths;
  readonly model: TrainableModel;
  readonly checkpoint: Checkpoint;
  /** Trained values, by name. */
  readonly values: ReadonlyMap<string, TensorValue>;
}

export interface Exported {
  readonly kind: 'adapter' | 'model';
  readonly folder: string;
}

const PREFIX = 'base_model.model.';
/** What PEFT takes for "no layer at all", for adapters that only replace modules. */
const NO_TARGETS = 'dummy-target-modules';

const moduleOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

const baseOf = ({ base }: JobConfig): Pick<PeftConfig, 'base_model_name_or_path' | 'revision'> => ({
  base_model_name_or_path: base?.model ?? null,
  revision: base?.revision ?? null,
});

/** LoRA, DoRA and bottleneck: the tensors of the seed. */
const exportSeed = async ({ job, paths, model, values }: ExportParts): Promise<Exported> => {
  const { adapter, rank, use_rslora } = job.options;
  const tensors = new Map(
    [...values].map(([name, value]) => [savedName(name, SEED_ID), value] as const),
  );
  const config: PeftConfig = {
    ...baseOf(job),
    peft_type: adapter === 'bottleneck' ? 'BOTTLENECK' : 'LORA',
    r: rank,
    lora_alpha: loraAlpha(job.options),
    use_rslora,
    use_dora: adapter === 'dora',
    target_modules: model.seed!.slots.map(({ module }) => module),
    modules_to_save: null,
  };
  await writePeftAdapter(paths.adapter, config, tensors);
  return { kind: 'adapter', folder: paths.adapter };
};

/** A head: its modules replaced whole. */
const exportHead = async ({ job, paths, values }: ExportParts): Promise<Exported> => {
  const tensors = new Map([...values].map(([name, value]) => [`${PREFIX}${name}`, value] as const));
  const config: PeftConfig = {
    ...baseOf(job),
    peft_type: 'LORA',
    r: job.options.rank,
    lora_alpha: loraAlpha(job.options),
    use_rslora: false,
    target_modules: NO_TARGETS,
    modules_to_save: [...new Set([...values.keys()].map(moduleOf))],
  };
  await writePeftAdapter(paths.adapter, config, tensors);
  return { kind: 'adapter', folder: paths.adapter };
};

/** All tensors of the checkpoint, the trained ones in their new values. */
const exportWhole = async ({ paths, checkpoint, values }: ExportParts): Promise<Exported> => {
  await mkdir(paths.model, { recursive: true });
  const names = [...checkpoint.tensors.keys()].toSorted();
  const specs = new Map<string, TensorSpec>(
    names.map((name) => [name, { dtype: 'float32', shape: checkpoint.tensors.get(name)!.shape }]),
  );
  const kept = new Map<string, Float32Array>();
  for (const name of names) {
    if (!values.has(name)) kept.set(name, await readTensor(checkpoint.tensors.get(name)!));
  }
  await writeSafetensors(join(paths.model, 'model.safetensors'), specs, (name) => {
    const trained = values.get(name)?.data as Float32Array | undefined;
    return trained ?? kept.get(name)!;
  });
  await copyFile(join(checkpoint.folder, 'config.json'), join(paths.model, 'config.json'));
  return { kind: 'model', folder: paths.model };
};

/** An adapter over another one would need both: it is written into the weights. */
export const exportModel = async (parts: ExportParts): Promise<Exported> => {
  const exported = await exportTrained(parts);
  const { job, checkpoint, paths } = parts;
  if (exported.kind === 'model' || !job.base?.adapter) return exported;
  await writeMerged(checkpoint, exported.folder, paths.model);
  return { kind: 'model', folder: paths.model };
};

const exportTrained = (parts: ExportParts): Promise<Exported> => {
  switch (parts.job.options.adapter) {
    case 'lora':
    case 'dora':
    case 'bottleneck':
      return exportSeed(parts);
    case 'head':
      return exportHead(parts);
    case 'full':
      return exportWhole(parts);
  }
};

export const writeResult = (path: string, result: JobResult): Promise<void> =>
  writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
