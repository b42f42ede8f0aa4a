import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import type { TensorValue } from '@tollama/graph';
import { afterAll, describe, expect } from 'vitest';
import { openModel } from '../../open-model.ts';
import { blockLength, LEAST_TOKENS } from './causal-blocks.ts';
import { Config, farthestLag, TIME_FEATURES } from './config.ts';

const folder = resolve(import.meta.dirname, '../../../../../golden/lag-llama/tiny');
const config = Config.parse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const floats = (dims: readonly number[], at: (i: number) => number): TensorValue => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
});

const feedsOf = (tokens: number, paths: number) => ({
  values: floats([1, paths, farthestLag(config) + tokens], (i) => Math.sin(i) + Math.cos(i / 7)),
  loc: floats([1, paths], (i) => 0.1 * i),
  scale: floats([1, paths], (i) => 1 + 0.1 * i),
  calendar: floats([1, tokens, TIME_FEATURES], (i) => Math.sin(i) / 2),
});

const nothing = (paths: number): Record<string, TensorValue> => {
  const { n_layer, n_head, n_embd_per_head } = config.model_kwargs;
  const none = floats([paths, 0, n_head * n_embd_per_head], () => 0);
  const names = Array.from({ length: n_layer }, (_, i) => [`past_key_${i}`, `past_value_${i}`]);
  return Object.fromEntries(names.flat().map((name) => [name, none]));
};

describe('attention in blocks', () => {
  test.prop([fc.integer({ min: LEAST_TOKENS, max: 300 }), fc.integer({ min: 1, max: 3 })], {
    numRuns: 10,
  })('gives what attention at once gives', async (tokens, paths) => {
    const feeds = feedsOf(tokens, paths);
    const length = blockLength(tokens);
    const block = { dtype: 'int64', dims: [length], data: new BigInt64Array(length) } as const;
    const names = ['df', 'p_loc', 'p_scale'];
    const whole = await model.run('forward', { ...feeds, ...nothing(paths) }, names);
    const parts = await model.run('blocks', { ...feeds, block }, names);
    for (const name of names) {
      const want = whole[name]!.data as Float32Array;
      (parts[name]!.data as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo(want[i]!, 4);
      });
    }
  });
});
