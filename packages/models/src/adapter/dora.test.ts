import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openCheckpoint, readTensor } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { describe, expect, test } from 'vitest';
import { openModel } from '../open-model.ts';
import { mergeAdapter } from './merge-adapter.ts';
import { writeAdapter } from './testing/write-adapter.ts';
import { writeMerged } from './write-merged.ts';

/** Written by PEFT 0.21.2: a linear layer q and an embedding e, with what `merge_and_unload` makes of them. */
const FROM_PEFT = resolve(import.meta.dirname, 'testing/dora');
const BASE = resolve(import.meta.dirname, '../../../../golden/chronos-2/lora');
const HIDDEN = 'input_patch_embedding.hidden_layer';

const forecast = async (base: string, adapter?: string): Promise<number[]> => {
  await using model = await openModel(base, { threads: 1, adapter });
  const { forecasts } = await model.forecast({
    series: [{ id: 'a', targets: [Float32Array.from({ length: 60 }, (_, t) => Math.sin(t / 4))] }],
    horizon: 10,
    quantiles: [0.1, 0.9],
    options: {},
  });
  return forecasts[0]!.targets[0]!.quantiles.flatMap((row) => Array.from(row));
};

const waves = (...shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(i) / 4),
});

const lengths = (count: number) => ({
  shape: [count],
  data: Float32Array.from({ length: count }, (_, i) => 1 + i / count),
});

test('merged weights are those of PEFT, of a linear layer and of an embedding', async () => {
  const merged = await mergeAdapter(FROM_PEFT, await openCheckpoint(FROM_PEFT));
  const { merged: wanted } = JSON.parse(await readFile(join(FROM_PEFT, 'expected.json'), 'utf8'));
  expect([...merged.keys()].toSorted()).toEqual(['e.weight', 'q.weight']);
  for (const [name, weight] of merged) {
    weight.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[name][i], 5);
    });
  }
});

describe('an adapter over a model', () => {
  const module = `base_model.model.${HIDDEN}`;
  const tensors = {
    [`${module}.lora_A.weight`]: waves(2, 36),
    [`${module}.lora_B.weight`]: waves(18, 2),
    [`${module}.lora_magnitude_vector`]: lengths(18),
    'base_model.model.shared.lora_embedding_A': waves(2, 2),
    'base_model.model.shared.lora_embedding_B': waves(14, 2),
    'base_model.model.shared.lora_magnitude_vector': lengths(14),
  };

  test('is served as it is merged, and leaves its base as it was', async () => {
    await withFolder((path) =>
      withFolder(async (merged) => {
        await writeAdapter(path, { use_dora: true }, tensors);
        const base = await openCheckpoint(BASE);
        await writeMerged(base, path, merged);
        const [served, want] = [await forecast(BASE, path), await forecast(merged)];
        served.forEach((value, i) => {
          expect(Math.abs(value - want[i]!)).toBeLessThan(1e-4);
        });
        expect(served).not.toEqual(await forecast(BASE));
        const rows = await readTensor(
          (await openCheckpoint(merged)).tensors.get(`${HIDDEN}.weight`)!,
        );
        for (let row = 0; row < 18; row++) {
          const length = Math.hypot(...rows.subarray(row * 36, (row + 1) * 36));
          expect(length).toBeCloseTo(1 + row / 18, 5);
        }
      }),
    );
  });

  test('without its magnitudes, or with ones that belong nowhere, is refused by name', async () => {
    const refusal = (config: object, kept: (name: string) => boolean) =>
      withFolder(async (path) => {
        const own = Object.entries(tensors).filter(([name]) => kept(name));
        await writeAdapter(path, config, Object.fromEntries(own));
        return forecast(BASE, path).then(String, (error: Error) => error.message);
      });
    const magnitude = `${module}.lora_magnitude_vector`;
    const dora = { use_dora: true };
    expect(await refusal(dora, (name) => name !== magnitude)).toContain(`no tensor '${magnitude}'`);
    expect(await refusal(dora, (name) => name === magnitude)).toContain(`'${magnitude}' has no`);
    expect(await refusal({}, () => true)).toContain(`'${magnitude}' belongs to no tensor`);
  });
});
