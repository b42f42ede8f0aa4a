import { fc, test as property } from '@fast-check/vitest';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { ENSEMBLE_METHODS } from '@tollama/core/forecast-variants';
import { expect, test } from 'vitest';
import { combine, combineForecasts } from './ensemble.ts';

test.each([
  ['mean', 22],
  ['median', 3],
  ['trimmed_mean', 3],
  ['winsorized_mean', 3],
] as const)('%s of values with one wild', (method, expected) => {
  expect(combine([1, 2, 3, 4, 100], method)).toBeCloseTo(expected, 12);
});

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });

property.prop([values, fc.constantFrom(...ENSEMBLE_METHODS)])(
  'a combination lies within its values, whatever their order',
  (list, method) => {
    const combined = combine(list, method);
    expect(combined).toBeGreaterThanOrEqual(Math.min(...list) - 1e-3);
    expect(combined).toBeLessThanOrEqual(Math.max(...list) + 1e-3);
    expect(combine(list.toReversed(), method)).toBeCloseTo(combined, 3);
  },
);

const response = (mean: number[], quantiles: Record<string, number[]> | null) =>
  ({
    forecasts: [{ id: 's', freq: 'D', start_timestamp: 'x', mean, quantiles }],
  }) as unknown as ForecastResponse;

test('levels that all members have are put together', () => {
  const a = response([1, 2], { '0.1': [0, 1], '0.9': [2, 3] });
  const b = response([3, 4], { '0.1': [2, 3], '0.5': [3, 4] });
  expect(combineForecasts([a, b], 'mean')).toEqual([
    { id: 's', freq: 'D', start_timestamp: 'x', mean: [2, 3], quantiles: { '0.1': [1, 2] } },
  ]);
  expect(combineForecasts([a, response([3, 4], null)], 'mean')[0]!.quantiles).toBeNull();
});
