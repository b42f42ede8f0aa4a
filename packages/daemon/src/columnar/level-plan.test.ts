import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planLevels } from './level-plan.ts';
import { normalProbability, normalQuantile } from './normal.ts';

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

test('the tails of a normal fan are those of the normal distribution', () => {
  const { asked, rows } = planLevels([0.005, 0.25, 0.995], DECILES);
  expect(asked).toEqual([0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
  const made = rows(asked.map((level) => [10 + 2 * normalQuantile(level)]));
  const expected = [0.005, 0.25, 0.995].map((level) => 10 + 2 * normalQuantile(level));
  made.forEach((row, i) => {
    expect(row[0]).toBeCloseTo(expected[i]!, 9);
  });
});

test('levels within the head are asked for alone', () => {
  expect(planLevels([0.2, 0.35], DECILES).asked).toEqual([0.2, 0.35]);
  expect(planLevels([0.001, 0.999], []).asked).toEqual([0.001, 0.999]);
});

const ascending = fc
  .uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.map((part) => part / 1000).toSorted((a, b) => a - b));

test('quantiles never cross, whatever the model answers', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(ascending, fc.array(value, { minLength: 30, maxLength: 30 }), (levels, values) => {
      const { asked, rows } = planLevels(levels, DECILES);
      const made = rows(asked.map((_, i) => [values[i]!, values[i + 1]!]));
      expect(made).toHaveLength(levels.length);
      for (let k = 1; k < made.length; k++) {
        made[k]!.forEach((high, step) => {
          expect(high).toBeGreaterThanOrEqual(made[k - 1]![step]!);
        });
      }
    }),
  );
});

test('normal quantiles and probabilities undo each other', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (level) => {
      expect(normalProbability(normalQuantile(level))).toBeCloseTo(level, 6);
    }),
  );
});
