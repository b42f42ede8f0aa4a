import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelSeries, TargetForecast } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/chronos-t5/tiny-a');
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

/** Steps of one pass. */
const ONE_PASS = 8;
const QUANTILES = [0.1, 0.5, 0.9];

const target = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 50 });
const seriesOf = (values: ArrayLike<number>, id = 'a'): ModelSeries => ({ id, targets: [values] });

const forecast = async (
  all: readonly ArrayLike<number>[],
  horizon: number,
  options: Readonly<Record<string, unknown>> = {},
): Promise<TargetForecast[]> => {
  const series = all.map((values, i) => seriesOf(values, String(i)));
  const { forecasts } = await model.forecast({ series, horizon, quantiles: QUANTILES, options });
  return forecasts.map(({ targets }) => targets[0]!);
};

const paths = ({ samples }: TargetForecast): number[][] => samples!.map((path) => Array.from(path));

const check = <T>(arbitrary: fc.Arbitrary<T>, law: (sample: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, law), { numRuns: 12 });

describe('laws', () => {
  test('a batch of unequal lengths draws the same paths as its series one by one', () =>
    check(fc.array(target, { minLength: 2, maxLength: 4 }), async (all) => {
      const together = await forecast(all, 5);
      for (const [i, values] of all.entries()) {
        const [alone] = await forecast([values], 5);
        expect(paths(together[i]!)).toEqual(paths(alone!));
      }
    }));

  test('multiplying the series multiplies every path', () =>
    check(target, async (values) => {
      const uniforms = Array.from({ length: 4 }, (_, t) => [0.1 + t / 5, 0.9 - t / 5]);
      const options = { num_samples: 2, uniforms };
      const [plain] = await forecast([values], 4, options);
      const [larger] = await forecast([values.map((x) => x * 16)], 4, options);
      const isZero = values.slice(-40).every((x) => x === 0);
      const factor = isZero ? 1 : 16;
      expect(paths(larger!)).toEqual(paths(plain!).map((path) => path.map((x) => x * factor)));
    }));

  test('a longer horizon begins with the shorter one', () =>
    check(target, async (values) => {
      const [short] = await forecast([values], 3);
      const [long] = await forecast([values], ONE_PASS + 2);
      expect(paths(long!).map((path) => path.slice(0, 3))).toEqual(paths(short!));
    }));

  test('quantiles ascend and lie within the paths; the mean is theirs', () =>
    check(target, async (values) => {
      const [one] = await forecast([values], 2, { num_samples: 9 });
      for (let h = 0; h < 2; h++) {
        const drawn = paths(one!).map((path) => path[h]!);
        const levels = one!.quantiles.map((row) => row[h]!);
        expect(levels).toEqual(levels.toSorted((a, b) => a - b));
        expect(levels[0]).toBeGreaterThanOrEqual(Math.min(...drawn));
        expect(levels[2]).toBeLessThanOrEqual(Math.max(...drawn));
        expect(one!.mean[h]).toBeCloseTo(drawn.reduce((a, b) => a + b) / 9, 3);
      }
    }));
});

const wave = Float32Array.from({ length: 45 }, (_, t) => Math.sin(t / 3) * 5 + 6);

test('one likely token is left by top_k 1, by a small top_p and by no sampling', async () => {
  const greedy = await forecast([wave], 6, { do_sample: false });
  expect(paths(greedy[0]!)).toHaveLength(1);
  const path = paths(greedy[0]!)[0];
  for (const options of [{ top_k: 1 }, { top_k: 0, top_p: 1e-6 }, { temperature: 1e-3 }]) {
    const [one] = await forecast([wave], 6, { num_samples: 3, ...options });
    expect(paths(one!)).toEqual([path, path, path]);
  }
});

test('a series may have more paths than one run holds', async () => {
  const [many] = await forecast([wave], 2, { num_samples: 200 });
  const [few] = await forecast([wave], 1, { num_samples: 200 });
  expect(paths(many!).map(([first]) => first)).toEqual(paths(few!).map(([first]) => first));
  expect(new Set(paths(many!).map(String)).size).toBeGreaterThan(5);
});

test('seeds decide the paths', async () => {
  const [a, b, c] = await Promise.all(
    [1, 1, 2].map(async (seed) => paths((await forecast([wave], 8, { seed }))[0]!)),
  );
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test('all missing gives finite numbers', async () => {
  for (const one of await forecast([[], [Number.NaN, Number.NaN]], 3)) {
    expect(paths(one).flat().every(Number.isFinite)).toBe(true);
  }
});

test.each([
  [{ temperature: 0 }, 'options.temperature = 0'],
  [{ top_p: 1.5 }, 'options.top_p = 1.5'],
  [
    { uniforms: [[0.5]] },
    'options.uniforms is [1][1], not [horizon = 2][series * num_samples = 5]',
  ],
])('refuses options %j', async (options, message) => {
  await expect(forecast([wave], 2, options)).rejects.toThrow(message);
});

test('embeds each point and the end token', async () => {
  const [one, two] = await model.embed({
    series: [seriesOf(wave), seriesOf([1, 2, 3])],
    options: {},
  });
  expect(one!.states.dims).toEqual([1, 41, 24]);
  expect(two!.states.dims).toEqual([1, 4, 24]);
  expect(two!.scale).toEqual([2]);
});

test('says what it can do', () => {
  expect(model.capabilities).toMatchObject({
    contextLength: 40,
    nativeHorizon: ONE_PASS,
    quantiles: [],
    multivariate: false,
    samples: true,
  });
});

test.each([
  [{ model_type: 'causal' }, 'model_type = "causal"'],
  [{ tokenizer_class: 'Other' }, 'tokenizer_class = "Other"'],
])('refuses a config with %j', async (change, message) => {
  const config = JSON.parse(await readFile(resolve(folder, 'config.json'), 'utf8'));
  const changed = { ...config, chronos_config: { ...config.chronos_config, ...change } };
  expect(() => familyOf(changed, new Map())).toThrow(message);
});
