import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import { randomCheckpoint } from '../random-checkpoint.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/sundial/tiny');
const PASS = 12;
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const forecast = async (
  rows: readonly ArrayLike<number>[],
  horizon: number,
  options: Readonly<Record<string, unknown>> = { num_samples: 3 },
) => {
  const series = rows.map((row, i) => ({ id: `s${i}`, targets: [row] }));
  const quantiles = [0.1, 0.5, 0.9];
  const { forecasts, warnings } = await model.forecast({ series, horizon, quantiles, options });
  return { forecasts: forecasts.map(({ targets }) => targets[0]!), warnings };
};

type Rows = readonly ArrayLike<number>[];

const expectClose = (got: Rows, want: Rows, scale = 1): void => {
  expect(got.length).toBe(want.length);
  got.forEach((row, i) => {
    expect(row.length).toBe(want[i]!.length);
    Array.from(row).forEach((value, h) => {
      expect(Math.abs(value - want[i]![h]!)).toBeLessThan(1e-3 * scale);
    });
  });
};

const history = fc
  .tuple(
    fc.integer({ min: 2, max: 50 }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    fc.double({ min: 0.5, max: 3, noNaN: true }),
  )
  .map(([length, step, size]) =>
    Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i)),
  );
const horizon = fc.integer({ min: 1, max: 30 });
const few = { numRuns: 12 };

describe('sundial', () => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const rows = fc.array(history, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, horizon, async (batch, steps) => {
        const { forecasts } = await forecast(batch, steps);
        for (const [i, row] of batch.entries()) {
          const [alone] = (await forecast([row], steps)).forecasts;
          expectClose(forecasts[i]!.samples!, alone!.samples!);
        }
      }),
      few,
    );
  });

  test('shifting a series shifts its paths from the same noise', async () => {
    const level = fc.double({ min: -100, max: 100, noNaN: true });
    const path = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: PASS,
      maxLength: PASS,
    });
    await fc.assert(
      fc.asyncProperty(history, level, path, async (row, by, one) => {
        const options = { num_samples: 1, noise: [[one]] };
        const plain = await forecast([row], PASS, options);
        const moved = await forecast([row.map((value) => value + by)], PASS, options);
        const want = plain.forecasts[0]!.samples!.map((p) => Array.from(p, (value) => value + by));
        expectClose(moved.forecasts[0]!.samples!, want, Math.max(1, Math.abs(by)));
      }),
      few,
    );
  });

  test('a longer horizon continues the paths of a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, async (row, a, b) => {
        const [short] = (await forecast([row], Math.min(a, b))).forecasts;
        const [long] = (await forecast([row], Math.max(a, b))).forecasts;
        const cut = long!.samples!.map((path) => Array.from(path).slice(0, Math.min(a, b)));
        expectClose(cut, short!.samples!);
      }),
      few,
    );
  });

  test('quantiles are ordered and within the paths, the mean is their mean', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, async (row, steps) => {
        const [one] = (await forecast([row], steps, { num_samples: 5 })).forecasts;
        const [low, middle, high] = one!.quantiles;
        for (let h = 0; h < steps; h++) {
          const values = one!.samples!.map((path) => path[h]!).sort((a, b) => a - b);
          expect(middle![h]!).toBe(values[2]!);
          expect(low![h]!).toBeLessThanOrEqual(middle![h]!);
          expect(middle![h]!).toBeLessThanOrEqual(high![h]!);
          expect(low![h]!).toBeGreaterThanOrEqual(values[0]!);
          const mean = values.reduce((sum, value) => sum + value / 5, 0);
          expect(one!.mean[h]!).toBeCloseTo(mean, 4);
        }
      }),
      few,
    );
  });

  test('equal seeds draw equal paths, other seeds others', async () => {
    const row = [1, 3, 2, 5, 4, 6];
    const paths = async (seed: number) =>
      (await forecast([row], 5, { num_samples: 2, seed })).forecasts[0]!.samples;
    expect(await paths(1)).toEqual(await paths(1));
    expect(await paths(1)).not.toEqual(await paths(2));
  });

  test('more steps of the flow can be asked for', async () => {
    const row = [1, 3, 2, 5, 4, 6];
    const own = await forecast([row], 5, { num_samples: 1, num_sampling_steps: 5 });
    const more = await forecast([row], 5, { num_samples: 1, num_sampling_steps: 9 });
    expect(own.forecasts).toEqual((await forecast([row], 5, { num_samples: 1 })).forecasts);
    expect(more.forecasts).not.toEqual(own.forecasts);
  });

  test('missing values are interpolated, with a warning', async () => {
    const whole = [1, 3, 2, 5, 4, 6, 8, 7];
    const missing = [Number.NaN, ...whole.slice(0, 5), Number.NaN, ...whole.slice(6)];
    const { forecasts, warnings } = await forecast([missing], 6);
    expectClose(forecasts[0]!.samples!, (await forecast([whole], 6)).forecasts[0]!.samples!);
    expect(warnings).toEqual([
      "series 's0': 2 missing values were interpolated, since sundial reads none",
    ]);
  });

  test('a constant series stays near its level', async () => {
    const [one] = (await forecast([new Float64Array(9).fill(7.25)], 4)).forecasts;
    for (const value of Array.from(one!.mean)) expect(value).toBeCloseTo(7.25, 3);
  });

  test.each([
    { options: { num_samples: 0 }, message: 'options.num_samples = 0 is not valid for sundial' },
    { options: { num_samples: 2, noise: [[[1, 2]]] }, message: 'options.noise has no 12 numbers' },
  ])('refuses: $message', async ({ options, message }) => {
    await expect(forecast([[1, 2, 3]], 4, options)).rejects.toThrow(message);
  });

  test('passes shorter than a token give one pass only', async () => {
    const short = await mkdtemp(join(tmpdir(), 'sundial-'));
    const config = {
      model_type: 'sundial',
      input_token_len: 4,
      hidden_size: 24,
      intermediate_size: 40,
      output_token_lens: [3],
      num_hidden_layers: 1,
      num_attention_heads: 3,
      num_sampling_steps: 2,
    };
    await writeFile(join(short, 'config.json'), JSON.stringify(config));
    await randomCheckpoint(join(short, 'model.safetensors'), config, 'sundial', 1);
    await using opened = await openModel(short, { threads: 1 });
    expect(opened.capabilities.maxHorizon).toBe(3);
    const task = { series: [{ id: 'a', targets: [[1, 2, 4]] }], quantiles: [], options: {} };
    const { forecasts } = await opened.forecast({ ...task, horizon: 3 });
    expect(Array.from(forecasts[0]!.targets[0]!.mean).every(Number.isFinite)).toBe(true);
    const refused = opened.forecast({ ...task, horizon: 4 });
    await expect(refused).rejects.toThrow('horizon 4 is beyond the 3 steps');
  });

  test('heads that do not divide the width are refused', () => {
    const config = { model_type: 'sundial', hidden_size: 24, num_attention_heads: 5 };
    expect(() => familyOf(config, new Map())).toThrow('num_attention_heads = 5');
  });
});
