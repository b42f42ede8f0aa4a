import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { toHistory } from './history.ts';
import { Past } from './past.ts';
import { fitRegression, recentPast, regressAt, stepsFor } from './regression.ts';
import { momentsOf, ridge } from './ridge.ts';
import { simulator } from './simulate.ts';

const series = (n: number, at: (t: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, t) => at(t));

const wave = (period: number, t: number): number => Math.sin((2 * Math.PI * t) / period);

const forecast = (values: Float64Array, seasons: readonly number[], horizon: number) => {
  const history = toHistory(values, seasons);
  const past = recentPast(history, horizon);
  const prediction = regressAt(
    fitRegression(past, horizon, past.y.length, 400),
    past.y.length,
    horizon,
  );
  const toRaw = (path: Float64Array) => path.map((x) => x * history.scale + history.shift);
  return {
    mean: toRaw(prediction.mean),
    quantile: (level: number) => toRaw(prediction.quantile(level)),
  };
};

describe('ridge', () => {
  const columns = Float64Array.of(1, 1, 1, 1, 0, 1, 2, 3);
  const targets = Float64Array.of(1, 3, 5, 7);
  const ones = new Float64Array(4).fill(1);

  it('is least squares without a pull', () => {
    const [intercept, slope] = ridge(momentsOf(columns, targets, ones), [0, 0], [0, 0]);
    expect(intercept).toBeCloseTo(1, 6);
    expect(slope).toBeCloseTo(2, 6);
  });

  it('goes to its prior with the pull, and without rows', () => {
    const pulled = ridge(momentsOf(columns, targets, ones), [5, -5], [1e9, 1e9]);
    expect(pulled[0]).toBeCloseTo(5, 4);
    expect(pulled[1]).toBeCloseTo(-5, 4);
    const none = momentsOf(new Float64Array(0), new Float64Array(0), new Float64Array(0));
    expect(Array.from(ridge(none, [5, -5], [1, 1]))).toEqual([5, -5]);
  });

  test.prop([
    fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 5, maxLength: 9 }),
  ])('sums every row once, by its weight', (weights) => {
    const w = Float64Array.from(weights);
    const x = series(w.length, (t) => t - 2);
    const z = series(w.length, (t) => t * t);
    const expected = w.reduce((sum, weight, t) => sum + weight * x[t]! * x[t]!, 0);
    expect(momentsOf(x, z, w).products[0]).toBeCloseTo(expected, 8);
  });
});

describe('Past', () => {
  test.prop([
    fc.integer({ min: 1, max: 1e6 }),
    fc.constantFrom([1, 0], [7, 0], [24, 168], [7, 90]),
    fc.integer({ min: 1, max: 60 }),
  ])('reads nothing at or after the end', (seed, [period, long], h) => {
    const { normal } = simulator(seed);
    const y = series(600, normal);
    const end = 480;
    const later = y.map((value, t) => (t < end ? value : 1e6 * (t + 1)));
    const read = (values: Float64Array): number[] => {
      const past = new Past(values, period!, long!);
      const row = new Float64Array(past.width);
      const sizes = new Float64Array(3);
      past.features(end, h, past.base(end, h), row);
      past.sizes(end, h, sizes);
      return [past.base(end, h), ...row, ...sizes];
    };
    expect(read(later)).toEqual(read(y));
  });

  it('has the mean of the latest cycles at the phase of the target as its base', () => {
    const y = series(120, (t) => t);
    const past = new Past(y, 10, 0);
    // Target 102 at step 3 after 100 points: 92, 82, 72, 62 are at its phase.
    expect(past.base(100, 3)).toBeCloseTo((92 + 82 + 72 + 62) / 4, 9);
    expect(past.base(100, 13)).toBeCloseTo((92 + 82 + 72 + 62) / 4, 9);
  });
});

describe('stepsFor', () => {
  test.prop([fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 400 })])(
    'ascends from 1 to the horizon',
    (horizon, period) => {
      const steps = stepsFor(horizon, period);
      expect(steps[0]).toBe(1);
      expect(steps.at(-1)).toBe(horizon);
      for (let k = 1; k < steps.length; k++) expect(steps[k]!).toBeGreaterThan(steps[k - 1]!);
    },
  );
});

describe('regression', () => {
  it('repeats an exact season, also a longer one beside it', () => {
    const at = (t: number): number => 10 + 3 * wave(24, t) + 2 * wave(168, t);
    const { mean } = forecast(series(168 * 8, at), [24, 168], 48);
    for (let h = 0; h < 48; h++) expect(Math.abs(mean[h]! - at(168 * 8 + h))).toBeLessThan(0.5);
  });

  it('knows a long season that the short one does not divide', () => {
    const n = 7 * 300;
    const at = (t: number): number => (t % 7 >= 5 ? -4 : 0) + 6 * wave(365, t);
    const { mean } = forecast(series(n, at), [7, 365], 30);
    for (let h = 0; h < 30; h++) expect(Math.abs(mean[h]! - at(n + h))).toBeLessThan(0.5);
  });

  it('learns how fast a deviation fades', () => {
    const { normal } = simulator(1);
    let state = 0;
    const values = series(4000, () => {
      state = 0.8 * state + normal();
      return state;
    });
    values[3999] = 6;
    const { mean } = forecast(values, [], 8);
    expect(mean[0]!).toBeGreaterThan(3.5);
    expect(mean[0]!).toBeLessThan(5.5);
    expect(mean[7]!).toBeLessThan(2);
  });

  it('spreads where the phase is noisy and not where it is calm', () => {
    const { normal } = simulator(2);
    const values = series(24 * 60, (t) => 5 + (t % 24 < 12 ? normal() : 0.01 * normal()));
    const { quantile } = forecast(values, [24], 24);
    const [low, high] = [quantile(0.1), quantile(0.9)];
    const width = (h: number): number => high[h]! - low[h]!;
    const mean = (from: number): number =>
      Array.from({ length: 10 }, (_, i) => width(from + i)).reduce((a, b) => a + b, 0) / 10;
    expect(mean(1)).toBeGreaterThan(1.8);
    expect(mean(1)).toBeLessThan(3.5);
    expect(mean(13)).toBeLessThan(0.8);
  });

  it('is not moved by a few wild values', () => {
    const { normal } = simulator(3);
    const clean = series(24 * 40, (t) => 10 + 5 * wave(24, t) + 0.3 * normal());
    const wild = clean.map((y, t) => (t === 100 || t === 333 ? -9999 : y));
    const { mean } = forecast(wild, [24], 24);
    for (let h = 0; h < 24; h++) {
      expect(Math.abs(mean[h]! - (10 + 5 * wave(24, h)))).toBeLessThan(1.5);
    }
  });
});
