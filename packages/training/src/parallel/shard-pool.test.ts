import { fileURLToPath } from 'node:url';
import type { Feeds } from '@tollama/graph';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addShare } from '../step/gradient-shards.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { openTinyStep, tinyBatches } from '../testing/tiny-training.ts';
import { ShardPool } from './shard-pool.ts';

const PROGRAM = fileURLToPath(new URL('../testing/tiny-shard-worker.ts', import.meta.url));
const STEPS = 6;
const MICRO_BATCHES = 5;

const openPool = async (count: number, ...own: string[]) => {
  await using step = await openTinyStep();
  const events: string[] = [];
  const report = (name: string): void => void events.push(name);
  const shared = { count, program: PROGRAM, arguments: own, shapes: step.parameters };
  return { pool: new ShardPool({ ...shared, report }), events };
};

const batchesOf = (): (() => readonly Feeds[]) => {
  const source = tinyBatches();
  return () => Array.from({ length: MICRO_BATCHES }, () => source.next()[0]!);
};

const bitsOf = (step: TrainingStep): string => {
  const { parameters, moments } = step.state();
  const all = [...parameters, ...moments].map(([name, { data }]) => [
    name,
    Buffer.from((data as Float32Array).slice().buffer).toString('hex'),
  ]);
  return JSON.stringify(all);
};

/** Trains; what each step showed and where it ended. */
const train = async (pool?: ShardPool, onStep: (step: number) => void = () => {}) => {
  await using step = await openTinyStep(pool);
  const next = batchesOf();
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const running = step.run(next(), { learningRate: 0.02 });
    onStep(i);
    const result = await running;
    losses.push(result.loss, result.gradientNorm);
    result.commit();
  }
  return { losses, bits: bitsOf(step) };
};

test('any number of processes gives the bits of a step that computes all itself', async () => {
  const alone = await train();
  for (const count of [1, 2, 3]) {
    const { pool } = await openPool(count);
    await using _ = pool;
    expect(await train(pool)).toEqual(alone);
  }
});

test('a process that is killed changes no bit: its batch goes to another one', async () => {
  const alone = await train();
  const { pool, events } = await openPool(2);
  await using _ = pool;
  const killed = await train(pool, (step) => {
    if (step % 2 === 1) process.kill(pool.processIds[0]!, 'SIGKILL');
  });
  expect(killed).toEqual(alone);
  expect(events).toEqual(['training.worker_died', 'training.worker_died', 'training.worker_died']);
  expect(pool.processIds).toHaveLength(2);
});

test('processes that die over the same batch again and again end the step', async () => {
  const { pool } = await openPool(1, 'dies');
  await using _ = pool;
  await expect(train(pool)).rejects.toThrow('3 processes died over one batch: exit code 7');
});

test('a program that does not even start is not started for ever', async () => {
  const { pool, events: deaths } = await openPool(2, 'never');
  await using _ = pool;
  await expect(train(pool)).rejects.toThrow(/processes (died|of the training do not live)/);
  expect(deaths.length).toBeLessThanOrEqual(6 + 2);
});

test('what goes wrong within a process is told as it is', async () => {
  const { pool } = await openPool(2);
  await using _ = pool;
  await using step = await openTinyStep(pool);
  const wrong: Feeds = { nothing: { dtype: 'float32', dims: [1], data: new Float32Array(1) } };
  await expect(step.run([wrong, wrong], { learningRate: 0.1 })).rejects.toThrow('nothing');
  expect(pool.processIds).toHaveLength(2);
});

test('sums are rounded as float32 arithmetic rounds them', () => {
  const float = fc.float({ noNaN: true, min: -100, max: 100 });
  fc.assert(
    fc.property(float, float, fc.integer({ min: 1, max: 9 }), (before, part, count) => {
      const sum = Float32Array.of(before);
      addShare(sum, Float32Array.of(part), 1 / count);
      const product = Float32Array.of(Math.fround(1 / count) * Math.fround(part))[0]!;
      expect(sum[0]).toBe(Float32Array.of(Math.fround(before) + product)[0]);
    }),
  );
});
