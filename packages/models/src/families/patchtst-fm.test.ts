import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Task } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import type { PatchTstConfig } from './patchtst-fm/config.ts';
import { callModel, levelPlaces } from './patchtst-fm/windows.ts';

const golden = resolve(import.meta.dirname, '../../../../golden/patchtst-fm');
const open = (name: string) => openModel(resolve(golden, name), { threads: 1 });
const [transformer, conformer] = await Promise.all([open('r1-like'), open('strided-conformer')]);
afterAll(() => Promise.all([transformer, conformer].map((model) => model[Symbol.asyncDispose]())));

/** Of both checkpoints. */
const WINDOW = 96;
const LEAST = 12;
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const forecast = async (
  model: typeof transformer,
  rows: readonly ArrayLike<number>[],
  rest: Partial<Task> = {},
) => {
  const series = rows.map((row, i) => ({ id: `s${i}`, targets: [row] }));
  const task = { series, horizon: LEAST, quantiles: LEVELS, options: {}, ...rest };
  const { forecasts, warnings } = await model.forecast(task);
  const first = forecasts.map(({ targets }) => targets[0]!);
  return {
    means: first.map(({ mean }) => Array.from(mean)),
    fans: first.map(({ quantiles }) => quantiles.map((row) => Array.from(row))),
    warnings,
  };
};

const expectClose = (got: readonly number[], want: readonly number[], scale = 1): void => {
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThan(1e-3 * scale);
  });
};

/** A wave that is never constant. */
const history = fc
  .tuple(
    fc.integer({ min: 5, max: 120 }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    fc.double({ min: 0.5, max: 3, noNaN: true }),
  )
  .map(([length, step, size]) =>
    Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i)),
  );
const horizon = fc.integer({ min: 1, max: 40 });
const few = { numRuns: 12 };
const wave = Float64Array.from({ length: 50 }, (_, i) => Math.sin(0.7 * i) + 0.02 * i);

describe.each([
  ['of transformer blocks', transformer],
  ['of conformer blocks over overlapping patches', conformer],
])('patchtst-fm %s', (_, model) => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const batch = fc.array(history, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batch, horizon, async (rows, steps) => {
        const together = await forecast(model, rows, { horizon: steps });
        for (const [i, row] of rows.entries()) {
          const alone = await forecast(model, [row], { horizon: steps });
          expectClose(together.fans[i]!.flat(), alone.fans[0]!.flat());
          expectClose(together.means[i]!, alone.means[0]!);
        }
      }),
      few,
    );
  });

  test('scaling and shifting a series scales and shifts its forecast', async () => {
    const factor = fc.double({ min: 0.01, max: 1000, noNaN: true });
    const level = fc.double({ min: -100, max: 100, noNaN: true });
    await fc.assert(
      fc.asyncProperty(history, factor, level, async (row, a, b) => {
        const plain = await forecast(model, [row]);
        const moved = await forecast(model, [row.map((value) => a * value + b)]);
        const want = plain.fans[0]!.flat().map((value) => a * value + b);
        expectClose(moved.fans[0]!.flat(), want, 10 * Math.max(a, Math.abs(b) * 0.01));
      }),
      few,
    );
  });

  test('quantiles ascend, and the mean lies among them', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, async (row, steps) => {
        const { fans, means } = await forecast(model, [row], { horizon: steps });
        for (let t = 0; t < steps; t++) {
          const fan = fans[0]!.map((quantile) => quantile[t]!);
          expect(fan).toEqual(fan.toSorted((a, b) => a - b));
          expect(means[0]![t]).toBeGreaterThan(fan[0]!);
          expect(means[0]![t]).toBeLessThan(fan.at(-1)!);
        }
      }),
      few,
    );
  });

  test('horizons up to the least forecast are its beginning', async () => {
    const { means } = await forecast(model, [wave], { horizon: LEAST });
    for (const steps of [1, 5, LEAST - 1]) {
      expectClose(
        (await forecast(model, [wave], { horizon: steps })).means[0]!,
        means[0]!.slice(0, steps),
      );
    }
  });

  test('only what fits into the window before the forecast is read', async () => {
    const long = [
      ...new Array(30).fill(99),
      ...Float64Array.from({ length: WINDOW - LEAST }, (_, i) => Math.sin(i)),
    ];
    const kept = long.slice(30);
    expect((await forecast(model, [long])).fans).toEqual((await forecast(model, [kept])).fans);
  });

  test('a missing value is not read, whatever surrounds it', async () => {
    const row = wave.slice();
    for (const at of [0, 9, 10, 11, 49]) row[at] = Number.NaN;
    const { fans } = await forecast(model, [row]);
    expect(fans.flat(2).every(Number.isFinite)).toBe(true);
    expect(fans).not.toEqual((await forecast(model, [wave])).fans);
  });

  test('a series without any value has no forecast, and no effect on the others', async () => {
    const nothing = new Float64Array(20).fill(Number.NaN);
    const { fans, means, warnings } = await forecast(model, [wave, nothing]);
    expect(means[1]!.every(Number.isNaN)).toBe(true);
    expect(fans[0]).toEqual((await forecast(model, [wave])).fans[0]);
    expect(warnings).toEqual(["series 's1' has no value: neither has its forecast"]);
  });

  test('a constant series is forecast about its level', async () => {
    const { means } = await forecast(model, [new Float64Array(30).fill(7)]);
    for (const mean of means[0]!) expect(Math.abs(mean - 7)).toBeLessThan(20);
  });

  test('attn_window changes what is seen', async () => {
    const near = await forecast(model, [wave], { options: { attn_window: 2 } });
    expect(near.fans).not.toEqual((await forecast(model, [wave])).fans);
    const all = await forecast(model, [wave], { options: { attn_window: 1000 } });
    expectClose(all.fans.flat(2), (await forecast(model, [wave])).fans.flat(2));
  });
});

describe('calls of the model', () => {
  const c = transformer.config as PatchTstConfig;
  const call = { rows: [{ values: wave }], horizon: 8 };

  test('leaving patches out in front of a series does not change a transformer', async () => {
    const [pruned] = await callModel(transformer.run, c, call);
    const [whole] = await callModel(transformer.run, c, { ...call, isPruned: false });
    expectClose(Array.from(pruned!.mean), Array.from(whole!.mean));
  });

  test('padding of the caller is like no series at all', async () => {
    const values = Float64Array.from([...new Array(8).fill(Number.NaN), ...wave.slice(2)]);
    const padded = values.map((_, i) => (i < 8 ? 1 : 0));
    const rows = [{ values, padded }, { values: wave.slice(2) }];
    const [marked, alone] = await callModel(transformer.run, c, { rows, horizon: 8 });
    expectClose(Array.from(marked!.mean), Array.from(alone!.mean));
  });

  test('levels are members of the list or refused', () => {
    expect(levelPlaces(c, [0.9, 0.1])).toEqual([8, 0]);
    expect(() => levelPlaces(c, [0.25])).toThrow("quantile level 0.25 is not one of the model's");
  });
});

describe('of a task', () => {
  test('other levels are interpolated, those beyond are warned of', async () => {
    const { fans, warnings } = await forecast(transformer, [wave], { quantiles: [0.25, 0.99] });
    const exact = await forecast(transformer, [wave], { quantiles: [0.2, 0.3] });
    fans[0]![0]!.forEach((value, t) => {
      expect(value).toBeCloseTo((exact.fans[0]![0]![t]! + exact.fans[0]![1]![t]!) / 2, 3);
    });
    expect(warnings).toEqual([
      'quantiles 0.99 lie beyond the levels 0.1 to 0.9 of this checkpoint: they are extrapolated',
    ]);
  });

  test('a horizon that fills the window is refused, and declared', async () => {
    expect(transformer.capabilities.maxHorizon).toBe(WINDOW - 1);
    const refused = forecast(transformer, [wave], { horizon: WINDOW });
    await expect(refused).rejects.toThrow(TollamaError);
    await expect(refused).rejects.toThrow('horizon 96 is beyond the 95 steps');
    const { means } = await forecast(transformer, [wave], { horizon: WINDOW - 1 });
    expect(means[0]!.length).toBe(WINDOW - 1);
  });

  test('an option that is none is refused', async () => {
    const refused = forecast(transformer, [wave], { options: { attn_window: -1 } });
    await expect(refused).rejects.toThrow('options.attn_window = -1 is not valid for patchtst-fm');
  });
});

test.each([
  [{ context_length: 90, d_patch: 16 }, 'context_length = 90'],
  [{ patch_stride: 8 }, 'patch_loss_windowing = nothing'],
  [{ patch_loss_windowing: 'hann' }, 'patch_loss_windowing = "hann"'],
  [{ block_type: 'mamba' }, 'block_type = "mamba"'],
  [{ mlp_type: 'geglu' }, 'mlp_type = "geglu"'],
  [{ block_type: 'conformer', conv_kernel_size: 4 }, 'conv_kernel_size = 4'],
  [{ block_type: 'conformer', conv_kernel_size: [3, 3] }, 'conv_kernel_size = [3,3]'],
  [{ block_type: 'conformer', is_causal: true }, 'is_causal = true'],
  [{ block_type: 'conformer', norm_first: false }, 'norm_first = false'],
  [{ n_head: 5 }, 'n_head = 5'],
  [{ quantile_levels: [0.1, 0.9] }, 'quantile_levels = [0.1,0.9]'],
  [{ n_patch: 4 }, 'n_patch = 4'],
  [{ context_length: 128 }, 'pretrain_mask_cont = nothing'],
])('refuses config.json with %j', (keys, message) => {
  const config = { model_type: 'patchtst_fm', ...keys };
  expect(() => familyOf(config, new Map())).toThrow(message);
});
