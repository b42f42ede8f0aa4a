import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { limitWidths } from './width-limits.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const band = fc.tuple(unit, unit, unit).map((values) => [...values].sort((a, b) => a - b));
const TINY = 1e-12;

describe('contained', () => {
  const limits = { min: 0.02, max: 0.6, rule: 'contained' as const };

  property.prop([band])(
    'the width holds everywhere, within [0, 1], around the middle',
    (values) => {
      const [low, middle, high] = values as [number, number, number];
      const { rows, warnings } = limitWidths([[low], [middle], [high]], 1, limits);
      const [a, b, c] = rows.map((row) => row[0]!) as [number, number, number];
      expect(c - a).toBeGreaterThanOrEqual(limits.min - TINY);
      expect(c - a).toBeLessThanOrEqual(limits.max + TINY);
      expect(0 <= a && a <= b + TINY && b <= c + TINY && c <= 1).toBe(true);
      expect(b).toBe(middle);
      if (warnings[0] === 'interval_max_width_clamped') {
        expect(a).toBeGreaterThanOrEqual(low);
        expect(c).toBeLessThanOrEqual(high);
      }
      const isWithin = high - low >= limits.min && high - low <= limits.max;
      expect(warnings).toHaveLength(isWithin ? 0 : 1);
    },
  );

  test.each([
    { given: [0, 0.65, 0.7], want: [0.1, 0.65, 0.7] },
    { given: [0, 0, 0.001], want: [0, 0, 0.02] },
    { given: [0.995, 1, 1], want: [0.98, 1, 1] },
    { given: [0, 0.05, 1], want: [0, 0.05, 0.6] },
  ])('$given becomes $want', ({ given, want }) => {
    const { rows } = limitWidths(
      given.map((value) => [value]),
      1,
      limits,
    );
    for (const [i, row] of rows.entries()) expect(row[0]).toBeCloseTo(want[i]!, 12);
  });
});

test('levels between the sides keep their order', () => {
  const rows = [[0], [0.05], [0.5], [0.95], [1]];
  const limited = limitWidths(rows, 2, { min: 0.02, max: 0.6, rule: 'contained' });
  expect(limited.rows.map((row) => row[0])).toEqual([0.2, 0.2, 0.5, 0.8, 0.8]);
});
