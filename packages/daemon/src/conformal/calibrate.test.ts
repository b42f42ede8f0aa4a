import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { normalFrom, uniformFrom } from '../generate/random.ts';
import { calibrate, conformalQuantile, intervalAround, neededScores } from './calibrate.ts';

describe('conformal', () => {
  test.each([
    [0.5, 1],
    [0.8, 4],
    [0.9, 9],
    [0.95, 19],
  ])('a coverage of %d needs %d errors', (coverage, needed) => {
    expect(neededScores(coverage)).toBe(needed);
  });

  test('the rank is that of n + 1', () => {
    const scores = [9, 1, 8, 2, 7, 3, 6, 4, 5];
    expect(conformalQuantile(scores, 0.9)).toBe(9);
    expect(conformalQuantile(scores, 0.5)).toBe(5);
  });

  property.prop([
    fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 }),
    fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  ])('at least the asked share of the errors is within the width', (scores, coverage) => {
    const width = conformalQuantile(scores, coverage);
    const within = scores.filter((score) => score <= width).length;
    expect(within / scores.length).toBeGreaterThanOrEqual(Math.min(coverage, 1) - 1e-9);
  });

  test('steps have widths of their own where each has enough errors', () => {
    const row = (i: number) => ({ actual: [i, 10 * i], predicted: [0, 0] });
    const many = Array.from({ length: 9 }, (_, i) => row(i + 1));
    expect(calibrate(many, 0.9, 'split')).toEqual({
      widths: [9, 90],
      isByStep: true,
      scores: 9,
      isTooFew: false,
    });
    expect(calibrate(many.slice(0, 3), 0.9, 'split')).toMatchObject({
      widths: [30],
      isByStep: false,
      isTooFew: true,
    });
    expect(calibrate([{ actual: [Number.NaN], predicted: [1] }], 0.9, 'split')).toBeUndefined();
  });

  test('adaptive widths grow with the forecast', () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({
      actual: [1.1 * (i + 1)],
      predicted: [i + 1],
    }));
    const { lower, upper } = intervalAround(
      [10, 100],
      calibrate(rows, 0.9, 'adaptive')!,
      'adaptive',
    );
    expect(upper[0]! - lower[0]!).toBeCloseTo(2, 6);
    expect(upper[1]! - lower[1]!).toBeCloseTo(20, 6);
  });

  test('new errors of the same kind are held as promised', () => {
    const normal = normalFrom(uniformFrom(11));
    let held = 0;
    const trials = 400;
    for (let t = 0; t < trials; t++) {
      const rows = Array.from({ length: 19 }, () => ({ actual: [normal()], predicted: [0] }));
      const { widths } = calibrate(rows, 0.9, 'split')!;
      if (Math.abs(normal()) <= widths[0]!) held++;
    }
    expect(held / trials).toBeGreaterThan(0.86);
    expect(held / trials).toBeLessThan(0.95);
  });
});
