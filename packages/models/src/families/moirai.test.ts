import { resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries, Task } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import { moirai } from './moirai.ts';

const model = await openModel(
  resolve(import.meta.dirname, '../../../../golden/moirai/tiny-1head'),
  { threads: 1 },
);
afterAll(() => model[Symbol.asyncDispose]());

/** The model knows patches of 4, 8 and 16 points. */
const FIXED = { patch_size: 8 };
const LEVELS = [0.1, 0.25, 0.5, 0.9];
const HORIZON = 10;
const runs = { numRuns: 12 };

const values = fc.double({ min: -5, max: 20, noNaN: true });
const points = (minLength: number, maxLength = 60) => fc.array(values, { minLength, maxLength });
const gappy = fc.array(fc.oneof({ weight: 4, arbitrary: values }, fc.constant(Number.NaN)), {
  minLength: 1,
  maxLength: 50,
});

const seriesOf = (targets: readonly (readonly number[])[], id = 'a'): ModelSeries => ({
  id,
  targets,
});

const ask = async (series: readonly ModelSeries[], options: Task['options'] = FIXED) => {
  const { forecasts } = await model.forecast({
    series,
    horizon: HORIZON,
    quantiles: LEVELS,
    options,
  });
  return forecasts;
};

/** [series][variate][mean and quantiles][horizon] */
const rowsOf = (forecasts: Awaited<ReturnType<typeof ask>>): number[][][][] =>
  forecasts.map(({ targets }) =>
    targets.map(({ mean, quantiles }) => [mean, ...quantiles].map((row) => Array.from(row))),
  );

const expectClose = (
  got: readonly unknown[],
  want: readonly unknown[],
  tolerance: number,
): void => {
  const [a, b] = [got, want].map((rows) => rows.flat(9) as number[]) as [number[], number[]];
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b[i]!)));
  });
};

describe('moirai', () => {
  test.prop(
    [fc.array(points(2), { minLength: 2, maxLength: 4 }), fc.constantFrom('auto', 4, 16)],
    runs,
  )('forecasts a batch of unequal lengths as it forecasts one by one', async (rows, patch_size) => {
    const series = rows.map((row) => seriesOf([row]));
    const together = await ask(series, { patch_size });
    const alone = await Promise.all(series.map((one) => ask([one], { patch_size })));
    expectClose(rowsOf(together), alone.flatMap(rowsOf), 2e-3);
    expect(together.map(({ explanation }) => explanation?.patch_size)).toEqual(
      alone.map(([only]) => only?.explanation?.patch_size),
    );
  });

  test.prop(
    [points(32, 32), fc.integer({ min: 2, max: 50 }), fc.integer({ min: -100, max: 100 })],
    runs,
  )('scales and moves with a series that fills its patches', async (row, factor, level) => {
    const wide = row.map((value, i) => value + 30 * (i % 3));
    const [plain, moved] = [
      await ask([seriesOf([wide])]),
      await ask([seriesOf([wide.map((value) => factor * value + level)])]),
    ];
    const want = rowsOf(plain)
      .flat(3)
      .map((value) => factor * value + level);
    expectClose(rowsOf(moved), want, 0.03);
  });

  test.prop([gappy, fc.constantFrom('auto', 4)], runs)(
    'gives numbers in the order of their levels whatever is missing',
    async (row, patch_size) => {
      const [[[, ...quantiles]]] = rowsOf(await ask([seriesOf([row])], { patch_size })) as [
        [number[][]],
      ];
      for (let step = 0; step < HORIZON; step++) {
        const fan = quantiles.map((level) => level[step]!);
        expect(fan.every(Number.isFinite)).toBe(true);
        expect(fan.toSorted((a, b) => a - b)).toEqual(fan);
      }
    },
  );

  test.prop([points(20, 20), points(20, 20), points(20, 20)], runs)(
    'forecasts variates in any order alike',
    async (a, b, c) => {
      const [first] = rowsOf(await ask([seriesOf([a, b, c])]));
      const [second] = rowsOf(await ask([seriesOf([c, a, b])]));
      expectClose([second![1], second![2], second![0]], first!, 2e-3);
    },
  );

  test('takes the patch size that forecasts the last points best', async () => {
    const row = Array.from({ length: 70 }, (_, i) => 10 + Math.sin(i / 4));
    const [forecast] = await ask([seriesOf([row])], {});
    const { patch_size, val_loss } = forecast!.explanation as {
      patch_size: number;
      val_loss: Record<string, number>;
    };
    expect(Object.keys(val_loss)).toEqual(['4', '8', '16']);
    expect(val_loss[patch_size]).toBe(Math.min(...Object.values(val_loss)));
    const [same] = await ask([seriesOf([row])], { patch_size });
    expectClose(rowsOf([forecast!]), rowsOf([same!]), 1e-5);
  });

  test('draws the same samples for the same seed, whatever the batch', async () => {
    const row = Array.from({ length: 24 }, (_, i) => 10 + Math.sin(i / 4));
    const options = { ...FIXED, num_samples: 400, seed: 7 };
    const [alone] = await ask([seriesOf([row], 'x')], options);
    const [, again] = await ask([seriesOf([row], 'y'), seriesOf([row], 'x')], options);
    const { samples, quantiles } = alone!.targets[0]!;
    expect(samples?.length).toBe(400);
    expectClose(
      samples!.map((path) => Array.from(path)),
      again!.targets[0]!.samples!.map((path) => Array.from(path)),
      1e-4,
    );
    const below = samples!.filter((path) => path[3]! <= quantiles[2]![3]!).length / 400;
    expect(Math.abs(below - 0.5)).toBeLessThan(0.15);
  });

  test('refuses a patch size that the model has not', async () => {
    await expect(
      ask([seriesOf([[1, 2]])], { patch_size: 5 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: options.patch_size = 5 is none of the model's sizes 4, 8, 16]`,
    );
  });

  test('refuses distributions that it does not know, by name', () => {
    const config = {
      d_model: 64,
      num_layers: 1,
      patch_sizes: [8],
      distr_output: {
        _target_: 'uni2ts.distribution.mixture.MixtureOutput',
        components: [{ _target_: 'uni2ts.distribution.beta.BetaOutput' }],
      },
    };
    expect(() => familyOf(config, new Map())).toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: config.json: distr_output.components.0._target_ = "uni2ts.distribution.beta.BetaOutput" is not valid for moirai: known are StudentTOutput, NormalOutput, NormalFixedScaleOutput, LaplaceOutput, LaplaceFixedScaleOutput, NegativeBinomialOutput, LogNormalOutput, ParetoOutput, ParetoFixedAlphaOutput]`,
    );
    expect(
      moirai.recognizes(
        config,
        new Map([['encoder.layers.0.ffn.experts.0.fc1.weight', { dtype: 'float32', shape: [1] }]]),
      ),
    ).toBe(false);
  });
});
