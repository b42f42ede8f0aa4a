import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelSeries } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/toto2/tiny');
const PATCH = 8;
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

type Options = Readonly<Record<string, unknown>>;

const forecast = async (series: readonly ModelSeries[], horizon: number, options: Options = {}) => {
  const task = { series, horizon, quantiles: LEVELS, options };
  const { forecasts } = await model.forecast(task);
  return forecasts.map(({ targets }) =>
    targets.map(({ quantiles }) => quantiles.map((q) => [...Array.from(q)])),
  );
};

const univariate = (values: ArrayLike<number>): ModelSeries => ({ id: 'a', targets: [values] });

/** Differences as a share of the largest number that is compared. */
const expectClose = (got: unknown, want: unknown): void => {
  const flat = (nested: unknown): number[] => (nested as number[]).flat(4);
  const size = Math.max(1e-3, ...flat(want).map(Math.abs));
  expect(flat(got).length).toBe(flat(want).length);
  flat(got).forEach((value, i) => {
    expect(Math.abs(value - flat(want)[i]!)).toBeLessThan(2e-4 * size);
  });
};

const wave = (length: number, step: number, size: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i));

const history = fc
  .tuple(
    fc.integer({ min: 3, max: 50 }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    fc.double({ min: 0.5, max: 3, noNaN: true }),
  )
  .map(([length, step, size]) => wave(length, step, size));
const horizon = fc.integer({ min: 1, max: 30 });
const options: fc.Arbitrary<Options> = fc.record(
  {
    decode_block_size: fc.constantFrom(PATCH, 2 * PATCH),
    has_missing_values: fc.boolean(),
    scaler_fallback_min_obs: fc.constantFrom(0, 8),
    quantile_real_cap_k: fc.constantFrom(0, 1.5),
  },
  { requiredKeys: [] },
);
const few = { numRuns: 15 };

describe('toto2', () => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const rows = fc.array(history, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, horizon, options, async (batch, steps, chosen) => {
        const together = await forecast(batch.map(univariate), steps, chosen);
        for (const [i, row] of batch.entries()) {
          expectClose(together[i], (await forecast([univariate(row)], steps, chosen))[0]);
        }
      }),
      few,
    );
  });

  test('scaling and shifting a series scales and shifts its forecast', async () => {
    const factor = fc.double({ min: 0.1, max: 100, noNaN: true });
    const level = fc.double({ min: -10, max: 10, noNaN: true });
    await fc.assert(
      fc.asyncProperty(factor, level, horizon, async (a, b, steps) => {
        const row = wave(40, 0.4, 2);
        const [plain] = await forecast([univariate(row)], steps);
        const [moved] = await forecast([univariate(row.map((value) => a * value + b))], steps);
        expectClose(
          moved,
          plain!.map((rows) => rows.map((q) => q.map((value) => a * value + b))),
        );
      }),
      few,
    );
  });

  test('quantiles ascend at each step', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, options, async (row, steps, chosen) => {
        const [[rows]] = (await forecast([univariate(row)], steps, chosen)) as [[number[][]]];
        for (let h = 0; h < steps; h++) {
          const fan = rows.map((q) => q[h]!);
          expect(fan).toEqual([...fan].sort((x, y) => x - y));
        }
      }),
      few,
    );
  });

  test('a longer horizon continues a shorter one', async () => {
    const sizes = fc.constantFrom({}, { decode_block_size: PATCH });
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, sizes, async (row, a, b, chosen) => {
        const [short] = await forecast([univariate(row)], Math.min(a, b), chosen);
        const [long] = await forecast([univariate(row)], Math.max(a, b), chosen);
        expectClose(
          long!.map((rows) => rows.map((q) => q.slice(0, Math.min(a, b)))),
          short,
        );
      }),
      few,
    );
  });

  test('leading gaps have no effect on a forecast of one pass', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 40 }), async (row, gap) => {
        const late = [...new Array<number>(gap).fill(Number.NaN), ...row];
        expectClose(await forecast([univariate(late)], 9), await forecast([univariate(row)], 9));
      }),
      few,
    );
  });

  test('variates of one group look at each other in any order, others do not', async () => {
    const [a, b] = [wave(32, 0.5, 2), wave(32, 0.9, 1)];
    const pair = (series_ids: number[]) =>
      forecast([{ id: 'a', targets: [a, b] }], 10, { series_ids });
    const [together] = await pair([0, 0]);
    const [apart] = await pair([0, 1]);
    const [swapped] = await forecast([{ id: 'a', targets: [b, a] }], 10);
    expectClose(swapped, together!.toReversed());
    expectClose(apart![0], (await forecast([univariate(a)], 10))[0]![0]);
    expect(apart).not.toEqual(together);
  });

  test('covariates change the forecast, and are not forecast themselves', async () => {
    const target = wave(32, 0.5, 2);
    const past = { price: wave(32, 0.2, 1), stock: wave(32, 0.3, 1) };
    const series = (futureCovariates: Record<string, Float64Array>): ModelSeries => ({
      ...univariate(target),
      pastCovariates: past,
      futureCovariates,
    });
    const [plain] = await forecast([univariate(target)], 6);
    const [onlyPast] = await forecast([series({})], 6);
    const [known] = await forecast([series({ price: wave(6, 0.2, 1) })], 6);
    expect(known!.length).toBe(1);
    expect(onlyPast).not.toEqual(plain);
    expect(known).not.toEqual(onlyPast);
  });

  test('series of different shapes share a task', async () => {
    const [a, b] = [wave(20, 0.5, 2), wave(33, 0.9, 1)];
    const mixed = [
      { id: 'a', targets: [a] },
      { id: 'b', targets: [b, a.map((x) => x + 1)] },
    ];
    const level = [{ ...mixed[1]!, targets: [b, wave(33, 0.4, 1)] }];
    const together = await forecast([mixed[0]!, ...level], 5);
    expect(together.map((targets) => targets.length)).toEqual([1, 2]);
    expectClose(together[1], (await forecast(level, 5))[0]);
  });

  test('a series without any value has a finite forecast', async () => {
    for (const row of [[], [Number.NaN, Number.NaN]]) {
      const [[rows]] = (await forecast([univariate(row)], 5)) as [[number[][]]];
      expect(rows.flat().every(Number.isFinite)).toBe(true);
    }
  });

  test('context_length makes room for the horizon', async () => {
    const row = wave(64, 0.4, 2);
    const bounded = await forecast([univariate(row)], 3 * PATCH, { context_length: 40 });
    expect(bounded).toEqual(await forecast([univariate(row.slice(-24))], 3 * PATCH));
  });

  test('other levels lie between the trained ones', async () => {
    const task = {
      horizon: 4,
      quantiles: [0.25],
      options: {},
      series: [univariate(wave(32, 0.5, 2))],
    };
    const [between] = (await model.forecast(task)).forecasts[0]!.targets[0]!.quantiles;
    const [[rows]] = (await forecast(task.series, 4)) as [[number[][]]];
    Array.from(between!).forEach((value, h) => {
      expect(value).toBeCloseTo((rows[1]![h]! + rows[2]![h]!) / 2, 5);
    });
  });

  test.each([
    {
      options: { decode_block_size: 12 },
      message: 'options.decode_block_size = 12 is not a multiple of the patch size 8',
    },
    {
      options: { series_ids: [0, 1] },
      message:
        "options.series_ids = [0,1] does not name a group for each of the 1 variates of series 'a'",
    },
    {
      options: { imputation: 'mean' },
      message: 'options.imputation = "mean" is not valid for toto2',
    },
  ])('refuses: $message', async ({ options: wrong, message }) => {
    const refused = forecast([univariate([1, 2, 3])], 4, wrong);
    await expect(refused).rejects.toThrow(TollamaError);
    await expect(refused).rejects.toThrow(message);
  });

  const config = {
    patch_size: 8,
    d_model: 32,
    num_heads: 4,
    num_layers: 4,
    layer_group_size: 4,
    num_variate_layers_per_group: 1,
    variate_layer_first: false,
  };
  const tensors = new Map([
    ['patch_proj.skip_proj.weight', { dtype: 'float32', shape: [32, 16] }],
  ] as const);

  test.each([
    { change: { num_output_patches: 2 }, message: 'num_output_patches = 2 is not valid for toto2' },
    { change: { dropout_p: 0.1 }, message: 'dropout_p = 0.1 is not valid for toto2' },
    { change: { num_layers: 6 }, message: 'it must be a multiple of layer_group_size' },
    { change: { num_groups: 3 }, message: 'it must divide num_heads' },
    { change: { qk_dim: 6 }, message: 'half of it must be an even number' },
  ])('a config is refused: $message', ({ change, message }) => {
    expect(() => familyOf({ ...config, ...change }, tensors)).toThrow(message);
  });

  test('a config is completed as the reference does', () => {
    expect(familyOf(config, tensors).config).toMatchObject({
      qk_dim: 8,
      v_dim: 8,
      num_groups: 4,
      d_ff: 88,
      qk_norm: true,
      qk_norm_include_weight: false,
      norm_eps: 5e-5,
    });
  });
});
