import { resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries, Task } from '../family.ts';
import { openModel } from '../open-model.ts';
import { moirai2 } from './moirai2.ts';

const model = await openModel(
  resolve(import.meta.dirname, '../../../../golden/moirai2/tiny-1head'),
  { threads: 1 },
);
afterAll(() => model[Symbol.asyncDispose]());

/** Patches of 8 points, two of them a pass. */
const ONE_PASS = 16;
const LEVELS = [0.1, 0.5, 0.9];
const runs = { numRuns: 20 };

const points = (minLength: number, maxLength = 90) =>
  fc.array(fc.double({ min: -5, max: 20, noNaN: true }).map(Math.fround), { minLength, maxLength });
const gappy = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.double({ min: -5, max: 20, noNaN: true }) },
    fc.constant(Number.NaN),
  ),
  { minLength: 1, maxLength: 60 },
);

const seriesOf = (targets: readonly (readonly number[])[], id = 'a'): ModelSeries => ({
  id,
  targets,
});

/** [series][variate][mean and quantiles][horizon] */
const ask = async (series: readonly ModelSeries[], horizon: number, o: Partial<Task> = {}) => {
  const task = { series, horizon, quantiles: LEVELS, options: {}, ...o };
  const { forecasts, warnings } = await model.forecast(task);
  const rows = forecasts.map(({ targets }) =>
    targets.map(({ mean, quantiles }) => [mean, ...quantiles].map((row) => Array.from(row))),
  );
  return { rows, warnings };
};

const expectClose = (got: unknown, want: unknown, tolerance: number): void => {
  const [a, b] = [got, want].map((x) => (x as number[]).flat(9) as number[]);
  expect(a!.length).toBe(b!.length);
  a!.forEach((value, i) => {
    expect(Math.abs(value - b![i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b![i]!)));
  });
};

describe('moirai2', () => {
  test.prop([fc.array(points(1), { minLength: 2, maxLength: 4 })], runs)(
    'forecasts a batch of unequal lengths as it forecasts one by one',
    async (rows) => {
      const series = rows.map((row) => seriesOf([row]));
      const together = await ask(series, ONE_PASS);
      const alone = await Promise.all(series.map((one) => ask([one], ONE_PASS)));
      expectClose(
        together.rows,
        alone.map(({ rows: [only] }) => only),
        2e-4,
      );
    },
  );

  test.prop([points(24), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })], runs)(
    'gives a prefix of a longer forecast',
    async (row, a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)];
      const { rows } = await ask([seriesOf([row])], long);
      const cut = rows.map((variates) =>
        variates.map((kinds) => kinds.map((x) => x.slice(0, short))),
      );
      expectClose((await ask([seriesOf([row])], short)).rows, cut, 1e-4);
    },
  );

  test.prop(
    [points(32, 32), fc.integer({ min: 2, max: 50 }), fc.integer({ min: -100, max: 100 })],
    runs,
  )('scales and moves with a series that fills its patches', async (row, factor, level) => {
    const wide = row.map((value, i) => value + 30 * (i % 3));
    const moved = wide.map((value) => factor * value + level);
    const [plain, other] = [await ask([seriesOf([wide])], 10), await ask([seriesOf([moved])], 10)];
    const want = (plain.rows.flat(9) as number[]).map((value) => factor * value + level);
    expectClose(other.rows, want, 0.02);
  });

  test.prop([gappy, fc.integer({ min: 1, max: 30 })], runs)(
    'gives numbers whatever is missing',
    async (row, horizon) => {
      const { rows } = await ask([seriesOf([row])], horizon);
      expect((rows.flat(9) as number[]).every(Number.isFinite)).toBe(true);
    },
  );

  test.prop([points(20, 20), points(20, 20), points(20, 20)], runs)(
    'forecasts variates in any order alike',
    async (a, b, c) => {
      const {
        rows: [first],
      } = await ask([seriesOf([a, b, c])], ONE_PASS);
      const {
        rows: [second],
      } = await ask([seriesOf([c, a, b])], ONE_PASS);
      expectClose([second![1], second![2], second![0]], first, 2e-4);
    },
  );

  test('forecasts variates one by one beyond one pass, and says so', async () => {
    const row = Array.from({ length: 40 }, (_, i) => Math.sin(i / 3));
    const other = row.map((value) => 3 - value);
    const { rows, warnings } = await ask([seriesOf([row, other])], ONE_PASS + 1);
    const alone = await ask([seriesOf([row]), seriesOf([other])], ONE_PASS + 1);
    expectClose(rows.flat(1), alone.rows.flat(1), 1e-5);
    expect(warnings).toMatchInlineSnapshot(`
      [
        "the horizon is longer than one pass: variates were forecast one by one",
      ]
    `);
  });

  test('batches series of different layouts, each in its place', async () => {
    const row = Array.from({ length: 30 }, (_, i) => 5 + Math.cos(i / 2));
    const promo = row.map((_, i) => i % 4);
    const series: ModelSeries[] = [
      seriesOf([row]),
      { ...seriesOf([row]), pastCovariates: { promo }, futureCovariates: { promo: [1, 2, 3, 0] } },
      seriesOf([row, promo]),
      seriesOf([row.slice(9)]),
    ];
    const together = await ask(series, 4);
    const alone = await Promise.all(series.map((one) => ask([one], 4)));
    expectClose(
      together.rows,
      alone.map(({ rows: [only] }) => only),
      2e-4,
    );
    expect(together.rows.map((variates) => variates.length)).toEqual([1, 1, 2, 1]);
  });

  test('refuses what the list route of the reference cannot take', async () => {
    const options = { api: 'predict' };
    await expect(
      ask(
        [
          seriesOf([
            [1, 2],
            [3, 4],
          ]),
        ],
        2,
        { options },
      ),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: option api = 'predict' takes univariate series without covariates only]`,
    );
  });

  test('refuses a context that is no number of points', async () => {
    const options = { context_length: -8 };
    await expect(
      ask([seriesOf([[1, 2]])], 2, { options }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: options.context_length = -8 is not valid for moirai2: Too small: expected number to be >0]`,
    );
    await expect(ask([seriesOf([[1, 2]])], 2, { options })).rejects.toBeInstanceOf(TollamaError);
  });

  test('refuses configurations that the reference cannot run', () => {
    const config = {
      d_model: 64,
      d_ff: 48,
      num_layers: 1,
      patch_size: 8,
      num_predict_token: 2,
      quantile_levels: [0.5],
    };
    const refused = (change: object) =>
      moirai2.config.safeParse({ ...config, ...change }).error?.issues[0]?.path;
    expect(refused({})).toBeUndefined();
    expect(refused({ scaling: 'mean' })).toEqual(['scaling']);
    expect(refused({ d_model: 130 })).toEqual(['d_model']);
    expect(refused({ quantile_levels: [0, 0.5] })).toEqual(['quantile_levels', 0]);
  });
});
