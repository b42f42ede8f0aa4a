import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { causalMoments } from './causal-moments.ts';

const SIZE = 4;

const row = fc.integer({ min: 1, max: 6 }).chain((patches) =>
  fc.tuple(
    fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), {
      minLength: patches * SIZE,
      maxLength: patches * SIZE,
    }),
    fc.array(fc.constantFrom(0, 1), { minLength: patches * SIZE, maxLength: patches * SIZE }),
  ),
);

describe('causalMoments', () => {
  test('are those of all observed values up to the end of each patch', () => {
    fc.assert(
      fc.property(row, ([values, observed]) => {
        const found = causalMoments(values, observed, SIZE);
        found.mean.forEach((mean, patch) => {
          const seen = values.slice(0, (patch + 1) * SIZE).filter((_, i) => observed[i]);
          const average = seen.reduce((a, b) => a + b, 0) / Math.max(seen.length, 1);
          const squares = seen.reduce((sum, value) => sum + (value - average) ** 2, 0);
          expect(found.count[patch]).toBe(seen.length);
          expect(mean).toBeCloseTo(average, 8);
          expect(found.variance[patch]).toBeCloseTo(squares / Math.max(seen.length - 1, 1), 4);
        });
      }),
    );
  });

  test('values that are not observed have no effect', () => {
    fc.assert(
      fc.property(row, ([values, observed]) => {
        const other = values.map((value, i) => (observed[i] ? value : Number.NaN));
        expect(causalMoments(other, observed, SIZE)).toEqual(causalMoments(values, observed, SIZE));
      }),
    );
  });
});
