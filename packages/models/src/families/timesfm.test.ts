import { resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { declaring } from '@tollama/graph';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries, Task } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import { timesfm } from './timesfm.ts';

/** Patches of 8 points, blocks of 16 steps, a continuous head of 48. */
const model = await openModel(resolve(import.meta.dirname, '../../../../golden/timesfm/v25-tiny'), {
  threads: 1,
});
afterAll(() => model[Symbol.asyncDispose]());

const BLOCK = 16;
const LEVELS = [0.1, 0.3, 0.5, 0.9];
const runs = { numRuns: 15 };

const values = fc.double({ min: -5, max: 20, noNaN: true }).map(Math.fround);
const points = (minLength: number, maxLength = 70) => fc.array(values, { minLength, maxLength });

const seriesOf = (target: readonly number[], more: Partial<ModelSeries> = {}): ModelSeries => ({
  id: 'a',
  targets: [target],
  ...more,
});

const ask = async (
  series: readonly ModelSeries[],
  horizon = BLOCK,
  options: Task['options'] = {},
) => {
  const { forecasts, warnings } = await model.forecast({
    series,
    horizon,
    quantiles: LEVELS,
    options,
  });
  const rows = forecasts.map(({ targets: [target] }) =>
    [target!.mean, ...target!.quantiles].map((row) => Array.from(row)),
  );
  return { rows, warnings };
};

const expectClose = (got: readonly unknown[], want: readonly unknown[], tolerance: number) => {
  const [a, b] = [got, want].map((rows) => rows.flat(9) as number[]) as [number[], number[]];
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b[i]!)));
  });
};

/** A series with enough spread that its scale is far from every threshold. */
const lively = points(20).map((row) => row.map((value, i) => value + 10 * (i % 3)));

describe('timesfm', () => {
  test.prop([fc.array(points(1), { minLength: 2, maxLength: 4 })], runs)(
    'forecasts a batch of unequal lengths as it forecasts one by one',
    async (rows) => {
      const series = rows.map((row) => seriesOf(row));
      const alone = await Promise.all(series.map((one) => ask([one])));
      expectClose(
        (await ask(series)).rows,
        alone.map(({ rows: [only] }) => only),
        1e-3,
      );
    },
  );

  test.prop([lively, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })], runs)(
    'gives a prefix of a longer forecast',
    async (row, a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)];
      const { rows } = await ask([seriesOf(row)], long);
      const cut = rows.map((kinds) => kinds.map((kind) => kind.slice(0, short)));
      expectClose((await ask([seriesOf(row)], short)).rows, cut, 1e-3);
    },
  );

  test.prop([lively, fc.integer({ min: -20, max: 20 }), fc.integer({ min: -100, max: 100 })], runs)(
    'scales, flips and moves with the series',
    async (row, factor, level) => {
      fc.pre(factor !== 0);
      const options = { infer_is_positive: false };
      const moved = row.map((value) => factor * value + level);
      const [plain, other] = [
        await ask([seriesOf(row)], 20, options),
        await ask([seriesOf(moved)], 20, options),
      ];
      const want = plain.rows[0]![0]!.map((value) => factor * value + level);
      expectClose(other.rows[0]![0]!, want, 0.02 * Math.abs(factor));
    },
  );

  test.prop([points(1), fc.integer({ min: 1, max: 9 })], runs)(
    'cuts off what is missing at the start, and gives numbers whatever is missing',
    async (row, missing) => {
      const gap = new Array<number>(missing).fill(Number.NaN);
      const { rows } = await ask([seriesOf([...gap, ...row])]);
      expectClose(rows, (await ask([seriesOf(row)])).rows, 1e-5);
      const within = await ask([seriesOf([row[0]!, ...gap, ...row, ...gap])]);
      expect((within.rows.flat(9) as number[]).every(Number.isFinite)).toBe(true);
    },
  );

  test.prop([lively], runs)('orders its quantiles where it is asked to', async (row) => {
    const options = { fix_quantile_crossing: true };
    const [[, ...fan]] = (await ask([seriesOf(row)], 20, options)).rows as [number[][]];
    for (let step = 0; step < 20; step++) {
      const levels = fan.map((level) => level[step]!);
      expect(levels.toSorted((a, b) => a - b)).toEqual(levels);
    }
  });

  test.prop([lively], runs)('stays at or above 0 where the series does', async (row) => {
    const positive = row.map(Math.abs);
    const { rows } = await ask([seriesOf(positive)], 20);
    expect((rows.flat(9) as number[]).every((value) => value >= 0)).toBe(true);
  });

  test('reads its sizes from the tensors, whatever config.json says', () => {
    const { weights, declared } = declaring();
    const c = timesfm.config.parse({});
    timesfm.graphs(c, weights, (_, tensor) => tensor);
    const parameters = [...declared.values()].map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    expect(parameters.reduce((a, b) => a + b)).toBe(231_289_280);
    const { family, config } = familyOf({}, model.checkpoint.tensors);
    expect(family.name).toBe('timesfm');
    expect(config).toMatchObject({ inputPatch: 8, outputPatch: BLOCK, layers: 2, heads: 4 });
  });

  test('refuses what does not fit the model, and series without a value', async () => {
    const row = [1, 2, 3, 4];
    const refusal = (horizon: number, options: Task['options'], target = row) =>
      ask([seriesOf(target)], horizon, options).then(String, (error: Error) => error.message);
    expect(await refusal(16384, {})).toMatchInlineSnapshot(
      `"horizon 16384 leaves no room for a context: together they end at 16384 points"`,
    );
    expect(await refusal(20, { max_horizon: 10 })).toMatchInlineSnapshot(
      `"horizon 20 is longer than options.max_horizon = 10"`,
    );
    expect(await refusal(49, { use_continuous_quantile_head: true })).toMatchInlineSnapshot(
      `"the continuous quantile head ends at 48 steps, not 64"`,
    );
    expect(await refusal(4, { max_context: 16384 })).toMatchInlineSnapshot(
      `"context 16384 and horizon 16 are together longer than 16384 points"`,
    );
    expect(await refusal(4, {}, [Number.NaN])).toMatchInlineSnapshot(
      `"series 'a' has no value that is not missing"`,
    );
  });

  test('says that window_size has no effect', async () => {
    expect((await ask([seriesOf([1, 2, 3])], 2, { window_size: 4 })).warnings).toHaveLength(1);
  });
});

test.each([
  { quantiles: [0.1, 0.5, 0.9] },
  { decode_index: 10 },
  { tokenizer: { activation: 'gelu' } },
  { stacked_transformers: { transformer: { qk_norm: 'layer' } } },
  { stacked_transformers: { transformer: { attention_norm: 'layer' } } },
])('refuses the config %j', (config) => {
  expect(timesfm.config.safeParse(config).success).toBe(false);
});

describe('timesfm with covariates', () => {
  const covariates = (row: readonly number[], ahead: readonly number[]): Partial<ModelSeries> => ({
    pastCovariates: { price: row },
    futureCovariates: { price: ahead },
  });
  const modes = fc.constantFrom('xreg + timesfm', 'timesfm + xreg');

  test.prop([points(24, 40), points(5, 5), fc.integer({ min: -9, max: 9 })], runs)(
    'follows a covariate that explains everything',
    async (price, ahead, level) => {
      const known = price.map((value, i) => value + (i % 2));
      const row = known.map((value) => 3 * value + level);
      const { rows } = await ask([seriesOf(row, covariates(known, ahead))], 5, {
        infer_is_positive: false,
      });
      expectClose(
        rows[0]![0]!,
        ahead.map((value) => 3 * value + level),
        0.02,
      );
    },
  );

  test.prop([lively], runs)('learns nothing from a covariate that never changes', async (row) => {
    const still = { infer_is_positive: false };
    const constant = covariates(
      row.map(() => 2),
      [2, 2, 2],
    );
    const { rows } = await ask([seriesOf(row, constant)], 3, still);
    expectClose(rows, (await ask([seriesOf(row)], 3, still)).rows, 0.01);
  });

  test("reads the request's parameters of the regression", async () => {
    const row = Array.from({ length: 40 }, (_, i) => Math.sin(i / 2) + (i % 5));
    const series = [
      seriesOf(
        row,
        covariates(
          row.map((_, i) => i % 5),
          [0, 1, 2],
        ),
      ),
    ];
    const timesfm = { xreg_mode: 'timesfm + xreg', ridge: 2, force_on_cpu: false };
    const told = await ask(series, 3, { parameters: { timesfm } });
    expectClose(told.rows, (await ask(series, 3, timesfm)).rows, 1e-6);
    const other = await ask(series, 3, { parameters: { timesfm }, ridge: 0 });
    expect(other.rows).not.toEqual(told.rows);
  });

  test.prop([lively, modes], runs)(
    'shifts all quantiles alike, and takes words and facts',
    async (row, xreg_mode) => {
      const days = ['mon', 'tue', 'wed'];
      const more = {
        pastCovariates: { day: row.map((_, i) => days[i % 3]!) },
        futureCovariates: { day: ['mon', 'never seen', null] },
        staticCovariates: { size: 3, store: 'a' },
      };
      const { rows } = await ask([seriesOf(row, more), seriesOf(row)], 3, {
        xreg_mode,
        ridge: 0.5,
      });
      expect((rows.flat(9) as number[]).every(Number.isFinite)).toBe(true);
      expect(rows).toHaveLength(2);
    },
  );
});
