import type { Feeds } from '@tollama/graph';
import { expect, test } from 'vitest';
import type { StepResult, TrainingStep } from '../step/training-step.ts';
import { openTinyStep, tinyBatches } from '../testing/tiny-training.ts';
import {
  findLearningRate,
  SWEEP_DEFAULTS,
  steepestRate,
  sweptRate,
} from './learning-rate-finder.ts';

/** A step whose losses are told. */
const scripted = (losses: readonly number[]) => {
  const rates: number[] = [];
  let commits = 0;
  const step = {
    run: async (_: readonly Feeds[], { learningRate }: { learningRate: number }) => {
      const loss = losses[rates.length]!;
      rates.push(learningRate);
      const commit = () => void commits++;
      return { loss, gradientNorm: 1, finite: Number.isFinite(loss), commit } as StepResult;
    },
    state: () => ({ parameters: new Map(), moments: new Map(), step: 0 }),
    load: () => {},
  } as unknown as TrainingStep;
  return { step, rates, commits: () => commits };
};

test('rates grow by one factor from the lowest to the highest', () => {
  const sweep = { ...SWEEP_DEFAULTS, lowest: 1e-4, highest: 1, steps: 5 };
  const rates = [0, 1, 2, 3, 4].map((i) => sweptRate(sweep, i));
  rates.forEach((rate, i) => {
    expect(rate).toBeCloseTo(10 ** (i - 4), 12);
  });
});

test('the suggestion is where the loss falls fastest over the logarithm of the rate', () => {
  const rates = Array.from({ length: 81 }, (_, i) => 10 ** (-8 + i / 10));
  // A sigmoid in log10(rate) falls fastest in its middle.
  const losses = rates.map((rate) => 1 / (1 + Math.exp(4 * (Math.log10(rate) + 3))));
  const none = { skipBegin: 0, skipEnd: 0 };
  expect(steepestRate(rates, losses, none)).toBeCloseTo(1e-3, 9);
  expect(steepestRate(rates, losses.with(50, Number.NaN), none)).toBeGreaterThan(5e-4);
  expect(steepestRate(rates, losses, { skipBegin: 60, skipEnd: 0 })).toBeCloseTo(1e-2, 9);
  expect(steepestRate(rates.slice(0, 11), losses.slice(0, 11), SWEEP_DEFAULTS)).toBeUndefined();
});

test('losses are exponential means, and a loss that runs away ends the sweep', async () => {
  const losses = [1, 1, 0.9, 0.8, 50, 60, 70];
  const { step, rates, commits } = scripted(losses);
  const swept = await findLearningRate(step, { next: () => [] }, { smoothing: 0.5 });
  const mean = (count: number): number => {
    const weights = losses.slice(0, count).map((_, i) => 0.5 ** (count - i));
    const sum = weights.reduce((total, weight, i) => total + weight * losses[i]!, 0);
    return sum / weights.reduce((a, b) => a + b);
  };
  swept.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(mean(i + 1), 12);
  });
  expect(swept.hasDiverged).toBe(true);
  expect(rates).toHaveLength(5);
  expect(commits()).toBe(5);
});

test('a step that is not finite is not taken over, and ends the sweep', async () => {
  const { step, commits } = scripted([1, 1, Number.NaN]);
  expect(await findLearningRate(step, { next: () => [] })).toMatchObject({ hasDiverged: true });
  expect(commits()).toBe(2);
});

test('a real sweep leaves the step as it was, bit for bit, and finds the same again', async () => {
  await using step = await openTinyStep();
  const batches = tinyBatches();
  for (let i = 0; i < 3; i++) (await step.run(batches.next(), { learningRate: 0.01 })).commit();
  const bits = () => {
    const { parameters, moments, step: count } = step.state();
    const all = [...parameters, ...moments].map(([name, { data }]) => [
      name,
      [...(data as Float32Array)],
    ]);
    return JSON.stringify([count, all]);
  };
  const before = bits();
  const find = async () => {
    const own = tinyBatches();
    const [probe] = own.next();
    const lossOf = async () => (await step.evaluate(probe!)).loss;
    return findLearningRate(step, { next: () => own.next(), lossOf }, { smoothing: 0.5 });
  };
  const first = await find();
  expect(bits()).toBe(before);
  expect(await find()).toEqual(first);
  expect(first.suggestion).toBeGreaterThan(1e-3);
  expect(first.suggestion).toBeLessThan(1);
});
