import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ACCURACY_MEASURES, type AccuracyCase, accuracyOf } from './accuracy.ts';

const example: AccuracyCase = {
  actual: [6, 7, 5],
  mean: [5, 5, 5],
  history: [1, 2, 3, 4, 5],
  seasonality: 1,
  quantiles: new Map([
    [0.1, [4, 4, 4]],
    [0.9, [6, 6, 6]],
  ]),
};

describe('accuracy', () => {
  test.each([
    ['mae', 1],
    ['mse', 5 / 3],
    ['rmse', Math.sqrt(5 / 3)],
    ['mape', (100 * (1 / 6 + 2 / 7)) / 3],
    ['smape', (200 * (1 / 11 + 2 / 12)) / 3],
    ['wape', (100 * 3) / 18],
    ['mase', 1],
    ['rmsse', Math.sqrt(5 / 3)],
    ['pinball', (0.1 * (2 + 3 + 1) + (0.1 * 0 + 0.9 * 1 + 0.1 * 1)) / 6],
  ] as const)('%s by hand', (name, value) => {
    expect(accuracyOf(name, example)).toBeCloseTo(value, 12);
  });

  test('what has no scale is undefined', () => {
    const flat = { ...example, actual: [0, 0, 0], mean: [0, 0, 0], history: [1, 1, 1] };
    const defined = ACCURACY_MEASURES.filter((name) => accuracyOf(name, flat) !== undefined);
    expect(defined).toEqual(['mae', 'mse', 'rmse', 'pinball']);
    expect(accuracyOf('mase', { ...example, history: [1] })).toBeUndefined();
    expect(accuracyOf('pinball', { ...example, quantiles: new Map() })).toBeUndefined();
  });

  test('missing values of the history do not scale', () => {
    const history = [1, Number.NaN, 3, 4, 5];
    expect(accuracyOf('mase', { ...example, history })).toBeCloseTo(1, 12);
  });

  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  property.prop([fc.array(fc.tuple(number, number), { minLength: 1 })])(
    'no measure is negative, and a perfect forecast has no error',
    (pairs) => {
      const [actual, mean] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
      for (const name of ACCURACY_MEASURES) {
        expect(
          accuracyOf(name, { ...example, actual, mean, quantiles: new Map([[0.5, mean]]) }) ?? 0,
        ).toBeGreaterThanOrEqual(0);
        expect(
          accuracyOf(name, {
            ...example,
            actual,
            mean: actual,
            quantiles: new Map([[0.5, actual]]),
          }) ?? 0,
        ).toBe(0);
      }
    },
  );
});
