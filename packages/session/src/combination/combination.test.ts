import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { SeriesForecast } from '../backend/backend.ts';
import { averageForecasts } from './average.ts';
import { stackWeights } from './stack.ts';

const LEVELS = [0.1, 0.5, 0.9];

const flat = (value: number, width = 1, h = 4): SeriesForecast => ({
  id: 'a',
  mean: new Float64Array(h).fill(value),
  quantiles: LEVELS.map((level) => new Float64Array(h).fill(value + width * (level - 0.5))),
});

describe('averages', () => {
  test('mean, median and weights', () => {
    const members = [flat(1), flat(2), flat(9)];
    expect(averageForecasts(members).mean[0]).toBeCloseTo(4, 12);
    expect(averageForecasts(members, 'median').mean[0]).toBe(2);
    expect(averageForecasts(members, [0.5, 0.5, 0]).mean[0]).toBe(1.5);
  });

  test('shapes that differ are refused', () => {
    expect(() => averageForecasts([flat(1), flat(1, 1, 3)])).toThrow(/differ in steps/);
  });

  const forecast = fc
    .array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 })
    .map((values) => ({
      id: 'a',
      mean: Float64Array.of(values[1]!),
      quantiles: values.map((value) => Float64Array.of(value)),
    }));
  test.prop([fc.array(forecast, { minLength: 1, maxLength: 5 })])(
    'levels do not cross, whatever the members do',
    (members) => {
      const rows = averageForecasts(members, 'median').quantiles.map((row) => row[0]!);
      expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    },
  );
});

describe('stacking', () => {
  const wave = Float64Array.from({ length: 4 }, (_, h) => 10 + Math.sin(h));
  const caseOf = (...members: SeriesForecast[]) => ({ actual: wave, members });

  test('a member that is right takes the weight', () => {
    const { weights, loss, memberLosses } = stackWeights([caseOf(flat(10), flat(50))], LEVELS);
    expect(weights[0]).toBeGreaterThan(0.95);
    expect(loss).toBeLessThanOrEqual(Math.min(...memberLosses));
  });

  test('members that err to either side share it', () => {
    const { weights, loss, equalLoss } = stackWeights([caseOf(flat(7), flat(13))], LEVELS);
    expect(weights[0]).toBeGreaterThan(0.3);
    expect(weights[0]).toBeLessThan(0.7);
    expect(loss).toBeLessThanOrEqual(equalLoss);
  });

  test.prop([
    fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 2, maxLength: 4 }),
  ])('weights lie on the simplex and are no worse than equal ones', (values) => {
    const { weights, loss, equalLoss } = stackWeights(
      [caseOf(...values.map((value) => flat(value)))],
      LEVELS,
    );
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    expect(loss).toBeLessThanOrEqual(equalLoss + 1e-12);
  });

  test('nothing known is refused', () => {
    expect(() => stackWeights([], LEVELS)).toThrow(/no past forecast/);
  });
});
