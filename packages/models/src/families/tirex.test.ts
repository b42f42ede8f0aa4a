import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import {
  batchEqualsOneByOne,
  expectClose,
  few,
  forecaster,
  forecastMovesWithSeries,
  wavesWithGaps,
} from '../testing/univariate-laws.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/tirex/tiny');
const PATCH = 6;
const CONTEXT = 48;
const LEVELS = [0.1, 0.5, 0.9];
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const forecast = forecaster(model, LEVELS);
const history = wavesWithGaps(70, 10);
const law = { forecast, history, tolerance: 1e-3 };
const horizon = fc.integer({ min: 1, max: 20 });

describe('tirex', () => {
  test('a batch of unequal lengths equals its series one by one', () =>
    batchEqualsOneByOne(law, horizon));

  test('padding on the left changes nothing, whether it is written out or skipped', async () => {
    const padding = fc.integer({ min: 0, max: CONTEXT });
    await fc.assert(
      fc.asyncProperty(history, padding, horizon, async (row, count, steps) => {
        const padded = [...new Array<number>(count).fill(Number.NaN), ...row];
        expectClose(
          (await forecast([padded], steps))[0]!.mean,
          (await forecast([row], steps))[0]!.mean,
        );
      }),
      few,
    );
  });

  test('scaling and shifting a series scales and shifts its forecast', () =>
    forecastMovesWithSeries(law, 0.01));

  test('a longer horizon continues a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, async (row, a, b) => {
        const [short] = await forecast([row], Math.min(a, b));
        const [long] = await forecast([row], Math.max(a, b));
        expectClose(Array.from(long!.mean).slice(0, Math.min(a, b)), short!.mean);
      }),
      few,
    );
  });

  test('points older than the context are not read', async () => {
    const row = Float64Array.from({ length: 100 }, (_, i) => Math.sin(i) + (i % 5));
    expect(await forecast([row], 8)).toEqual(await forecast([row.slice(-CONTEXT)], 8));
  });

  test('several patches a pass agree on the first and differ later', async () => {
    const row = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i) + (i % 5));
    const [one] = await forecast([row], 15);
    const [three] = await forecast([row], 15, { max_accelerated_rollout_steps: 3 });
    expectClose(Array.from(three!.mean).slice(0, PATCH), Array.from(one!.mean).slice(0, PATCH));
    expect(three!.mean).not.toEqual(one!.mean);
  });

  test('nothing known, one point and a constant all have a forecast', async () => {
    const rows = [[Number.NaN, Number.NaN], [3], new Float64Array(40).fill(-7.25)];
    for (const { mean } of await forecast(rows, 9)) {
      expect(Array.from(mean).every(Number.isFinite)).toBe(true);
    }
  });

  test('the mean is the 0.5 quantile', async () => {
    const row = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i));
    const [one] = await forecast([row], 7);
    expect(one!.mean).toEqual(one!.quantiles[1]);
  });

  test.each([
    { row: [], options: {}, message: "series 's0' has no points" },
    {
      row: [1],
      options: { max_accelerated_rollout_steps: 0 },
      message: 'max_accelerated_rollout_steps = 0',
    },
    {
      row: [1],
      options: { resample_strategy: 'season' },
      message: 'resample_strategy = "season"',
    },
  ])('refuses: $message', async ({ row, options, message }) => {
    await expect(forecast([row], 4, options)).rejects.toThrow(message);
  });

  test.each([
    { changed: { output_patch_size: 8 }, train_ctx_len: 48, message: 'output_patch_size = 8' },
    { changed: {}, train_ctx_len: 50, message: 'train_ctx_len = 50' },
  ])('a config with $message is refused by name', ({ changed, train_ctx_len, message }) => {
    const block_kwargs = {
      embedding_dim: 16,
      num_heads: 2,
      num_blocks: 2,
      ffn_proj_factor: 2.6667,
    };
    const sizes = {
      input_patch_size: 6,
      output_patch_size: 6,
      input_ff_dim: 24,
      quantiles: LEVELS,
    };
    const config = { model_config: { ...sizes, block_kwargs, ...changed }, train_ctx_len };
    expect(() => familyOf(config, new Map())).toThrow(message);
  });
});
