import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { robustScale, SortedValues } from './robust-scaler.ts';

const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 30 });

describe('robustScale', () => {
  test('is the lower median and the range between quartiles', () => {
    expect(robustScale(Float32Array.of(1, 2, 3, 4))).toEqual({ loc: 2, scale: 1.5 });
    expect(robustScale(Float32Array.of(1, 2, 3, 4, 100))).toEqual({ loc: 3, scale: 2 });
  });

  test('of nothing is 0 and 1, of equal values nearly 0', () => {
    expect(robustScale(new Float32Array(0))).toEqual({ loc: 0, scale: 1 });
    expect(robustScale(Float32Array.of(7))).toEqual({ loc: 7, scale: Math.fround(1e-10) });
  });

  test('follows a shift and a factor', () => {
    const row = Float32Array.of(-3, 0, 1, 5, 8, 13);
    const { loc, scale } = robustScale(row);
    expect(robustScale(row.map((value) => 4 * value + 8))).toEqual({
      loc: 4 * loc + 8,
      scale: 4 * scale,
    });
  });
});

describe('SortedValues', () => {
  test('values that come one by one are in order', () => {
    fc.assert(
      fc.property(numbers, numbers, (known, added) => {
        const sorted = new SortedValues(Float32Array.from(known), added.length);
        for (const value of added) sorted.insert(value);
        const all = Float32Array.from([...known, ...added]).sort();
        expect([...sorted.values].map((x) => x + 0)).toEqual([...all].map((x) => x + 0));
      }),
    );
  });
});
