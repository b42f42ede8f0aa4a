import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type TensorSpec, writeSafetensors } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { openModel } from '@tollama/models';
import { expect, test } from 'vitest';
import { savedName } from '../slots/seed.ts';
import { openFineTuning } from './open-fine-tuning.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

const uniform = (): (() => number) => {
  let state = 7;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
};

const LORA = { kind: 'lora', rank: 4, scaling: 2 } as const;
const SEEDS = [{ id: 'default', blueprint: LORA, targets: ['q', 'v'] }] as const;
const BASE = { optimizer: { kind: 'adamw' }, clipNorm: 1, threads: 1 } as const;

const series = (i: number) => Float32Array.from({ length: 90 }, (_, t) => Math.sin(t / 3 + i) + i);

const windows = (length: number) =>
  [0, 1, 2].map((i) => ({
    context: series(i).subarray(0, length),
    target: series(i).subarray(length),
  }));

type Options = Parameters<typeof openFineTuning>[1];

/** Losses before and after some steps. */
const train = async (options: Omit<Options, 'uniform' | keyof typeof BASE>, steps = 12) => {
  const tuning = await openFineTuning(folder, { ...BASE, ...options, uniform: uniform() });
  const batch = tuning.objective.feeds(windows(48));
  const before = (await tuning.step.evaluate(batch)).loss;
  for (let i = 0; i < steps; i++) (await tuning.step.run(batch, { learningRate: 0.02 })).commit();
  return { tuning, before, after: (await tuning.step.evaluate(batch)).loss };
};

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test.each([
  ['lora', { seeds: SEEDS }],
  [
    'bottleneck',
    { seeds: [{ id: 'b', blueprint: { kind: 'bottleneck', width: 3 }, targets: ['wo'] }] },
  ],
  ['head', { modules: ['output_patch_embedding'] }],
  ['full', { modules: 'all-linear' }],
] as const)('%s training of a published family brings its loss down', async (_, options) => {
  const weights = join(folder, 'model.safetensors');
  const published = await hashOf(weights);
  const { tuning, before, after } = await train(options);
  await using _step = tuning;
  expect(after).toBeLessThan(before * 0.97);
  expect(await hashOf(weights)).toBe(published);
});

test('a trained adapter gives the same forecast when it is opened in PEFT form', async () => {
  const { tuning } = await train({ seeds: SEEDS });
  await using _step = tuning;
  const context = series(1).subarray(0, 48);
  const task = {
    series: [{ id: 'a', targets: [context] }],
    horizon: 8,
    quantiles: [0.1, 0.5],
    options: {},
  };
  const batch = tuning.objective.feeds([{ context, target: [] }]);
  const { outputs } = await tuning.step.evaluate(batch);
  const [, levels, horizon] = outputs.quantiles!.dims as readonly [number, number, number];
  await withFolder(async (path) => {
    const parameters = [...tuning.step.state().parameters].map(
      ([name, value]) => [savedName(name, 'default'), value] as const,
    );
    const specs = new Map(
      parameters.map(([name, { dims }]): [string, TensorSpec] => [
        name,
        { dtype: 'float32', shape: dims },
      ]),
    );
    const file = join(path, 'adapter_model.safetensors');
    const data = new Map(parameters);
    await writeSafetensors(file, specs, (name) => data.get(name)!.data);
    const config = { peft_type: 'LORA', r: LORA.rank, lora_alpha: LORA.rank * LORA.scaling };
    await writeFile(join(path, 'adapter_config.json'), JSON.stringify(config));
    await using model = await openModel(folder, { threads: 1, adapter: path });
    const { forecasts } = await model.forecast(task);
    const { quantiles } = forecasts[0]!.targets[0]!;
    // Levels of the checkpoint are 0.1 ... 0.9.
    [0, (levels - 1) / 2].forEach((level, i) => {
      for (let h = 0; h < Math.min(8, horizon); h++) {
        const want = Number(outputs.quantiles!.data[level * horizon + h]);
        expect(quantiles[i]![h]).toBeCloseTo(want, 4);
      }
    });
  });
});

test('names a family whose own loss is not known', async () => {
  const other = resolve(folder, '../../chronos-2/lora');
  await expect(openFineTuning(other, { ...BASE, uniform: uniform() })).rejects.toThrow(
    'the published loss of chronos-2 is not known',
  );
});
