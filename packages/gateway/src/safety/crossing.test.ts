import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { fixCrossing } from './crossing.ts';

const rows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 8 }))
  .chain(([levels, horizon]) =>
    fc.array(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: horizon,
        maxLength: horizon,
      }),
      {
        minLength: levels,
        maxLength: levels,
      },
    ),
  );

const column = (of: readonly (readonly number[])[], step: number): number[] =>
  of.map((row) => row[step]!);

property.prop([rows])(
  'each step ascends, holds the same values, and what ascended is untouched',
  (given) => {
    const { rows: fixed, hasCrossed } = fixCrossing(given);
    let crossed = false;
    for (let step = 0; step < given[0]!.length; step++) {
      const before = column(given, step);
      const sorted = [...before].sort((a, b) => a - b);
      expect(column(fixed, step)).toEqual(sorted);
      crossed ||= before.some((value, i) => i > 0 && value < before[i - 1]!);
    }
    expect(hasCrossed).toBe(crossed);
    expect(fixCrossing(fixed).hasCrossed).toBe(false);
  },
);
