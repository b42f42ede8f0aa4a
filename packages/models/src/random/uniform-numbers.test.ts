import { expect, test } from 'vitest';
import { uniformNumbers } from './uniform-numbers.ts';

const series = Float32Array.of(1, 2, 3);

test('equal seeds and series give equal numbers, a longer list begins with the shorter', () => {
  const numbers = uniformNumbers(7, series, 100);
  expect(uniformNumbers(7, series.slice(), 40)).toEqual(numbers.subarray(0, 40));
  expect(uniformNumbers(8, series, 100)).not.toEqual(numbers);
  expect(uniformNumbers(7, Float32Array.of(1, 2, 4), 100)).not.toEqual(numbers);
});

test('they are below 1 in float32 and spread evenly', () => {
  const numbers = uniformNumbers(0, series, 20_000);
  expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true);
  const tenths = new Array<number>(10).fill(0);
  for (const x of numbers) tenths[Math.floor(x * 10)]!++;
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
});
