import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import {
  batchEqualsOneByOne,
  expectClose,
  few,
  forecaster,
  forecastMovesWithSeries,
  wavesWithGaps,
} from '../testing/univariate-laws.ts';
import { basisFunctions } from './flowstate/basis.ts';
import { scaleFactorOf } from './flowstate/scale-factor.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/flowstate/r1.1');
const PATCH = 6;
const CONTEXT = 72;
const LEVELS = [0.1, 0.5, 0.9];
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

const forecast = forecaster(model, LEVELS);
const history = wavesWithGaps(60, 8);
const law = { forecast, history, tolerance: 2e-3 };
const horizon = fc.integer({ min: 1, max: 30 });

describe('flowstate', () => {
  test('a batch of unequal lengths equals its series one by one', () =>
    batchEqualsOneByOne(law, horizon));

  test('scaling and shifting a series scales and shifts its forecast', () =>
    forecastMovesWithSeries(law, 0.5));

  test('whole patches do not depend on what is asked for after them', async () => {
    const patches = fc.integer({ min: 1, max: 3 });
    const beyond = fc.integer({ min: 0, max: 10 });
    await fc.assert(
      fc.asyncProperty(history, patches, beyond, async (row, count, more) => {
        const [short] = await forecast([row.slice(-50)], count * PATCH);
        const [long] = await forecast([row.slice(-50)], count * PATCH + more);
        expectClose(Array.from(long!.mean).slice(0, count * PATCH), short!.mean, 2e-3);
      }),
      few,
    );
  });

  test('every horizon has its length and ordered quantiles', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, async (row, steps) => {
        const [one] = await forecast([row], steps);
        expect(one!.mean.length).toBe(steps);
        const [low, middle, high] = one!.quantiles;
        for (let h = 0; h < steps; h++) {
          expect(low![h]!).toBeLessThanOrEqual(middle![h]!);
          expect(middle![h]!).toBeLessThanOrEqual(high![h]!);
        }
      }),
      few,
    );
  });

  test('the context counts the missing steps of the horizon', async () => {
    const row = Float64Array.from({ length: 100 }, (_, i) => Math.sin(i) + (i % 5));
    const missing = 10;
    const [all] = await forecast([row], PATCH + missing);
    const [kept] = await forecast([row.slice(-(CONTEXT - missing))], PATCH + missing);
    expect(all).toEqual(kept);
  });

  test('the frequency of a series sets the scale, options come first', async () => {
    const row = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i) + (i % 5));
    const [monthly] = await forecast([row], 3, {}, { freq: 'MS' });
    expect(monthly).toEqual((await forecast([row], 3, { scale_factor: 2 }))[0]);
    expect(monthly).toEqual((await forecast([row], 3, { season_length: 12 }))[0]);
    const [hourly] = await forecast([row], 3, { scale_factor: 1 }, { freq: 'MS' });
    expect(hourly).toEqual((await forecast([row], 3))[0]);
    expect(hourly).not.toEqual(monthly);
  });

  test.each(['ms', 'us', 'ns'])(
    'a frequency of %s takes no memory for the rest of its patch',
    async (freq) => {
      const row = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i) + (i % 5));
      const [short] = await forecast([row], 3, {}, { freq });
      const [long] = await forecast([row], 5, {}, { freq });
      expectClose(Array.from(long!.mean).slice(0, 3), short!.mean, 1e-4);
    },
  );

  test('columns that a padded batch shares are cut off, other padding is missing data', async () => {
    const row = [1, 4, 2, 5, 3, 6];
    const padded = [
      [Number.NaN, Number.NaN, ...row],
      [Number.NaN, ...row, 2],
    ];
    const pad_mask = padded.map((values) => values.map((value) => (Number.isNaN(value) ? 1 : 0)));
    const got = await forecast(padded, 4, { pad_mask });
    const want = await forecast(
      [
        [Number.NaN, ...row],
        [...row, 2],
      ],
      4,
    );
    expect(got).toEqual(want);
  });

  test.each([
    { rows: [[]], steps: 2, options: {}, message: "series 's0' has no points" },
    { rows: [[1]], steps: 78, options: {}, message: 'horizon 78 is too long at scale_factor 1' },
    {
      rows: [[1]],
      steps: 2,
      options: { scale_factor: 7 },
      message: 'scale_factor 7 leaves no step',
    },
    { rows: [[1]], steps: 2, options: { scale_factor: 0 }, message: 'options.scale_factor = 0' },
    { rows: [[1, 2]], steps: 2, options: { pad_mask: [[1]] }, message: 'options.pad_mask' },
  ])('refuses: $message', async ({ rows, steps, options, message }) => {
    await expect(forecast(rows, steps, options)).rejects.toThrow(message);
  });

  test.each([
    { key: 'decoder_type', value: 'wavelet' },
    { key: 'mlp_type', value: 'dense' },
    { key: 'with_missing', value: 'no' },
  ])('a config with $key = $value is refused by name', ({ key, value }) => {
    const config = {
      model_type: 'flowstate',
      context_length: 72,
      embedding_feature_dim: 16,
      encoder_state_dim: 16,
      encoder_num_layers: 3,
      decoder_dim: 12,
      decoder_patch_len: 6,
      quantiles: LEVELS,
    };
    expect(() => familyOf({ ...config, [key]: value }, new Map())).toThrow(`${key} = `);
    expect(() => familyOf({ ...config, decoder_type: 'four' }, new Map())).toThrow(
      'decoder_dim = 12',
    );
  });
});

describe('basis functions', () => {
  const values = (type: 'legs' | 'hlegs' | 'four', scale: number) =>
    basisFunctions({ type, count: 5, patchLength: 4, scale, points: 4 });
  const column = (flat: Float32Array, j: number) =>
    Array.from({ length: 5 }, (_, d) => 4 * flat[d * 4 + j]!);

  test('Legendre polynomials end at 0.95, from -1 or from 0', () => {
    const t = 0.95;
    const want = [
      1,
      t,
      (3 * t * t - 1) / 2,
      (5 * t ** 3 - 3 * t) / 2,
      (35 * t ** 4 - 30 * t * t + 3) / 8,
    ];
    expectClose(column(values('legs', 1), 3), want, 2e-6);
    expectClose(column(values('hlegs', 1), 3), want, 2e-6);
    expect(4 * values('legs', 1)[4]!).toBeCloseTo(-1 + 1.95 / 4, 6);
    expect(4 * values('hlegs', 1)[4]!).toBeCloseTo(0.95 / 4, 6);
  });

  test('sines and cosines alternate', () => {
    const t = 0.25;
    const wave = [
      1,
      Math.sin(2 * Math.PI * t),
      Math.cos(2 * Math.PI * t),
      Math.sin(4 * Math.PI * t),
      Math.cos(4 * Math.PI * t),
    ];
    expectClose(column(values('four', 1), 0), wave, 2e-6);
  });

  test('half the scale takes twice the steps to the same time', () => {
    expectClose(column(values('legs', 0.5), 3), column(values('legs', 1), 1), 2e-6);
  });
});

test.each([
  ['h', undefined, 1],
  ['6h', undefined, 6],
  ['15min', undefined, 24 / 96],
  ['T', undefined, 24 / 1440],
  ['4s', undefined, 24 / 900],
  ['10s', undefined, 24 / 360],
  ['D', undefined, 24 / 365],
  ['D', 'Sales', 24 / 7],
  ['3D', 'transport', 72 / 7],
  ['W-SUN', undefined, 24 / (365 / 7)],
  ['MS', undefined, 2],
  ['QS', undefined, 6],
  ['YE', undefined, 6],
])('the scale factor of %s (%s) is %d', (freq, domain, want) => {
  expect(scaleFactorOf(freq, domain)).toBeCloseTo(want, 12);
});
