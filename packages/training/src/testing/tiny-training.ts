/** A training that takes milliseconds: a perceptron that forecasts a sine, with everything that a real one has. */
import { join } from 'node:path';
import {
  add,
  affine,
  defineGraph,
  type Feeds,
  input,
  mean,
  mul,
  parameter,
  relu,
  sub,
  type TensorValue,
} from '@tollama/graph';
import { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import { systemClock } from '../clock/clock.ts';
import { RandomStream } from '../data/random-stream.ts';
import { WindowSampler } from '../data/sampler.ts';
import { cutWindows, planWindows } from '../data/windows.ts';
import type { GradientShards } from '../step/gradient-shards.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { Trainer } from '../trainer/trainer.ts';
import {
  type BatchSource,
  TRAINER_DEFAULTS,
  type TrainerOptions,
  type TrainerParts,
} from '../trainer/trainer-options.ts';

const CONTEXT = 8;
const HORIZON = 4;
const WIDTH = 16;
const BATCH = 8;

const forward = () => {
  const context = input('context', ['batch', CONTEXT]);
  const label = input('label', ['batch', HORIZON]);
  const first = parameter('first.weight', [WIDTH, CONTEXT], 'float32');
  const second = parameter('second.weight', [HORIZON, WIDTH], 'float32');
  const bias = parameter('second.bias', [HORIZON], 'float32');
  const error = sub(add(affine(relu(affine(context, first)), second), bias), label);
  return defineGraph('tiny', [context, label], { loss: mean(mul(error, error), [0, 1]) });
};

const values = (random: RandomStream, ...dims: number[]): TensorValue => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    () => random.uniform() - 0.5,
  ),
});

export const openTinyStep = (shards?: GradientShards): Promise<TrainingStep> => {
  const random = RandomStream.of(3);
  return openTrainingStep({
    graph: forward(),
    trainable: new Map([
      ['first.weight', values(random, WIDTH, CONTEXT)],
      ['second.weight', values(random, HORIZON, WIDTH)],
      ['second.bias', values(random, HORIZON)],
    ]),
    optimizer: { kind: 'adamw' },
    clipNorm: 1,
    threads: 1,
    shards,
  });
};

const tinyPlan = () => {
  const sine = Float32Array.from({ length: 400 }, (_, t) => Math.sin(t / 5) + Math.sin(t / 17));
  const options = { context: CONTEXT, horizon: HORIZON, shortestContext: CONTEXT };
  return planWindows([{ id: 'sine', values: sine }], { ...options, validationWindows: 4 });
};

const feedsOf = (batch: ReturnType<typeof cutWindows>): Feeds => ({
  context: { dtype: 'float32', dims: [batch.size, CONTEXT], data: batch.contexts },
  label: { dtype: 'float32', dims: [batch.size, HORIZON], data: batch.labels },
});

/** @param spoil changes the batch of that number (from 1) */
export const tinyBatches = (spoil?: (batch: number, feeds: Feeds) => void): BatchSource => {
  const plan = tinyPlan();
  const sampler = new WindowSampler(plan, 5);
  return {
    next: () => {
      const feeds = feedsOf(cutWindows(plan, sampler.draw(BATCH)));
      spoil?.(sampler.drawn / BATCH, feeds);
      return [feeds];
    },
    state: () => sampler.state(),
    load: (state) => sampler.load(state),
  };
};

export const validateTiny = async (step: TrainingStep) => {
  const plan = tinyPlan();
  const { loss } = await step.evaluate(feedsOf(cutWindows(plan, plan.validation)));
  return { loss };
};

export const tinyOptions = (folder: string): TrainerOptions => ({
  ...TRAINER_DEFAULTS,
  folder: join(folder, 'checkpoints'),
  schedule: { kind: 'warmup_cosine', warmup_steps: 5, total_steps: 60, cycles: 0.5 },
  learningRate: 0.02,
  epochs: 6,
  stepsPerEpoch: 10,
  averageDecay: 0.9,
  checkpointEvery: 4,
  configHash: 'tiny',
});

export interface TinyTraining extends AsyncDisposable {
  readonly trainer: Trainer;
  readonly step: TrainingStep;
  readonly telemetry: Telemetry;
}

/** Parts and options may be replaced one by one. */
export const openTinyTraining = async (
  folder: string,
  options: Partial<TrainerOptions> = {},
  replaced: Partial<TrainerParts> = {},
): Promise<TinyTraining> => {
  const step = replaced.step ?? (await openTinyStep());
  const thread = new CheckpointThread();
  const telemetry = new Telemetry({
    runId: 'tiny',
    now: systemClock.now,
    wall: () => new Date(0),
  });
  const parts = { step, thread, telemetry, clock: systemClock, batches: tinyBatches() };
  const trainer = new Trainer(
    { ...parts, validate: validateTiny, ...replaced },
    { ...tinyOptions(folder), ...options },
  );
  return {
    trainer,
    step,
    telemetry,
    async [Symbol.asyncDispose]() {
      await thread[Symbol.asyncDispose]();
      await step[Symbol.asyncDispose]();
    },
  };
};
