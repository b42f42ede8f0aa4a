import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeWords, regress } from './regression.ts';
import { oneSided, robustSpread, twoSided } from './residuals.ts';

const noise = (i: number, k: number): number =>
  Math.sin(i * (k + 1.7)) + Math.cos(i * i * (k + 0.3));

test('slopes are found beside a trend and over gaps', () => {
  const slope = fc.double({ min: -50, max: 50, noNaN: true });
  fc.assert(
    fc.property(slope, slope, slope, (first, second, trend) => {
      const columns = [0, 1].map((k) => Float64Array.from({ length: 400 }, (_, i) => noise(i, k)));
      const values = Float64Array.from({ length: 400 }, (_, i) =>
        i % 11 === 0
          ? Number.NaN
          : 5 + trend * i + first * columns[0]![i]! + second * columns[1]![i]!,
      );
      const { slopes } = regress(values, columns);
      const scale = Math.max(1, Math.abs(first), Math.abs(second));
      expect(Math.abs(slopes[0]! - first) / scale).toBeLessThan(0.02);
      expect(Math.abs(slopes[1]! - second) / scale).toBeLessThan(0.02);
    }),
    { numRuns: 30 },
  );
});

test('columns that do not vary, and next to no history, have no effect', () => {
  const values = Float64Array.from([1, 2, 3, 4, 5, 6]);
  expect([...regress(values, [new Float64Array(6).fill(3)]).slopes]).toEqual([0]);
  expect([...regress(values.subarray(0, 2), [values.subarray(0, 2)]).slopes]).toEqual([0]);
});

test('words stand for the values that they come with', () => {
  const values = Float64Array.from([1, 9, 1, 9, Number.NaN]);
  const encode = encodeWords(values, ['a', 'b', 'a', 'b', 'b']);
  expect(encode('a')).toBeLessThan(encode('b'));
  expect(encode('new')).toBe(5);
});

test('a few wild errors do not move the spread; equal errors have one', () => {
  const errors = Float64Array.from({ length: 101 }, (_, i) => Math.sin(i * 7.1));
  const { deviation } = robustSpread(errors, 1);
  errors[50] = 1e9;
  expect(robustSpread(errors, 1).deviation / deviation).toBeLessThan(1.15);
  expect(robustSpread(new Float64Array(9).fill(4), 10)).toMatchObject({ center: 4 });
  expect(robustSpread(new Float64Array(9).fill(4), 10).deviation).toBeGreaterThan(0);
  expect(twoSided(95)).toBeCloseTo(1.96, 2);
  expect(oneSided(95)).toBeCloseTo(1.645, 3);
});
