import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_MOMENTS, observe, varianceOf } from './causal-moments.ts';

const values = fc
  .array(fc.tuple(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.boolean()), { maxLength: 30 })
  .map((pairs) => ({
    values: Float32Array.from(pairs, ([value]) => value),
    observed: Uint8Array.from(pairs, ([, isSeen]) => (isSeen ? 1 : 0)),
  }));

describe('observe', () => {
  test('gives mean and variance of the observed values', () => {
    fc.assert(
      fc.property(values, ({ values: row, observed }) => {
        const seen = Array.from(row).filter((_, i) => observed[i]);
        const average = seen.reduce((a, b) => a + b, 0) / Math.max(seen.length, 1);
        const squares = seen.reduce((sum, value) => sum + (value - average) ** 2, 0);
        const found = observe(NO_MOMENTS, row, observed);
        expect(found.count).toBe(seen.length);
        expect(found.mean).toBeCloseTo(average, 8);
        expect(varianceOf(found)).toBeCloseTo(squares / Math.max(seen.length - 1, 1), 4);
      }),
    );
  });

  test('goes on where it stopped', () => {
    fc.assert(
      fc.property(values, fc.nat(30), ({ values: row, observed }, cut) => {
        const first = observe(NO_MOMENTS, row.subarray(0, cut), observed.subarray(0, cut));
        const both = observe(first, row.subarray(cut), observed.subarray(cut));
        expect(both).toEqual(observe(NO_MOMENTS, row, observed));
      }),
    );
  });

  test('values that are not observed have no effect', () => {
    fc.assert(
      fc.property(values, ({ values: row, observed }) => {
        const other = row.map((value, i) => (observed[i] ? value : Number.NaN));
        expect(observe(NO_MOMENTS, other, observed)).toEqual(observe(NO_MOMENTS, row, observed));
      }),
    );
  });
});
