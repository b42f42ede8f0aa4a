import {
  type Checkpoint,
  fromCheckpoint,
  openCheckpoint,
  parametersOf,
  readTensor,
  type TensorValue,
} from '@tollama/graph';
import { readConfig } from '@tollama/models';
import { ALL_LINEAR, matchModules, type TargetModules } from '../slots/match-modules.ts';
import { firstValues, type PlantedSeed, plantSeeds, type Seed } from '../slots/plant.ts';
import { openTrainingStep, type TrainingStepOptions } from '../step/open-training-step.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { type Objective, objectiveOf } from './objective.ts';

export interface FineTuningOptions
  extends Omit<TrainingStepOptions, 'graph' | 'trainable' | 'checkpoint'> {
  /** Seeds in the slots of the model, such as a LoRA adapter. */
  readonly seeds?: readonly Seed[];
  /**
   * Modules whose own tensors are trained (`output_patch_embedding` trains the head), by PEFT's rules on whole
   * paths; 'all-linear' stands for every tensor of the model.
   */
  readonly modules?: TargetModules;
  /** Uniform numbers in [0, 1) for the first values of seeds. */
  readonly uniform: () => number;
}

export interface FineTuning extends AsyncDisposable {
  readonly objective: Objective;
  readonly step: TrainingStep;
  readonly seeds: readonly PlantedSeed[];
  /** The base, which is frozen but for the trained modules. */
  readonly checkpoint: Checkpoint;
}

/** Whether a tensor lies in one of the modules: below it, or itself. */
const namesBelow = (names: readonly string[], modules: TargetModules): readonly string[] => {
  if (modules === ALL_LINEAR) return names;
  if (typeof modules === 'string') return matchModules(names, modules);
  const isBelow = (name: string): boolean =>
    modules.some((module) => name === module || `.${name}`.includes(`.${module}.`));
  return names.filter(isBelow);
};

const ownValues = async (
  checkpoint: Checkpoint,
  names: readonly string[],
): Promise<ReadonlyMap<string, TensorValue>> => {
  const values = names.map(async (name): Promise<[string, TensorValue]> => {
    const tensor = checkpoint.tensors.get(name)!;
    return [name, { dtype: 'float32', dims: tensor.shape, data: await readTensor(tensor) }];
  });
  return new Map(await Promise.all(values));
};

/**
 * A published checkpoint made ready to be trained for its published loss: the family's forward pass, seeds in
 * their slots, and the step graph. Frozen tensors stay in the published file.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for a family whose own loss is not known, INVALID_REQUEST for targets that
 * name nothing
 * @example
 * const blueprint = { kind: 'lora', rank: 8, scaling: 1 } as const;
 * const seeds = [{ id: 'default', blueprint, targets: ['q', 'v'] }];
 * await using tuning = await openFineTuning(folder, { seeds, uniform, optimizer: { kind: 'adamw' }, threads: 2 });
 */
export const openFineTuning = async (
  folder: string,
  { seeds = [], modules, uniform, ...options }: FineTuningOptions,
): Promise<FineTuning> => {
  const checkpoint = await openCheckpoint(folder);
  const { tensors, hyperParameters } = checkpoint;
  const { family, config } = await readConfig(folder, tensors, hyperParameters);
  const objective = objectiveOf(family, config, fromCheckpoint(tensors));
  const planted = plantSeeds(objective.graph, seeds);
  const names = [...new Set(parametersOf(objective.graph).map(({ name }) => name))];
  const own = modules === undefined ? [] : namesBelow(names, modules);
  const grown = firstValues(
    planted.seeds.flatMap((seed) => seed.tensors),
    uniform,
  );
  const step = await openTrainingStep({
    ...options,
    graph: planted.graph,
    checkpoint,
    trainable: new Map([...grown, ...(await ownValues(checkpoint, own))]),
  });
  return {
    objective,
    step,
    seeds: planted.seeds,
    checkpoint,
    [Symbol.asyncDispose]: () => step[Symbol.asyncDispose](),
  };
};
