import { expect, test } from 'vitest';
import { areaPath, linePath } from './sparkline.tsx';

test('a line from the ground to the top, at the right of its room', () => {
  expect(linePath([0, 10], 3, 10)).toBe('M100.0 38.0L200.0 3.0');
});

test('gaps part the line and the area', () => {
  expect(linePath([1, undefined, 1, 1], 4, 1).match(/M/g)).toHaveLength(2);
  expect(areaPath([1, undefined, 1, 1], 4, 1).match(/Z/g)).toHaveLength(2);
});

test('no values, no path', () => {
  expect(linePath([], 10, 1)).toBe('');
  expect(areaPath([undefined], 10, 1)).toBe('');
});
