import {
  add,
  affine,
  defineGraph,
  type Graph,
  input,
  mean,
  mul,
  parameter,
  relu,
  sub,
  type TensorValue,
} from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { openTrainingStep } from './open-training-step.ts';
import type { OptimizerOptions } from './optimizer.ts';

/** A perceptron on two inputs, trained to give their product. */
const perceptron = (): Graph => {
  const x = input('x', ['batch', 2]);
  const y = input('y', ['batch', 1]);
  const hidden = relu(
    affine(
      x,
      parameter('hidden.weight', [16, 2], 'float32'),
      parameter('hidden.bias', [16], 'float32'),
    ),
  );
  const out = add(
    affine(hidden, parameter('out.weight', [1, 16], 'float32')),
    parameter('out.bias', [1], 'float32'),
  );
  const error = sub(out, y);
  return defineGraph('perceptron', [x, y], { loss: mean(mul(error, error), [0, 1]), out });
};

const waves = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(i * 2.7 + phase));

const trainable = (): ReadonlyMap<string, TensorValue> =>
  new Map([
    ['hidden.weight', tensorOf([16, 2], waves(32, 0))],
    ['hidden.bias', tensorOf([16], waves(16, 1))],
    [
      'out.weight',
      tensorOf(
        [1, 16],
        waves(16, 2).map((x) => x / 4),
      ),
    ],
    ['out.bias', tensorOf([1], [0])],
  ]);

const batchOf = (count: number, phase = 0) => {
  const x = waves(2 * count, phase);
  const y = Array.from({ length: count }, (_, i) => x[2 * i]! * x[2 * i + 1]!);
  return { x: tensorOf([count, 2], x), y: tensorOf([count, 1], y) };
};

const open = (optimizer: OptimizerOptions, clipNorm?: number) =>
  openTrainingStep({
    graph: perceptron(),
    trainable: trainable(),
    optimizer,
    clipNorm,
    threads: 1,
  });

const RATES: readonly (readonly [OptimizerOptions, number])[] = [
  [{ kind: 'adamw' }, 0.02],
  [{ kind: 'sgd', momentum: 0.9, nesterov: true }, 0.03],
  [{ kind: 'muon', others: { rate: 1 } }, 0.02],
];

test.each(RATES)('$0.kind brings the loss down', async (optimizer, learningRate) => {
  await using step = await open(optimizer, 1);
  const batch = batchOf(32);
  const first = (await step.evaluate(batch)).loss;
  for (let i = 0; i < 60; i++) (await step.run(batch, { learningRate })).commit();
  expect((await step.evaluate(batch)).loss).toBeLessThan(first / 5);
  expect(step.state().step).toBe(60);
});

test.each<readonly [OptimizerOptions, OptimizerOptions]>([
  [{ kind: 'adamw' }, { kind: 'adamw', betas: [0.7, 0.999] }],
  [
    { kind: 'sgd', momentum: 0.9 },
    { kind: 'sgd', momentum: 0.7 },
  ],
  [{ kind: 'muon' }, { kind: 'muon', momentum: 0.7, others: { betas: [0.7, 0.999] } }],
])(
  'a momentum that a schedule moves takes the place of the own one of $0.kind',
  async (own, like) => {
    await using moved = await open(own, 1);
    await using fixed = await open(like, 1);
    for (let i = 0; i < 3; i++) {
      (await moved.run(batchOf(8, i), { learningRate: 0.01, momentum: 0.7 })).commit();
      (await fixed.run(batchOf(8, i), { learningRate: 0.01 })).commit();
    }
    for (const [name, { data }] of fixed.state().parameters) {
      expect(moved.state().parameters.get(name)!.data).toEqual(data);
    }
  },
);

test('micro-batches give the step of the whole batch', async () => {
  await using whole = await open({ kind: 'adamw' }, 0.1);
  await using split = await open({ kind: 'adamw' }, 0.1);
  const batches = [batchOf(4, 0), batchOf(4, 3)];
  const joined = {
    x: tensorOf(
      [8, 2],
      batches.flatMap(({ x }) => Array.from(x.data, Number)),
    ),
    y: tensorOf(
      [8, 1],
      batches.flatMap(({ y }) => Array.from(y.data, Number)),
    ),
  };
  for (let i = 0; i < 3; i++) {
    const a = await whole.run(joined, { learningRate: 0.01 });
    const b = await split.run(batches, { learningRate: 0.01 });
    expect(b.loss).toBeCloseTo(a.loss, 6);
    expect(b.gradientNorm).toBeCloseTo(a.gradientNorm, 5);
    a.commit();
    b.commit();
  }
  for (const [name, { data }] of whole.state().parameters) {
    const other = split.state().parameters.get(name)!.data as Float32Array;
    (data as Float32Array).forEach((value, i) => {
      expect(other[i]).toBeCloseTo(value, 4);
    });
  }
});

const snapshot = (step: Awaited<ReturnType<typeof open>>) => structuredClone(step.state());

test('nothing changes before a commit, and a loaded state goes on bit for bit', async () => {
  await using step = await open({ kind: 'adamw' });
  const batch = batchOf(8);
  const start = snapshot(step);
  const lost = await step.run(batch, { learningRate: 0.1 });
  expect(step.state()).toEqual(start);
  const taken = await step.run(batch, { learningRate: 0.1 });
  expect(() => lost.commit()).toThrow('only the last step');
  taken.commit();
  expect(() => taken.commit()).toThrow('only the last step');
  const after = snapshot(step);
  expect(after).not.toEqual(start);
  step.load(start);
  (await step.run(batch, { learningRate: 0.1 })).commit();
  expect(step.state()).toEqual(after);
});

test('a step that is not finite is refused', async () => {
  await using step = await open({ kind: 'adamw' });
  const start = snapshot(step);
  const { x } = batchOf(2);
  const result = await step.run({ x, y: tensorOf([2, 1], [Number.NaN, 1]) }, { learningRate: 0.1 });
  expect(result.finite).toBe(false);
  expect(() => result.commit()).toThrow('not finite');
  expect(step.state()).toEqual(start);
});

test('names what does not fit', async () => {
  await using step = await open({ kind: 'adamw' });
  const state = step.state();
  const parameters = new Map(state.parameters).set('out.bias', tensorOf([2], [0, 0]));
  expect(() => step.load({ ...state, parameters })).toThrow(
    "the state's tensor 'out.bias' is float32[2], expected float32[1]",
  );
  const unknown = new Map(trainable()).set('nowhere', tensorOf([1], [0]));
  await expect(
    openTrainingStep({
      graph: perceptron(),
      trainable: unknown,
      optimizer: { kind: 'adamw' },
      threads: 1,
    }),
  ).rejects.toThrow("has no parameter 'nowhere' to train");
});
