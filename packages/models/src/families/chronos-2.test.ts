import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelSeries, SeriesForecast } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/chronos-2/tiny-b');
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

/** Patches of 8, three in one pass. */
const ONE_PASS = 24;
const QUANTILES = [0.1, 0.5, 0.9];

// Eighths, whose sums float32 holds exactly: the spread of a constant series is 0, not what rounding left.
const value = fc.integer({ min: -400, max: 400 }).map((x) => x / 8);
const target = fc.array(value, { minLength: 2, maxLength: 100 });
/** The scale has a floor, so a constant series is a law of its own. */
const varied = target.filter((points) => Math.max(...points) - Math.min(...points) > 0.1);
const seriesOf = (targets: readonly ArrayLike<number>[], id = 'a'): ModelSeries => ({
  id,
  targets,
});

const forecast = async (
  series: readonly ModelSeries[],
  horizon: number,
  options: Readonly<Record<string, unknown>> = {},
): Promise<readonly SeriesForecast[]> =>
  (await model.forecast({ series, horizon, quantiles: QUANTILES, options })).forecasts;

/** All quantiles of all targets. */
const numbers = ({ targets }: SeriesForecast): number[] =>
  targets.flatMap(({ quantiles }) => quantiles.flatMap((row) => Array.from(row)));

/** Equal but for float32's rounding, at the scale of the numbers. */
const expectNear = (got: readonly number[], want: readonly number[], slack = 1e-4): void => {
  const size = want.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => {
    expect(Math.abs(x - want[i]!), `at ${i}: ${x} for ${want[i]}`).toBeLessThan(slack * size);
  });
};

const check = <T>(arbitrary: fc.Arbitrary<T>, law: (sample: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, law), { numRuns: 12 });

describe('laws', () => {
  test('a batch of unequal lengths equals its series one by one', () =>
    check(
      fc.array(fc.array(target, { minLength: 1, maxLength: 1 }), { minLength: 2, maxLength: 4 }),
      async (all) => {
        const together = await forecast(
          all.map((targets) => seriesOf(targets)),
          11,
        );
        for (const [i, targets] of all.entries()) {
          const [alone] = await forecast([seriesOf(targets)], 11);
          expectNear(numbers(together[i]!), numbers(alone!));
        }
      },
    ));

  test('shifting and scaling the series shifts and scales the forecast', () =>
    check(
      fc.tuple(varied, fc.constantFrom(0.25, 4, 64), fc.integer({ min: -8, max: 8 })),
      async ([points, factor, shift]) => {
        const [plain] = await forecast([seriesOf([points])], 9);
        const [moved] = await forecast([seriesOf([points.map((x) => x * factor + shift)])], 9);
        expectNear(
          numbers(moved!),
          numbers(plain!).map((x) => x * factor + shift),
          2e-3,
        );
      },
    ));

  test('missing points before the first are as if they were not there', () =>
    check(target, async (points) => {
      const padded = [...Array.from({ length: 13 }, () => Number.NaN), ...points];
      const [plain] = await forecast([seriesOf([points.slice(-70)])], 5);
      const [late] = await forecast([seriesOf([padded.slice(-Math.min(83, padded.length))])], 5, {
        context_length: Math.min(70, points.length),
      });
      expectNear(numbers(late!), numbers(plain!));
    }));

  test('the order of the variates of a series does not matter', () =>
    check(
      fc.tuple(
        fc.array(value, { minLength: 30, maxLength: 30 }),
        fc.array(value, { minLength: 30, maxLength: 30 }),
      ),
      async ([a, b]) => {
        const [ab] = await forecast([seriesOf([a, b])], 10);
        const [ba] = await forecast([seriesOf([b, a])], 10);
        expectNear(numbers({ targets: ba!.targets.toReversed() }), numbers(ab!));
      },
    ));

  test('past one pass, a longer horizon leaves the first pass as it is', () =>
    check(target, async (points) => {
      const [short] = await forecast([seriesOf([points])], ONE_PASS + 1);
      const [long] = await forecast([seriesOf([points])], 2 * ONE_PASS);
      const first = ({ targets }: SeriesForecast): number[] =>
        targets[0]!.quantiles.flatMap((row) => Array.from(row).slice(0, ONE_PASS));
      expectNear(first(long!), first(short!));
    }));
});

const wave = Float32Array.from({ length: 60 }, (_, t) => Math.sin(t / 3) + t / 50);

test('a variate, a past covariate and a series of the batch are all rows of the group', async () => {
  const other = wave.map((x) => 2 - x);
  const [alone] = await forecast([seriesOf([wave])], 8);
  const [joint] = await forecast([seriesOf([wave, other])], 8);
  const covariate = { pastCovariates: { x: other } };
  const [past] = await forecast([{ ...seriesOf([wave]), ...covariate }], 8);
  const known = { ...covariate, futureCovariates: { x: [1, 0, 1, 0, 1, 0, 1, 0] } };
  const [future] = await forecast([{ ...seriesOf([wave]), ...known }], 8);
  const [cross] = await forecast([seriesOf([wave]), seriesOf([other])], 8, {
    cross_learning: true,
  });
  const firsts = [alone, joint, past, future, cross].map((one) => one!.targets[0]!.mean[0]!);
  expect([firsts[2], firsts[4]]).toEqual([firsts[1], firsts[1]]);
  expect(new Set(firsts).size).toBe(3);
});

test('all missing gives finite numbers', async () => {
  const [empty, missing] = await forecast(
    [seriesOf([[]]), seriesOf([[Number.NaN, Number.NaN]])],
    3,
  );
  for (const one of [empty, missing]) expect(numbers(one!).every(Number.isFinite)).toBe(true);
});

test('warns of a context_length beyond the model', async () => {
  const { warnings } = await model.forecast({
    series: [seriesOf([wave])],
    horizon: 1,
    quantiles: [],
    options: { context_length: 1000 },
  });
  expect(warnings).toEqual(['context_length 1000 is more than the model reads; 88 is used']);
});

test.each([
  [{ unrolled_quantiles: [0.15] }, 'the model was not trained for 0.15'],
  [{ batch_size: 0 }, 'options.batch_size = 0'],
  [{ cross_learning: 'yes' }, 'options.cross_learning = "yes"'],
])('refuses options %j', async (options, message) => {
  await expect(forecast([seriesOf([wave])], 2, options)).rejects.toThrow(message);
});

test('embeds context patches, REG and one future patch of each variate', async () => {
  const [one, two] = await model.embed({
    series: [seriesOf([wave, wave]), { ...seriesOf([wave]), pastCovariates: { x: wave } }],
    options: {},
  });
  expect(one!.states.dims).toEqual([2, 8 + 2, 12]);
  expect(two!.states.dims).toEqual([1, 8 + 2, 12]);
  expect(one!.loc).toHaveLength(2);
});

test('says what it can do', () => {
  expect(model.capabilities).toMatchObject({
    contextLength: 88,
    nativeHorizon: ONE_PASS,
    maxHorizon: null,
    multivariate: true,
    samples: false,
  });
});

test.each([
  [{ input_patch_stride: 0 }, 'input_patch_stride = 0'],
  [{ output_patch_size: 16 }, 'output_patch_size = 16'],
  [{ use_reg_token: false }, 'use_reg_token = false'],
])('refuses a config with %j', async (change, message) => {
  const config = JSON.parse(await readFile(resolve(folder, 'config.json'), 'utf8'));
  const changed = { ...config, chronos_config: { ...config.chronos_config, ...change } };
  expect(() => familyOf(changed, new Map())).toThrow(message);
});
