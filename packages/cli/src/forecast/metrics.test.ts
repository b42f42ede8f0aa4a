import { expect, test } from 'vitest';
import { score, seasonalNaiveError } from './metrics.ts';

test('errors of a forecast that is one too low', () => {
  const one = {
    mean: [1, 2],
    quantiles: { '0.1': [0, 1], '0.9': [2, 2.5] },
    actuals: [2, 3],
    naiveError: 2,
  };
  const scores = score([one]);
  expect(scores).toMatchObject({ mae: 1, rmse: 1, mase: 0.5, coverage: 0.5 });
  // 0.1: 0.1*2 + 0.1*2 = 0.4; 0.9: 0.1*0 + 0.9*0.5 = 0.45; mean 0.425, doubled, over 5.
  expect(scores.wql).toBeCloseTo((2 * 0.425) / 5);
});

test('missing values do not count, and no levels give no quantile scores', () => {
  const one = { mean: [1, 9], quantiles: {}, actuals: [2, Number.NaN], naiveError: 1 };
  expect(score([one])).toEqual({ mae: 1, rmse: 1, mase: 1, wql: undefined, coverage: undefined });
});

test('the seasonal naive error, and its way out for short histories', () => {
  expect(seasonalNaiveError([1, 2, 3, 5], 2)).toBe(2.5);
  expect(seasonalNaiveError([1, 2, 4], 12)).toBe(1.5);
});
