import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { linearQuantile, quantilesWithTails } from './quantiles.ts';

describe('linearQuantile', () => {
  test.prop([fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1 })])(
    'reaches both ends and never leaves them',
    (values) => {
      const ascending = values.toSorted((a, b) => a - b);
      expect(linearQuantile(ascending, 0)).toBeCloseTo(ascending[0]!, 12);
      expect(linearQuantile(ascending, 1)).toBeCloseTo(ascending.at(-1)!, 12);
    },
  );

  test('interpolates between ranks', () => {
    expect(linearQuantile([0, 10, 20], 0.75)).toBe(15);
  });
});

describe('quantilesWithTails', () => {
  const trained = [0.1, 0.2, 0.5, 0.8, 0.9];
  const rows = [[-2], [-1], [0], [1], [2]];

  test('takes trained levels as they are', () => {
    const got = quantilesWithTails(rows, trained, trained).map(([value]) => value);
    expect(got).toEqual([-2, -1, 0, 1, 2]);
  });

  test('follows an exponential beyond the outermost levels', () => {
    const [left, right] = quantilesWithTails(rows, trained, [0.05, 0.95]);
    expect(left![0]).toBeCloseTo(-3, 5);
    expect(right![0]).toBeCloseTo(3, 5);
  });

  test.prop([
    fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    fc.double({ min: 0.001, max: 0.999, noNaN: true }),
  ])('keeps the order of the levels', (a, b) => {
    const [low, high] = quantilesWithTails(rows, trained, [Math.min(a, b), Math.max(a, b)]);
    expect(low![0]).toBeLessThanOrEqual(high![0]! + 1e-6);
  });

  test('repeats the only level of a point forecast', () => {
    expect(quantilesWithTails([[4]], [0.5], [0.1, 0.9])).toEqual([
      Float32Array.of(4),
      Float32Array.of(4),
    ]);
  });
});
