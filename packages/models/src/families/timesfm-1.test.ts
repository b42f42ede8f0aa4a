import { resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { declaring } from '@tollama/graph';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries, Task } from '../family.ts';
import { openModel } from '../open-model.ts';
import { frequencyClass } from './timesfm/frequency.ts';
import { decompose } from './timesfm-1/forecast.ts';
import { timesfm1 } from './timesfm-1.ts';

/** Patches of 8 values, contexts of 48 and 64, blocks of 16 steps. */
const open = (name: string) =>
  openModel(resolve(import.meta.dirname, '../../../../golden/timesfm', name), { threads: 1 });
const models = { first: await open('v10-tiny'), second: await open('v20-tiny') };
afterAll(() => Promise.all(Object.values(models).map((model) => model[Symbol.asyncDispose]())));

const runs = { numRuns: 12 };
const generations = fc.constantFrom<keyof typeof models>('first', 'second');
const values = fc.double({ min: -5, max: 20, noNaN: true }).map(Math.fround);
const lively = fc
  .array(values, { minLength: 3, maxLength: 80 })
  .map((row) => row.map((value, i) => value + 10 * (i % 3)));

const seriesOf = (target: readonly number[], freq?: string): ModelSeries => ({
  id: 'a',
  targets: [target],
  ...(freq && { freq }),
});

const ask = async (
  which: keyof typeof models,
  series: readonly ModelSeries[],
  horizon = 20,
  options: Task['options'] = {},
): Promise<number[][][]> => {
  const task = { series, horizon, quantiles: [0.1, 0.5, 0.9], options };
  const { forecasts } = await models[which].forecast(task);
  return forecasts.map(({ targets: [target] }) =>
    [target!.mean, ...target!.quantiles].map((row) => Array.from(row)),
  );
};

const expectClose = (got: readonly unknown[], want: readonly unknown[], tolerance: number) => {
  const [a, b] = [got, want].map((rows) => rows.flat(9) as number[]) as [number[], number[]];
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b[i]!)));
  });
};

describe('timesfm-1', () => {
  test('a series without any value is forecast as zeros', async () => {
    const missing = await ask('first', [seriesOf(new Array<number>(20).fill(Number.NaN))]);
    expect(missing).toEqual(await ask('first', [seriesOf(new Array<number>(20).fill(0))]));
  });

  test.prop([generations, fc.array(lively, { minLength: 2, maxLength: 4 })], runs)(
    'forecasts a batch of unequal lengths as it forecasts one by one',
    async (which, rows) => {
      const series = rows.map((row) => seriesOf(row));
      const alone = await Promise.all(series.map((one) => ask(which, [one])));
      expectClose(
        await ask(which, series),
        alone.map(([only]) => only),
        1e-3,
      );
    },
  );

  test.prop(
    [generations, lively, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })],
    runs,
  )('gives a prefix of a longer forecast', async (which, row, a, b) => {
    const [short, long] = [Math.min(a, b), Math.max(a, b)];
    const whole = await ask(which, [seriesOf(row)], long);
    const cut = whole.map((kinds) => kinds.map((kind) => kind.slice(0, short)));
    expectClose(await ask(which, [seriesOf(row)], short), cut, 1e-4);
  });

  test.prop(
    [generations, lively, fc.integer({ min: 1, max: 20 }), fc.integer({ min: -90, max: 90 })],
    runs,
  )('scales and moves with the series', async (which, row, factor, level) => {
    const moved = row.map((value) => factor * value + level);
    const want = (await ask(which, [seriesOf(row)])).flat(2).map((value) => factor * value + level);
    expectClose(await ask(which, [seriesOf(moved)]), want, 0.02 * factor);
  });

  test.prop([lively], runs)('forecasts a part of the series where it is split', async (row) => {
    const [smooth, rest] = decompose(Float64Array.from(row), 4).map((part) => Array.from(part));
    const parts = await ask('second', [seriesOf(smooth!), seriesOf(rest!)]);
    const sum = parts[0]!.map((kind, i) => kind.map((value, h) => value + parts[1]![i]![h]!));
    expectClose(await ask('second', [seriesOf(row)], 20, { window_size: 4 }), sum, 1e-3);
  });

  test('reads the frequency of the series unless it is told another', async () => {
    const row = Array.from({ length: 40 }, (_, i) => Math.sin(i / 2));
    const [hourly, yearly] = await ask('first', [seriesOf(row, 'h'), seriesOf(row, 'YE')]);
    const told = await ask('first', [seriesOf(row, 'h'), seriesOf(row)], 20, { freq: [0, 2] });
    expectClose(told, [hourly, yearly], 1e-5);
    expect(hourly![0]![0]).not.toBeCloseTo(yearly![0]![0]!, 3);
  });

  test.prop(
    [generations, lively, fc.constantFrom('xreg + timesfm', 'timesfm + xreg'), fc.boolean()],
    runs,
  )(
    'moves all quantiles alike by what covariates explain',
    async (which, row, xreg_mode, normalize) => {
      const days = row.map((_, i) => ['mon', 'tue', 'wed'][i % 3]!);
      const series: ModelSeries = {
        ...seriesOf(row),
        pastCovariates: { day: days, price: row.map((_, i) => i % 5) },
        futureCovariates: { day: ['mon', 'new', null], price: [1, Number.NaN, 9] },
        staticCovariates: { size: 3 },
      };
      const options = { xreg_mode, ridge: 0.5, normalize };
      const got = await ask(which, [series, seriesOf(row)], 3, options);
      expect((got.flat(9) as number[]).every(Number.isFinite)).toBe(true);
      if (xreg_mode === 'timesfm + xreg') {
        const [[, ...moved], [, ...plain]] = got as [number[][], number[][]];
        const shifts = moved.map((level, q) => level.map((value, h) => value - plain[q]![h]!));
        const size = Math.max(...plain.flat().map(Math.abs), ...moved.flat().map(Math.abs));
        expectClose(shifts, [shifts[0], shifts[0], shifts[0]], 1e-5 * (1 + size));
      }
    },
  );

  test.prop([generations, lively, fc.integer({ min: -9, max: 9 })], runs)(
    'follows a covariate that explains everything',
    async (which, price, level) => {
      const row = price.map((value) => 3 * value + level);
      const series = {
        ...seriesOf(row),
        pastCovariates: { price },
        futureCovariates: { price: [1, 2, 3] },
      };
      const [[mean]] = (await ask(which, [series], 3)) as [number[][]];
      expectClose(mean!, [3 + level, 6 + level, 9 + level], 0.02);
    },
  );

  test('refuses a context that is no whole number of patches, and a list that fits no series', async () => {
    const refusal = (options: Task['options']) =>
      ask('first', [seriesOf([1, 2, 3])], 4, options).then(String, (error: Error) => error.message);
    expect(await refusal({ context_len: 20 })).toMatchInlineSnapshot(
      `"options.context_len = 20 is no multiple of the patch of 8 values"`,
    );
    expect(await refusal({ freq: [0, 1, 2] })).toMatchInlineSnapshot(
      `"options.freq has 3 entries for 1 series"`,
    );
    expect(await refusal({ freq: 3 })).toMatchInlineSnapshot(
      `"options.freq = 3 is not valid for timesfm-1: Too big: expected number to be <=2"`,
    );
  });

  test('knows the published sizes', () => {
    const parametersOf = (config: object): number => {
      const { weights, declared } = declaring();
      timesfm1.graphs(timesfm1.config.parse(config), weights, (_, tensor) => tensor);
      return [...declared.values()].reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      );
    };
    expect(parametersOf({})).toMatchInlineSnapshot(`203568960`);
    expect(parametersOf({ num_layers: 50 })).toMatchInlineSnapshot(`498828960`);
    const limits = (config: object) =>
      timesfm1.capabilities(timesfm1.config.parse(config)).contextLength;
    expect([limits({}), limits({ num_layers: 50 })]).toEqual([512, 2048]);
  });
});

describe('frequencyClass', () => {
  test.each([
    ['15min', 0],
    ['h', 0],
    ['D', 0],
    ['B', 0],
    ['W-SUN', 1],
    ['MS', 1],
    ['2ME', 1],
    ['QS-JAN', 2],
    ['YE', 2],
    ['A-DEC', 2],
    ['auto', 0],
    [undefined, 0],
  ] as const)('of %s is %i', (alias, want) => {
    expect(frequencyClass(alias)).toBe(want);
  });
});
