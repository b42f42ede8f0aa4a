/** What of a model is trained: seeds in its linear layers, its head, or all of it. */
import { TollamaError } from '@tollama/core/errors';
import type { JobOptions } from '@tollama/core/training-job';
import {
  type Checkpoint,
  fromCheckpoint,
  type Graph,
  isFloat,
  openCheckpoint,
  parametersOf,
  readTensor,
  type TensorSpec,
  type TensorValue,
} from '@tollama/graph';
import { FAMILIES, readConfig } from '@tollama/models';
import type { Family, FamilyTraining, TrainingWish } from '@tollama/models/family';
import { RandomStream } from '../data/random-stream.ts';
import { hostRowNorms } from '../slots/dora.ts';
import { firstValues, type PlantedSeed, plantSeeds } from '../slots/plant.ts';
import type { SeedBlueprint } from '../slots/seed.ts';
import { withForecastLoss } from './forecast-loss.ts';

/** PEFT's name of the adapter that is written when nobody names one. */
export const SEED_ID = 'default';

export interface TrainableModel {
  /** With outputs loss and quantiles. */
  readonly graph: Graph;
  /** First values, by name. */
  readonly trainable: ReadonlyMap<string, TensorValue>;
  /** The planted seed, of adapters that are one. */
  readonly seed: PlantedSeed | undefined;
}

export interface ModelParts {
  readonly family: Family;
  readonly config: unknown;
  readonly training: FamilyTraining;
  readonly checkpoint: Checkpoint;
}

/** LoRA's alpha: twice the rank where the user says nothing. */
export const loraAlpha = ({ lora_alpha, rank }: JobOptions): number => lora_alpha ?? 2 * rank;

export const loraScaling = (options: JobOptions): number =>
  loraAlpha(options) / (options.use_rslora ? Math.sqrt(options.rank) : options.rank);

const blueprintOf = (options: JobOptions): SeedBlueprint =>
  options.adapter === 'bottleneck'
    ? { kind: 'bottleneck', width: options.rank }
    : {
        kind: options.adapter === 'dora' ? 'dora' : 'lora',
        rank: options.rank,
        scaling: loraScaling(options),
      };

const forwardOf = (
  { family, config, training }: ModelParts,
  tensors: ReadonlyMap<string, TensorSpec>,
): Graph => {
  const graphs = family.graphs(config, fromCheckpoint(tensors), (_, tensor) => tensor);
  return graphs[training.graph]!;
};

const withSeed = async (parts: ModelParts, options: JobOptions): Promise<TrainableModel> => {
  const targets = options.target_modules ?? parts.training.targets;
  const planted = plantSeeds(forwardOf(parts, parts.checkpoint.tensors), [
    { id: SEED_ID, blueprint: blueprintOf(options), targets },
  ]);
  const random = RandomStream.of(options.seed);
  const [seed] = planted.seeds;
  const norms = await hostRowNorms(seed!.tensors, parts.checkpoint);
  return {
    graph: withForecastLoss(planted.graph, parts.training, options.loss),
    trainable: firstValues(seed!.tensors, () => random.uniform(), norms),
    seed,
  };
};

/** Trains tensors of the checkpoint themselves, as float32 whatever it stores. */
const withOwnTensors = async (
  parts: ModelParts,
  { loss }: JobOptions,
  isTrained: (name: string) => boolean,
): Promise<TrainableModel> => {
  const { tensors } = parts.checkpoint;
  const specs = new Map<string, TensorSpec>(
    [...tensors].map(([name, spec]) => [
      name,
      isTrained(name) && isFloat(spec.dtype) ? { dtype: 'float32', shape: spec.shape } : spec,
    ]),
  );
  const graph = withForecastLoss(forwardOf(parts, specs), parts.training, loss);
  const names = [...new Set(parametersOf(graph).map(({ name }) => name))].filter(isTrained);
  const trainable = new Map<string, TensorValue>();
  for (const name of names.toSorted()) {
    const tensor = tensors.get(name)!;
    const data = await readTensor(tensor);
    trainable.set(name, { dtype: 'float32', dims: tensor.shape, data });
  }
  return { graph, trainable, seed: undefined };
};

/** @throws TollamaError INVALID_REQUEST when the adapter finds no place in the model */
export const trainableModel = async (
  parts: ModelParts,
  options: JobOptions,
): Promise<TrainableModel> => {
  switch (options.adapter) {
    case 'lora':
    case 'dora':
    case 'bottleneck':
      return withSeed(parts, options);
    case 'head':
      return withOwnTensors(parts, options, (name) => parts.training.head.test(name));
    case 'full':
      return withOwnTensors(parts, options, () => true);
  }
};

/** Families that can be trained, by name. */
export const trainedFamilies = (): readonly string[] =>
  FAMILIES.filter(({ training }) => training).map(({ name }) => name);

/** @throws TollamaError MODEL_UNSUPPORTED for a family that says not how */
const trainingOf = (family: Family, config: unknown, wish: TrainingWish): FamilyTraining => {
  if (family.training) return family.training(config, wish);
  throw new TollamaError('MODEL_UNSUPPORTED', `models of family ${family.name} are not trained`, {
    hint: `train a model of family ${trainedFamilies().join(', ')}`,
  });
};

/** @throws TollamaError MODEL_UNSUPPORTED for a checkpoint whose family is not trained */
export const openModelParts = async (folder: string, wish: TrainingWish): Promise<ModelParts> => {
  const checkpoint = await openCheckpoint(folder);
  const { tensors, hyperParameters } = checkpoint;
  const { family, config } = await readConfig(folder, tensors, hyperParameters);
  return { family, config, training: trainingOf(family, config, wish), checkpoint };
};
