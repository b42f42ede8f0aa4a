import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createValueScale } from './value-scale.ts';

const labels = (low: number, high: number): string[] =>
  createValueScale([low, high], 5).ticks.map(({ label }) => label);

test.each([
  [0, 10, ['0', '2', '4', '6', '8', '10']],
  [-1, 1, ['-1.0', '-0.5', '0.0', '0.5', '1.0']],
  [0.12, 0.19, ['0.12', '0.14', '0.16', '0.18']],
  [12_345, 23_456, ['12500', '15000', '17500', '20000', '22500']],
  [100_000, 145_000, ['100k', '110k', '120k', '130k', '140k']],
  [1e6, 2.4e6, ['1.0M', '1.5M', '2.0M']],
  [0, 4e9, ['0', '1G', '2G', '3G', '4G']],
  [0, 1e17, ['0', '2e16', '4e16', '6e16', '8e16', '1.0e17']],
  [-1e-7, 1e-7, ['-1.0e-7', '-5e-8', '0', '5e-8', '1.0e-7']],
])('%d to %d', (low, high, expected) => {
  expect(labels(low, high)).toEqual(expected);
});

test('ticks are at least two, ascend, lie in the range and have different labels', () => {
  const bound = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: 2, max: 10 }), (a, b, most) => {
      const { low, high, ticks } = createValueScale([a, b], most);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      const slack = (high - low) * 1e-6;
      for (const [i, { value }] of ticks.entries()) {
        expect(value).toBeGreaterThanOrEqual(low - slack);
        expect(value).toBeLessThanOrEqual(high + slack);
        if (i > 0) expect(value).toBeGreaterThan(ticks[i - 1]!.value);
      }
      if (high - low > Math.max(Math.abs(low), Math.abs(high)) * 1e-6) {
        expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      }
    }),
  );
});
