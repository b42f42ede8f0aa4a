/** A job's model as a training step begins with it; its threads open it the same way. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobConfig, JobOptions, JobSeries } from '@tollama/core/training-job';
import { openCheckpoint } from '@tollama/graph';
import { writeMerged } from '@tollama/models/adapter/write-merged';
import type { TrainingWish } from '@tollama/models/family';
import { NANO_FOLDER } from '@tollama/models/in-the-box';
import { randomCheckpoint } from '@tollama/models/random-checkpoint';
import type { TrainingStepOptions } from '../step/open-training-step.ts';
import type { OptimizerOptions } from '../step/optimizer.ts';
import type { JobPaths } from './job-folder.ts';
import type { ModelParts, TrainableModel } from './trainable.ts';

/** Where the weights lie that a training begins with. */
export const startPath = ({ base }: JobConfig, paths: JobPaths): string =>
  base && !base.adapter ? (base.folder ?? NANO_FOLDER) : paths.start;

/** The folder of the weights that a training begins with; random and merged ones are written once. */
export const writeStart = async (job: JobConfig, paths: JobPaths): Promise<string> => {
  const folder = startPath(job, paths);
  if (job.base) {
    const { adapter, folder: base } = job.base;
    if (base !== null && adapter) await writeMerged(await openCheckpoint(base), adapter, folder);
    return folder;
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(job.architecture, null, 2));
  const file = join(folder, 'model.safetensors');
  await randomCheckpoint(file, job.architecture, undefined, job.options.seed);
  return folder;
};

export const wishOf = ({ options }: JobConfig, data: JobSeries): TrainingWish => ({
  horizon: options.horizon ?? undefined,
  freq: data[0]?.freq ?? undefined,
});

const optimizerOf = ({ optimizer, weight_decay }: JobOptions): OptimizerOptions => {
  switch (optimizer) {
    case 'adamw':
      return { kind: 'adamw', weightDecay: weight_decay };
    case 'sgd':
      return { kind: 'sgd', momentum: 0.9, weightDecay: weight_decay };
    case 'muon':
      return { kind: 'muon', weightDecay: weight_decay };
  }
};

export const stepOptions = (
  { graph, trainable }: TrainableModel,
  { checkpoint }: ModelParts,
  options: JobOptions,
): TrainingStepOptions => ({
  graph,
  trainable,
  checkpoint,
  optimizer: optimizerOf(options),
  clipNorm: options.clip_norm ?? undefined,
  // Gains and offsets are not pulled to 0.
  isDecayed: (_, shape) => shape.length > 1,
  threads: options.threads,
});
