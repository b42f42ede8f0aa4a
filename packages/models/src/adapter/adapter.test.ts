import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openCheckpoint, openWeightsFile, readTensor, writeSafetensors } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { openModel } from '../open-model.ts';
import { type Values, writeAdapter } from './testing/write-adapter.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/chronos-2/lora');
const TASK = {
  series: [{ id: 'a', targets: [Float32Array.from({ length: 60 }, (_, t) => Math.sin(t / 4))] }],
  horizon: 10,
  quantiles: [0.1, 0.9],
  options: {},
};

const values = (...shape: number[]): Values => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(i) / 4),
});

/** The base with the change written into its weights. */
const writeMerged = async (path: string, change: (name: string, weight: Float32Array) => void) => {
  const base = await openCheckpoint(folder);
  const merged = new Map<string, Float32Array>();
  for (const [name, tensor] of base.tensors) {
    const weight = await readTensor(tensor);
    change(name, weight);
    merged.set(name, weight);
  }
  await writeSafetensors(
    join(path, 'model.safetensors'),
    base.tensors,
    (name) => merged.get(name)!,
  );
  await copyFile(join(folder, 'config.json'), join(path, 'config.json'));
};

const forecast = async (
  base: string,
  adapter?: string,
  precision: 'float32' | 'int8' = 'float32',
) => {
  await using model = await openModel(base, { threads: 1, adapter, precision });
  const { forecasts } = await model.forecast(TASK);
  return forecasts[0]!.targets[0]!.quantiles.flatMap((row) => Array.from(row));
};

const expectNear = (got: readonly number[], want: readonly number[], error: number): void =>
  got.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThan(error);
  });

test('a linear layer, an embedding and replaced tensors equal a base with the same in its weights', async () => {
  const [linear, table, bias] = [
    'input_patch_embedding.hidden_layer.weight',
    'shared.weight',
    'output_patch_embedding.output_layer.bias',
  ];
  const hidden = { a: values(2, 36), b: values(18, 2) };
  const shared = { a: values(2, 2), b: values(14, 2) };
  const replaced = values(13 * 12);
  const product = ({ a, b }: typeof hidden, row: number, column: number): number =>
    1.5 *
    (b.data[row * 2]! * a.data[column]! + b.data[row * 2 + 1]! * a.data[a.shape[1]! + column]!);
  await withFolder((path) =>
    withFolder(async (merged) => {
      await writeAdapter(
        path,
        {},
        {
          'base_model.model.input_patch_embedding.hidden_layer.lora_A.weight': hidden.a,
          'base_model.model.input_patch_embedding.hidden_layer.lora_B.weight': hidden.b,
          'base_model.model.shared.lora_embedding_A': shared.a,
          'base_model.model.shared.lora_embedding_B': shared.b,
          [`base_model.model.${bias}`]: replaced,
        },
      );
      await writeMerged(merged, (name, weight) => {
        for (let i = 0; i < weight.length; i++) {
          if (name === linear) weight[i]! += product(hidden, Math.floor(i / 36), i % 36);
          if (name === table) weight[i]! += product(shared, i % 14, Math.floor(i / 14));
          if (name === bias) weight[i] = replaced.data[i]!;
        }
      });
      const want = await forecast(merged);
      expectNear(await forecast(folder, path), want, 1e-4);
      expect(await forecast(folder)).not.toEqual(want);
    }),
  );
});

test('under int8 the adapter works as well', async () => {
  const exact = await forecast(folder, folder);
  expectNear(await forecast(folder, folder, 'int8'), exact, 0.2);
});

test('names tensors and shapes that do not fit the base', async () => {
  const module = 'base_model.model.input_patch_embedding.hidden_layer';
  const refusal = (config: object, tensors: Readonly<Record<string, Values>>) =>
    withFolder(async (path) => {
      await writeAdapter(path, config, tensors);
      return forecast(folder, path).then(String, (error: Error) => error.message);
    });
  expect(await refusal({}, { 'base_model.model.decoder.lora_A.weight': values(2, 14) })).toBe(
    "the adapter's tensor 'base_model.model.decoder.lora_A.weight' belongs to no tensor of the base model",
  );
  expect(await refusal({}, { [`${module}.lora_A.weight`]: values(2, 36) })).toBe(
    `the adapter has no tensor '${module}.lora_B.weight'`,
  );
  const factors = {
    [`${module}.lora_A.weight`]: values(2, 36),
    [`${module}.lora_B.weight`]: values(18, 2),
  };
  expect(await refusal({ r: 4 }, factors)).toContain(`'${module}.lora_B.weight' is [18, 2]`);
});

test('refuses a folder without the weights', async () => {
  await withFolder(async (path) => {
    await expect(openWeightsFile(path, 'adapter_model.safetensors')).rejects.toThrow(
      'holds no adapter_model.safetensors',
    );
  });
});
