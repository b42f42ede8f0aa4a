/** Each seed's own count of steps: the optimizer's correction begins with it. */
import {
  affine,
  defineGraph,
  type Feeds,
  input,
  mean,
  mul,
  parameter,
  sub,
  type TensorValue,
} from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { firstValues, plantSeeds, type Seed } from '../slots/plant.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import { SeededStep } from './seeded-step.ts';

const waves = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(2.1 * i + phase));

const host = () => {
  const [x, y] = [input('x', ['batch', 4]), input('y', ['batch', 3])];
  const error = sub(affine(x, parameter('q.weight', [3, 4], 'float32')), y);
  return defineGraph('host', [x, y], { loss: mean(mul(error, error), [0, 1]) });
};

const BATCH: Feeds = { x: tensorOf([5, 4], waves(20, 4)), y: tensorOf([5, 3], waves(15, 5)) };
const SEED: Seed = {
  id: 'seed-1',
  blueprint: { kind: 'lora', rank: 2, scaling: 1 },
  targets: ['q'],
};
const B = 'base_model.model.q.lora_B.seed-1.weight';
const RATE = 0.01;

const open = () =>
  SeededStep.open({
    graph: host(),
    trainable: new Map([['q.weight', tensorOf([3, 4], waves(12, 0))]]),
    open: (graph, trainable, cohortOf) =>
      openTrainingStep({
        graph,
        trainable,
        cohortOf,
        optimizer: { kind: 'adamw', weightDecay: 0 },
        threads: 1,
      }),
  });

const advance = async (step: SeededStep, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) (await step.run(BATCH, { learningRate: RATE })).commit();
};

const firstOf = (): ReadonlyMap<string, TensorValue> => {
  const [seed] = plantSeeds(host(), [SEED]).seeds;
  let i = 0;
  return firstValues(seed!.tensors, () => (Math.sin(i++) + 1) / 2);
};

const numbers = (step: SeededStep, name: string): number[] =>
  Array.from(step.state().parameters.get(name)!.data, Number);

/** AdamW as written, of one tensor whose gradients are told. */
const adam = (p: readonly number[], gradients: readonly (readonly number[])[]): number[] =>
  p.map((start, i) => {
    let [value, m, v] = [start, 0, 0];
    gradients.forEach((g, t) => {
      m = 0.9 * m + 0.1 * g[i]!;
      v = 0.999 * v + 0.001 * g[i]! ** 2;
      const [mHat, vHat] = [m / (1 - 0.9 ** (t + 1)), v / (1 - 0.999 ** (t + 1))];
      value -= (RATE * mHat) / (Math.sqrt(vHat) + 1e-8);
    });
    return value;
  });

test('a seed that comes after 7 steps is corrected from its own first step on', async () => {
  await using step = await open();
  await advance(step, 7);
  step.give(firstOf());
  await step.plant([SEED]);
  expect(step.state().births).toEqual(new Map([['seed-1', 7]]));
  const start = numbers(step, B);
  const seen: number[][] = [];
  for (let i = 0; i < 4; i++) {
    const { gradients } = await step.gradients(BATCH);
    seen.push(Array.from(gradients.get(B)!.data, Number));
    await advance(step, 1);
  }
  const wanted = adam(start, seen);
  numbers(step, B).forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
});

test('a state that is loaded elsewhere brings the counts along: the same bits follow', async () => {
  await using one = await open();
  await using other = await open();
  for (const step of [one, other]) step.planOf = () => [SEED];
  await advance(one, 3);
  one.give(firstOf());
  await one.plant([SEED]);
  await advance(one, 2);
  other.load(one.state());
  expect(other.state().births).toEqual(new Map([['seed-1', 3]]));
  await advance(one, 3);
  await advance(other, 3);
  for (const name of [B, 'q.weight']) expect(numbers(other, name)).toEqual(numbers(one, name));
  expect(other.state().births).toEqual(new Map([['seed-1', 3]]));
});

test('a seed that went and came again begins again', async () => {
  await using step = await open();
  step.give(firstOf());
  await step.plant([SEED]);
  await advance(step, 2);
  await step.plant([]);
  await advance(step, 2);
  await step.plant([SEED]);
  expect(step.state().births).toEqual(new Map([['seed-1', 4]]));
});
