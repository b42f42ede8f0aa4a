import { expect, test } from 'vitest';
import { histogram } from './percentile.ts';

test('an empty histogram has no numbers', () => {
  expect(histogram([])).toEqual({
    unit: 'ms',
    count: 0,
    p50: null,
    p90: null,
    p95: null,
    p99: null,
    min: null,
    max: null,
    mean: null,
  });
  expect(histogram([3, 1, 2])).toMatchObject({ min: 1, max: 3, mean: 2, p50: 2, count: 3 });
});
