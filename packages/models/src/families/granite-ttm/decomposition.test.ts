import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mirroredPlaces, smoothingKernel, smoothingWindow } from './decomposition.ts';

const lengths = fc.integer({ min: 3, max: 3000 });

test('the window is odd, at least 3, and no longer than the series', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const window = smoothingWindow(length);
      expect(window % 2).toBe(1);
      expect(window).toBeGreaterThanOrEqual(3);
      expect(window).toBeLessThanOrEqual(length);
    }),
  );
});

test.each([
  [3, 3],
  [4, 3],
  [16, 5],
  [32, 5],
  [50, 9], // 7.5 rounds to the even 8, then up to odd
  [90, 15], // 13.5 rounds to the even 14
  [512, 77],
])('a series of %i points is smoothed over %i', (length, window) => {
  expect(smoothingWindow(length)).toBe(window);
});

test('the kernel is a symmetric bell of sum 1', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const kernel = smoothingKernel(smoothingWindow(length));
      expect(kernel.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      expect(Array.from(kernel)).toEqual(Array.from(kernel).reverse());
    }),
  );
});

test('the ends are mirrored about the end points', () => {
  expect(Array.from(mirroredPlaces(4, 5), Number)).toEqual([2, 1, 0, 1, 2, 3, 2, 1]);
});
