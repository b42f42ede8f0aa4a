/** The state of a training run on disk: one file of tensors a save, and one line that says which is the last. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWeightsFile, readTensor, type TensorValue, writeSafetensors } from '@tollama/graph';
import type { TrainingState } from '../step/training-step.ts';

export interface Progress {
  readonly step: number;
  /** Visits of blocks that are finished. */
  readonly visits: number;
}

export interface SavedRun {
  readonly state: TrainingState;
  /** Moving means of the parameters. */
  readonly averages: ReadonlyMap<string, TensorValue>;
  readonly progress: Progress;
}

const LATEST = 'latest.json';
const KEPT = 3;

const prefixed = (
  prefix: string,
  tensors: ReadonlyMap<string, TensorValue>,
): [string, TensorValue][] => [...tensors].map(([name, value]) => [`${prefix}${name}`, value]);

const writeTensors = async (
  path: string,
  tensors: ReadonlyMap<string, TensorValue>,
): Promise<void> => {
  const specs = new Map(
    [...tensors].map(([name, { dims }]) => [name, { dtype: 'float32' as const, shape: dims }]),
  );
  await writeSafetensors(path, specs, (name) => tensors.get(name)!.data as Float32Array);
};

/** Saves a run; a crash leaves the save before. */
export const saveRun = async (folder: string, run: SavedRun): Promise<void> => {
  const { state, averages, progress } = run;
  const file = `state-${String(progress.step).padStart(8, '0')}.safetensors`;
  const tensors = new Map([
    ...prefixed('parameters/', state.parameters),
    ...prefixed('moments/', state.moments),
    ...prefixed('averages/', averages),
  ]);
  await writeTensors(join(folder, file), tensors);
  const partial = join(folder, `${LATEST}.partial`);
  writeFileSync(partial, JSON.stringify({ file, ...progress }));
  renameSync(partial, join(folder, LATEST));
  const old = readdirSync(folder)
    .filter((name) => /^state-\d+\.safetensors$/.test(name))
    .sort();
  for (const name of old.slice(0, -KEPT)) rmSync(join(folder, name));
};

/** The last save of a folder, or undefined. */
export const loadRun = async (folder: string): Promise<SavedRun | undefined> => {
  const path = join(folder, LATEST);
  if (!existsSync(path)) return undefined;
  const { file, step, visits } = JSON.parse(readFileSync(path, 'utf8'));
  const { tensors } = await openWeightsFile(folder, file);
  const parts = {
    parameters: new Map<string, TensorValue>(),
    moments: new Map<string, TensorValue>(),
    averages: new Map<string, TensorValue>(),
  };
  for (const [name, tensor] of tensors) {
    const slash = name.indexOf('/');
    const part = parts[name.slice(0, slash) as keyof typeof parts];
    const data = await readTensor(tensor);
    part.set(name.slice(slash + 1), { dtype: 'float32', dims: tensor.shape, data });
  }
  const { averages, ...state } = parts;
  return { state: { ...state, step }, averages, progress: { step, visits } };
};

/** Writes weights as a published checkpoint has them: config.json and model.safetensors. */
export const exportWeights = async (
  folder: string,
  config: unknown,
  weights: ReadonlyMap<string, TensorValue>,
): Promise<void> => {
  await writeTensors(join(folder, 'model.safetensors'), weights);
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
};
