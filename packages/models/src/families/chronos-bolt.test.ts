import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { TargetForecast } from '../family.ts';
import { relativeBucket } from '../nn/t5.ts';
import { type OpenModel, openModel } from '../open-model.ts';
import { interpolatedQuantiles } from '../quantiles.ts';

const golden = join(import.meta.dirname, '../../../../golden/chronos-bolt');

let model: OpenModel;
beforeAll(async () => {
  model = await openModel(join(golden, 'tiny-a'), { threads: 1 });
});
afterAll(() => model[Symbol.asyncDispose]());

const LEVELS = [0.1, 0.5, 0.9];

const forecast = async (
  rows: readonly (readonly number[])[],
  horizon = 8,
  quantiles = LEVELS,
): Promise<TargetForecast[]> => {
  const series = rows.map((row, i) => ({ id: `${i}`, targets: [row] }));
  const { forecasts } = await model.forecast({ series, horizon, quantiles, options: {} });
  return forecasts.map(({ targets }) => targets[0]!);
};

/** Values of one forecast in a row. */
const flat = ({ mean, quantiles }: TargetForecast): number[] =>
  [mean, ...quantiles].flatMap((row) => Array.from(row));

/** Equal but for the rounding of float32, seen from the size of the values. */
const expectClose = (got: TargetForecast, want: TargetForecast, share = 1e-4): void => {
  const expected = flat(want);
  const size = Math.max(...expected.map(Math.abs), 1e-6);
  for (const [i, value] of flat(got).entries()) {
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(share * size);
  }
};

/** Values with a spread: nearly constant rows blow up any rounding. */
const row = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
      { weight: 1, arbitrary: fc.constant(Number.NaN) },
    ),
    {
      minLength: 2,
      maxLength: 150,
    },
  )
  .map((values) => [-50, ...values, 50]);

describe('chronos-bolt', () => {
  test.prop([fc.float({ min: -1000, max: 1000, noNaN: true }), fc.integer({ min: 1, max: 120 })], {
    numRuns: 25,
  })('a constant is scaled by 1e-5, whatever its binary digits', async (value, length) => {
    fc.pre(Math.abs(value) > 0.1);
    const [constant] = await forecast([new Array<number>(length).fill(value)], 4);
    const [zeros] = await forecast([new Array<number>(length).fill(0)], 4);
    flat(constant!).forEach((got, i) => {
      const rounding = 2 ** -23 * Math.abs(value);
      expect(Math.abs(got - value - flat(zeros!)[i]!)).toBeLessThanOrEqual(rounding + 1e-9);
    });
  });

  test.prop([fc.array(row, { minLength: 2, maxLength: 5 })], { numRuns: 25 })(
    'forecasts a batch of unequal lengths as it forecasts one by one',
    async (rows) => {
      const together = await forecast(rows);
      for (const [i, one] of rows.entries()) expectClose(together[i]!, (await forecast([one]))[0]!);
    },
  );

  test.prop([row, fc.integer({ min: 1, max: 40 })], { numRuns: 25 })(
    'missing values in front change nothing',
    async (values, count) => {
      const padded = [...new Array<number>(count).fill(Number.NaN), ...values];
      const [plain, longer] = await forecast([values.slice(-80), padded.slice(-80 - count)]);
      const [alone] = await forecast([values.slice(-80)]);
      expectClose(plain!, alone!);
      expectClose(longer!, alone!);
    },
  );

  test.prop([row, fc.integer({ min: -8, max: 8 }), fc.double({ min: -50, max: 50, noNaN: true })], {
    numRuns: 25,
  })(
    'another unit or origin of the series is one of the forecast',
    async (values, power, shift) => {
      const factor = 2 ** power;
      const [moved] = await forecast([values.map((value) => value * factor + shift)]);
      const [plain] = await forecast([values]);
      const back = (list: ArrayLike<number>): number[] =>
        Array.from(list, (value) => (value - shift) / factor);
      expectClose(
        { mean: back(moved!.mean), quantiles: moved!.quantiles.map(back) },
        plain!,
        1e-3 * Math.max(1, Math.abs(shift) / factor),
      );
    },
  );

  test.prop([row, fc.integer({ min: 1, max: 24 }), fc.integer({ min: 25, max: 60 })], {
    numRuns: 15,
  })('a longer horizon begins with the shorter one', async (values, short, long) => {
    const [near] = await forecast([values], short);
    const [far] = await forecast([values], long);
    const cut = (list: ArrayLike<number>): number[] => Array.from(list).slice(0, short);
    expectClose({ mean: cut(far!.mean), quantiles: far!.quantiles.map(cut) }, near!);
  });

  test('trained levels are taken as they are; beyond them an ordered fan stays flat', () => {
    const rows = [1, 2, 3].map((value) => Float32Array.of(value));
    const at = (...levels: number[]): number[] =>
      interpolatedQuantiles(rows, [0.25, 0.5, 0.75], levels).map(([value]) => value!);
    expect(at(0.25, 0.5)).toEqual([1, 2]);
    expect(at(0.01, 0.375, 0.5, 0.99)).toEqual([1, 1.5, 2, 3]);
  });
});

test('relative buckets: exact near, logarithmic far, clamped, and apart by direction', () => {
  const buckets = [-200, -128, -20, -8, -7, -1, 0, 1, 7, 8, 20, 128, 200].map((r) =>
    relativeBucket(r, 32, 128),
  );
  expect(buckets).toEqual([15, 15, 10, 8, 7, 1, 0, 17, 23, 24, 26, 31, 31]);
});
