import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openModel } from '../open-model.ts';
import { familyOf } from '../read-config.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/tirex/tiny');
const PATCH = 6;
const CONTEXT = 48;
const LEVELS = [0.1, 0.5, 0.9];
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const forecast = async (
  rows: readonly ArrayLike<number>[],
  horizon: number,
  options: Readonly<Record<string, unknown>> = {},
) => {
  const series = rows.map((row, i) => ({ id: `s${i}`, targets: [row] }));
  const { forecasts } = await model.forecast({ series, horizon, quantiles: LEVELS, options });
  return forecasts.map(({ targets }) => targets[0]!);
};

const expectClose = (got: ArrayLike<number>, want: ArrayLike<number>, scale = 1): void => {
  expect(got.length).toBe(want.length);
  Array.from(want).forEach((value, h) => {
    expect(Math.abs(got[h]! - value)).toBeLessThan(1e-3 * scale);
  });
};

/** Waves with points missing here and there. */
const history = fc
  .tuple(
    fc.integer({ min: 3, max: 70 }),
    fc.double({ min: 0.5, max: 2, noNaN: true }),
    fc.double({ min: 1, max: 3, noNaN: true }),
    fc.array(fc.integer({ min: 2, max: 69 }), { maxLength: 10 }),
  )
  .map(([length, step, size, gaps]) =>
    Float64Array.from({ length }, (_, i) =>
      gaps.includes(i) ? Number.NaN : size * Math.sin(step * i) + Math.cos(7 * i),
    ),
  );
const horizon = fc.integer({ min: 1, max: 20 });
const few = { numRuns: 12 };

describe('tirex', () => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const rows = fc.array(history, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, horizon, async (batch, steps) => {
        const together = await forecast(batch, steps);
        for (const [i, row] of batch.entries()) {
          const [alone] = await forecast([row], steps);
          LEVELS.forEach((_, q) => {
            expectClose(together[i]!.quantiles[q]!, alone!.quantiles[q]!);
          });
        }
      }),
      few,
    );
  });

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

  test('scaling and shifting a series scales and shifts its forecast', async () => {
    const factor = fc.double({ min: 0.01, max: 1000, noNaN: true });
    const level = fc.double({ min: -100, max: 100, noNaN: true });
    await fc.assert(
      fc.asyncProperty(history, factor, level, async (row, a, b) => {
        const [plain] = await forecast([row], 9);
        const [moved] = await forecast([row.map((value) => a * value + b)], 9);
        const want = Array.from(plain!.mean, (value) => a * value + b);
        expectClose(moved!.mean, want, Math.max(1, a, Math.abs(b)));
      }),
      few,
    );
  });

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
      options: { resample_strategy: 'frequency' },
      message: 'resample_strategy = "frequency"',
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
