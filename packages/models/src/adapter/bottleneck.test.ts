import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openCheckpoint, type TensorSpec, writeSafetensors } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');
const MODULE = 'output_patch_embedding.output_layer';

const writeAdapter = async (path: string, module: string, up: number): Promise<void> => {
  const config = { peft_type: 'BOTTLENECK', r: 2 };
  await writeFile(join(path, 'adapter_config.json'), JSON.stringify(config));
  const base = await openCheckpoint(folder);
  const out = base.tensors.get(`${MODULE}.weight`)!.shape[0]!;
  const specs = new Map<string, TensorSpec>([
    [`base_model.model.${module}.bottleneck_down.weight`, { dtype: 'float32', shape: [2, out] }],
    [`base_model.model.${module}.bottleneck_up.weight`, { dtype: 'float32', shape: [out, 2] }],
  ]);
  await writeSafetensors(join(path, 'adapter_model.safetensors'), specs, (name) =>
    name.includes('_down')
      ? Float32Array.from({ length: 2 * out }, (_, i) => (i < out ? 0.1 : -0.1))
      : new Float32Array(2 * out).fill(up),
  );
};

const forecast = async (adapter?: string): Promise<number[]> => {
  await using model = await openModel(folder, { threads: 1, adapter });
  const { forecasts } = await model.forecast({
    series: [{ id: 'a', targets: [Float32Array.from({ length: 60 }, (_, t) => Math.sin(t / 4))] }],
    horizon: 6,
    quantiles: [0.1, 0.9],
    options: {},
  });
  return Array.from(forecasts[0]!.targets[0]!.mean);
};

test('one whose second layer is 0 changes no bit, another one does', async () => {
  await withFolder(async (path) => {
    await writeAdapter(path, MODULE, 0);
    expect(await forecast(path)).toEqual(await forecast());
    await writeAdapter(path, MODULE, 0.5);
    expect(await forecast(path)).not.toEqual(await forecast());
  });
});

test('a layer that the base has not is named', async () => {
  await withFolder(async (path) => {
    await writeAdapter(path, 'nowhere', 0);
    await expect(forecast(path)).rejects.toThrow(
      "'base_model.model.nowhere.bottleneck_down.weight'",
    );
  });
});
