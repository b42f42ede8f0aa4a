import { expect, test } from 'vitest';
import { smoothed } from './smoothing.ts';

test('levels begin at the mean of the first four values from the start', () => {
  const values = Float64Array.of(99, 99, 1, 2, 3, 6, 4, 5, 4, 3);
  const { level, slope } = smoothed(values, 2, values.length, false);
  expect(Array.from(level.subarray(0, 3))).toEqual([3, 3, 3]);
  expect(slope.every((value) => value === 0)).toBe(true);
});

test('of few values all make the first level; a level that never moves stays', () => {
  expect(smoothed(Float64Array.of(2, 4), 0, 2, false).level[0]).toBe(3);
  const { level } = smoothed(new Float64Array(20).fill(7), 0, 20, true);
  for (const value of level) expect(value).toBeCloseTo(7, 12);
});
