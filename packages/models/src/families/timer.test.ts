import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/timer/tiny');
const TOKEN = 6;
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const forecast = async (
  rows: readonly ArrayLike<number>[],
  horizon: number,
  options: Readonly<Record<string, unknown>> = {},
) => {
  const series = rows.map((row, i) => ({ id: `s${i}`, targets: [row] }));
  const { forecasts, warnings } = await model.forecast({ series, horizon, quantiles: [], options });
  return { points: forecasts.map(({ targets }) => Array.from(targets[0]!.mean)), warnings };
};

const expectClose = (got: readonly number[], want: readonly number[], scale = 1): void => {
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThan(1e-3 * scale);
  });
};

/** A wave that is never constant, so that its deviation is well away from 0. */
const history = (minTokens: number) =>
  fc
    .tuple(
      fc.integer({ min: minTokens * TOKEN, max: 60 }),
      fc.double({ min: 0.2, max: 2, noNaN: true }),
      fc.double({ min: 0.5, max: 3, noNaN: true }),
    )
    .map(([length, step, size]) =>
      Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i)),
    );
const horizon = fc.integer({ min: 1, max: 20 });
const few = { numRuns: 15 };

describe('timer', () => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const rows = fc.array(history(1), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, horizon, async (batch, steps) => {
        const { points } = await forecast(batch, steps);
        for (const [i, row] of batch.entries()) {
          expectClose(points[i]!, (await forecast([row], steps)).points[0]!);
        }
      }),
      few,
    );
  });

  test('scaling and shifting a series scales and shifts its forecast', async () => {
    const factor = fc.double({ min: 0.01, max: 1000, noNaN: true });
    const level = fc.double({ min: -100, max: 100, noNaN: true });
    await fc.assert(
      fc.asyncProperty(history(2), factor, level, async (row, a, b) => {
        const [plain] = (await forecast([row], TOKEN)).points;
        const moved = await forecast([row.map((value) => a * value + b)], TOKEN);
        const want = plain!.map((value) => a * value + b);
        expectClose(moved.points[0]!, want, Math.max(1, a, Math.abs(b)));
      }),
      few,
    );
  });

  test('a longer horizon continues a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history(1), horizon, horizon, async (row, a, b) => {
        const [short] = (await forecast([row], Math.min(a, b))).points;
        const [long] = (await forecast([row], Math.max(a, b))).points;
        expectClose(long!.slice(0, short!.length), short!);
      }),
      few,
    );
  });

  test('the oldest points that fill no token are dropped', async () => {
    await fc.assert(
      fc.asyncProperty(history(2), async (row) => {
        const kept = row.slice(row.length % TOKEN);
        expect((await forecast([row], 9)).points).toEqual((await forecast([kept], 9)).points);
      }),
      few,
    );
  });

  test('the cache changes later passes only', async () => {
    const row = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i));
    const [cached] = (await forecast([row], 12)).points;
    const [whole] = (await forecast([row], 12, { use_cache: false })).points;
    expectClose(cached!.slice(0, TOKEN), whole!.slice(0, TOKEN));
    expect(cached!.slice(TOKEN)).not.toEqual(whole!.slice(TOKEN));
  });

  test('context_length bounds what is read', async () => {
    const row = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const bounded = await forecast([row], 7, { context_length: 20 });
    expect(bounded.points).toEqual((await forecast([row.slice(-18)], 7)).points);
  });

  test('missing values are interpolated, with a warning', async () => {
    const whole = Float64Array.from({ length: 24 }, (_, i) => (i % 6) + 0.5 * i);
    whole[8] = (whole[7]! + whole[9]!) / 2;
    const missing = [Number.NaN, Number.NaN, ...whole];
    missing[10] = Number.NaN;
    const { points, warnings } = await forecast([missing], 6);
    expectClose(points[0]!, (await forecast([whole], 6)).points[0]!);
    expect(warnings).toEqual([
      "series 's0': 3 missing values were interpolated, since timer reads none",
    ]);
  });

  test('a constant series has no forecast, with a warning', async () => {
    const { points, warnings } = await forecast([new Float64Array(12).fill(3)], 2);
    expect(points[0]).toEqual([Number.NaN, Number.NaN]);
    expect(warnings[0]).toContain("series 's0' is constant");
  });

  test.each([
    { rows: [[1, 2, 3]], options: {}, message: "series 's0' has 3 points" },
    { rows: [[Number.NaN, Number.NaN]], options: {}, message: "series 's0' has no value" },
    { rows: [[1]], options: { revin: 'yes' }, message: 'options.revin = "yes" is not valid' },
  ])('refuses: $message', async ({ rows, options, message }) => {
    await expect(forecast(rows, 4, options)).rejects.toThrow(TollamaError);
    await expect(forecast(rows, 4, options)).rejects.toThrow(message);
  });

  test.each([
    [{ hidden_act: 'geglu' }, 'hidden_act = "geglu"'],
    [{ num_attention_heads: 5 }, 'must divide hidden_size into even widths'],
  ])('refuses config.json with %j', (keys, message) => {
    const config = {
      model_type: 'timer',
      input_token_len: 6,
      hidden_size: 24,
      intermediate_size: 40,
      output_token_lens: [6],
      num_hidden_layers: 2,
      num_attention_heads: 3,
      ...keys,
    };
    expect(() => familyOf(config, new Map())).toThrow(message);
  });
});
