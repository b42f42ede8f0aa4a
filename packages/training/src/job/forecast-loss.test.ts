import type { TrainingLoss } from '@tollama/core/training-job';
import { defineGraph, input, mul, parameter, rearrange, type TensorValue } from '@tollama/graph';
import type { FamilyTraining, PointLoss } from '@tollama/models/family';
import { expect, test } from 'vitest';
import { openTrainingStep } from '../step/open-training-step.ts';
import { lossFeeds, spreadOf, withForecastLoss } from './forecast-loss.ts';

/** Forecasts the last two values times one gain, as the only level. */
const trainingOf = (more: Partial<FamilyTraining>): FamilyTraining => ({
  graph: 'forward',
  contextLength: 2,
  shortestContext: 1,
  horizon: 2,
  levels: [0.25],
  quantiles: (outputs) => outputs.get('y')!,
  feeds: (contexts, size) => ({
    context: { dtype: 'float32', dims: [size, 2], data: contexts },
  }),
  targets: 'all-linear',
  head: /gain/,
  ...more,
});

const gainOf = (value: number): ReadonlyMap<string, TensorValue> =>
  new Map([['gain', { dtype: 'float32', dims: [1], data: Float32Array.of(value) }]]);

const lossOf = async (
  gain: number,
  labels: readonly number[],
  more: Partial<FamilyTraining> = {},
  asked: TrainingLoss = 'default',
) => {
  const training = trainingOf(more);
  const context = input('context', ['batch', 2]);
  const y = rearrange(mul(context, parameter('gain', [1], 'float32')), 'b h -> b 1 h');
  await using step = await openTrainingStep({
    graph: withForecastLoss(defineGraph('gain', [context], { y }), training, asked),
    trainable: gainOf(gain),
    optimizer: { kind: 'sgd' },
    threads: 1,
  });
  const contexts = Float32Array.of(1, 3);
  const batch = { contexts, labels: Float32Array.from(labels), size: 1, context: 2, horizon: 2 };
  const { loss, gradients } = await step.gradients(lossFeeds(batch, training));
  return { loss, slope: gradients.get('gain')!.data[0] };
};

test('the pinball loss is the mean over known labels, in units of the spread', async () => {
  // Of the context 1, 3 the spread is 1; errors are 2 - 1 and 2 - 3.
  const { loss, slope } = await lossOf(1, [2, 2]);
  expect(loss).toBeCloseTo((2 * (0.25 * 1 + 0.75 * 1)) / 2);
  expect(slope).toBeCloseTo((2 * (-0.25 * 1 + 0.75 * 3)) / 2);
  expect((await lossOf(1, [Number.NaN, 2])).loss).toBeCloseTo(2 * 0.75);
});

test('a tie has no slope', async () => {
  expect(await lossOf(1, [1, 3])).toEqual({ loss: 0, slope: 0 });
});

test.each<[PointLoss, number]>([
  ['absolute', (1 + 3) / 2],
  ['huber', (0.5 + 2.5) / 2],
  ['squared', (1 + 9) / 2],
])('families of points: %s', async (loss, want) => {
  expect((await lossOf(1, [2, 6], { loss, levels: [0.5] })).loss).toBeCloseTo(want);
});

test('what a family scales outside of its graph comes back in units of the series', async () => {
  const units = () => ({ loc: Float32Array.of(10), scale: Float32Array.of(2) });
  expect((await lossOf(1, [12, 16], { units })).loss).toBe(0);
});

test('the spread of a constant is its size', () => {
  expect(spreadOf(Float32Array.of(-4, -4, Number.NaN))).toBe(4);
  expect(spreadOf(Float32Array.of(0, 0))).toBe(1);
  expect(spreadOf(Float32Array.of(1, 3))).toBe(1);
});

test.each<[TrainingLoss, number]>([
  ['mae', (1 + 3) / 2],
  ['mse', (1 + 9) / 2],
  ['rmse', Math.sqrt((1 + 9) / 2)],
  ['mape', (1 / 2 + 3 / 6) / 2],
  ['smape', (2 / 3 + 6 / 9) / 2],
  ['poisson', (1 + 3 - 6 * Math.log(3)) / 2],
])('%s of the point forecast, beside the quantiles around it', async (asked, want) => {
  const point: Partial<FamilyTraining> = { loss: 'squared', levels: [0.5] };
  expect((await lossOf(1, [2, 6], point, asked)).loss).toBeCloseTo(want, 5);
  // The only level is the middle one.
  expect((await lossOf(1, [2, 6], {}, asked)).loss).toBeCloseTo(want, 5);
});
