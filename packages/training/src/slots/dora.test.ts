import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  affine,
  concat,
  defineGraph,
  type Graph,
  input,
  mean,
  mul,
  openCheckpoint,
  openWeightsFile,
  parameter,
  readTensor,
  sub,
  type Tensor,
  type TensorValue,
} from '@tollama/graph';
import { tensorOf, withFolder, writeCheckpoint } from '@tollama/graph/testing/run-graph';
import { describe, expect, test } from 'vitest';
import { openTrainingStep } from '../step/open-training-step.ts';
import { hostRowNorms } from './dora.ts';
import { firstValues, plantSeeds, type Seed } from './plant.ts';
import { savedName } from './seed.ts';

/** Written by PEFT 0.21.2, with the gradients of torch. */
const FROM_PEFT = resolve(import.meta.dirname, '../../../models/src/adapter/testing/dora');

const weight = (name: string, ...shape: number[]): Tensor => parameter(name, shape, 'float32');

const waves = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(2.1 * i + phase));

const BATCH = { x: tensorOf([5, 4], waves(20, 4)), y: tensorOf([5, 3], waves(15, 5)) };

/** Squares of x W^T + b - y; the weight by itself, or joined with another and cut again. */
const host = (isJoined: boolean): Graph => {
  const [x, y] = [input('x', ['batch', 4]), input('y', ['batch', 3])];
  const [w, b] = [weight('q.weight', 3, 4), weight('q.bias', 3)];
  const joined = isJoined ? concat([w], 0) : w;
  const error = sub(affine(x, isJoined ? mul(joined, 1) : joined, b), y);
  return defineGraph('host', [x, y], { loss: mean(mul(error, error), [0, 1]) });
};

const dora = (options: Partial<Seed> = {}): Seed => ({
  id: 'default',
  blueprint: { kind: 'dora', rank: 2, scaling: 0.7 },
  targets: ['q'],
  ...options,
});

const PARTS = ['lora_A', 'lora_B', 'lora_magnitude_vector'] as const;
const nameOf = (part: string): string => `base_model.model.q.${part}.default.weight`;

const peftValues = async (): Promise<ReadonlyMap<string, TensorValue>> => {
  const file = await openWeightsFile(FROM_PEFT, 'adapter_model.safetensors');
  const values = PARTS.map(async (part): Promise<[string, TensorValue]> => {
    const tensor = file.tensors.get(savedName(nameOf(part), 'default'))!;
    return [nameOf(part), { dtype: 'float32', dims: tensor.shape, data: await readTensor(tensor) }];
  });
  return new Map(await Promise.all(values));
};

const gradients = async (graph: Graph, trainable: ReadonlyMap<string, TensorValue>, alpha = 1) => {
  const checkpoint = await openCheckpoint(FROM_PEFT);
  await using step = await openTrainingStep({
    graph,
    trainable,
    checkpoint,
    optimizer: { kind: 'adamw' },
    threads: 1,
  });
  return await step.gradients(BATCH, { alpha });
};

describe.each([false, true])('beside its weight: %s', (isJoined) => {
  test('loss and gradients are those of PEFT', async () => {
    const expected = JSON.parse(await readFile(join(FROM_PEFT, 'expected.json'), 'utf8'));
    const { graph } = plantSeeds(host(isJoined), [dora()]);
    const got = await gradients(graph, await peftValues());
    expect(got.loss).toBeCloseTo(expected.loss, 5);
    for (const part of PARTS) {
      Array.from(got.gradients.get(nameOf(part))!.data, Number).forEach((value, i) => {
        expect(value).toBeCloseTo(expected.gradients[nameOf(part)][i], 5);
      });
    }
  });

  test('a fresh one changes no bit; alpha 0 neither', async () => {
    const planted = plantSeeds(host(isJoined), [dora({ hasAlpha: true })]);
    const [{ tensors }] = planted.seeds as [(typeof planted.seeds)[0]];
    const norms = await hostRowNorms(tensors, await openCheckpoint(FROM_PEFT));
    const fresh = await gradients(planted.graph, firstValues(tensors, Math.random, norms));
    const grown = await gradients(planted.graph, await peftValues(), 0);
    const bias = new Map([['q.bias', tensorOf([3], waves(3, 1))]]);
    const alone = await gradients(host(isJoined), bias);
    expect([fresh.loss, grown.loss]).toEqual([alone.loss, alone.loss]);
  });
});

/** The loss in float64, with the lengths below the fraction held at those of `fixed`. */
const lossAt = (
  base: { readonly w: readonly number[]; readonly bias: readonly number[] },
  [a, b, m]: readonly (readonly number[])[],
  fixed: readonly (readonly number[])[],
): number => {
  const rows = ([u, v]: readonly (readonly number[])[]): number[][] =>
    [0, 1, 2].map((o) =>
      [0, 1, 2, 3].map(
        (i) => base.w[o * 4 + i]! + 0.7 * (v![o * 2]! * u![i]! + v![o * 2 + 1]! * u![4 + i]!),
      ),
    );
  const lengths = rows(fixed).map((row) => Math.hypot(...row));
  const changed = rows([a!, b!]).map((row, o) =>
    row.map((value) => (value * m![o]!) / lengths[o]!),
  );
  const [x, y] = [waves(20, 4), waves(15, 5)].map((values) => values.map(Math.fround));
  let sum = 0;
  for (let n = 0; n < 5; n++) {
    changed.forEach((row, o) => {
      const value = row.reduce((total, w, i) => total + w * x![n * 4 + i]!, base.bias[o]!);
      sum += (value - y![n * 3 + o]!) ** 2;
    });
  }
  return sum / 15;
};

test('gradients are the slopes of the loss with the lengths held', async () => {
  const values = await peftValues();
  const { graph } = plantSeeds(host(false), [dora()]);
  const got = await gradients(graph, values);
  const checkpoint = await openCheckpoint(FROM_PEFT);
  const read = async (name: string) => Array.from(await readTensor(checkpoint.tensors.get(name)!));
  const base = { w: await read('q.weight'), bias: await read('q.bias') };
  const at = PARTS.map((part) => Array.from(values.get(nameOf(part))!.data, Number));
  const h = 1e-5;
  PARTS.forEach((part, p) => {
    at[p]!.forEach((_, i) => {
      const moved = (by: number) => at.map((row, k) => (k === p ? row.with(i, row[i]! + by) : row));
      const slope = (lossAt(base, moved(h), at) - lossAt(base, moved(-h), at)) / (2 * h);
      expect(Number(got.gradients.get(nameOf(part))!.data[i])).toBeCloseTo(slope, 5);
    });
  });
});

test('a row of zeros stays one, without a NaN', async () => {
  await withFolder(async (folder) => {
    const rows = [...waves(8, 0), 0, 0, 0, 0];
    const checkpoint = await writeCheckpoint(folder, {
      'q.weight': tensorOf([3, 4], rows),
      'q.bias': tensorOf([3], waves(3, 1)),
    });
    const { graph, seeds } = plantSeeds(host(false), [dora()]);
    const norms = await hostRowNorms(seeds[0]!.tensors, checkpoint);
    await using step = await openTrainingStep({
      graph,
      trainable: firstValues(seeds[0]!.tensors, Math.random, norms),
      checkpoint,
      optimizer: { kind: 'adamw' },
      threads: 1,
    });
    const { loss, gradients: found } = await step.gradients(BATCH);
    expect(Number.isFinite(loss)).toBe(true);
    for (const { data } of found.values())
      expect(Array.from(data, Number)).not.toContain(Number.NaN);
  });
});
