import { describe, expect, test } from 'vitest';
import { criticalT, twoSidedP } from '../statistics/student-t.ts';
import { compareLosses, compareRatios } from './diebold-mariano.ts';

describe("Student's t", () => {
  test.each([
    [0.05, 1, 12.7062047],
    [0.05, 10, 2.2281389],
    [0.01, 30, 2.7499957],
    [0.05, 1e6, 1.9599663],
  ])('two-sided %f with %d degrees', (alpha, degrees, t) => {
    expect(criticalT(alpha, degrees)).toBeCloseTo(t, 5);
    expect(twoSidedP(t, degrees)).toBeCloseTo(alpha, 7);
  });
});

test('one step ahead it is the t-test of the differences', () => {
  const a = [1, 2, 3, 4, 5];
  const b = [2, 2, 5, 4, 7];
  const { meanDifference, statistic, pValue, interval, count } = compareLosses(a, b);
  // Differences -1 0 -2 0 -2: mean -1, standard deviation 1, standard error 1 / sqrt(5).
  expect(meanDifference).toBe(-1);
  expect(statistic).toBeCloseTo(-Math.sqrt(5), 10);
  expect(pValue).toBeCloseTo(0.089, 4);
  expect(interval[0]).toBeCloseTo(-1 - 2.7764451 / Math.sqrt(5), 6);
  expect(count).toBe(5);
});

test('it is antisymmetric, and equal losses differ by nothing', () => {
  const a = [1, 5, 2, 8, 3, 1];
  const b = [2, 3, 3, 7, 1, 4];
  const forward = compareLosses(a, b, { horizon: 2 });
  expect(compareLosses(b, a, { horizon: 2 }).statistic).toBeCloseTo(-forward.statistic, 12);
  expect(compareLosses(a, a)).toMatchObject({ statistic: 0, pValue: 1, interval: [0, 0] });
});

test('pairs with a missing loss are left out; too few are refused', () => {
  expect(compareLosses([1, Number.NaN, 2], [2, 1, 4]).count).toBe(2);
  expect(() => compareLosses([1], [2])).toThrow(/1 pairs/);
});

test('ratios: geometric mean with its interval', () => {
  const { ratio, interval, wins } = compareRatios([1, 2, 3], [2, 4, 6]);
  expect(ratio).toBeCloseTo(0.5, 12);
  expect(interval[0]).toBeCloseTo(0.5, 12);
  expect(wins).toBe(1);
});
