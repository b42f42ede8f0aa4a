import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { forecastValues } from './forecast-values.ts';
import { addInstance, addSums, emptySums, LOSS_LEVELS, metricsOf } from './metrics.ts';

const flat = (value: number) => ({
  levels: LOSS_LEVELS,
  quantiles: LOSS_LEVELS.map(() => [value, value]),
});

const scoreOf = (label: readonly number[], value: number, seasonalError: number) => {
  const sums = emptySums();
  addInstance(sums, { label, forecast: forecastValues(flat(value)), seasonalError });
  return metricsOf(sums);
};

describe('guarded divisions', () => {
  test('a constant input is invisible to MASE and MSIS, not to MAE', () => {
    const metrics = scoreOf([1, 3], 2, 0);
    expect(metrics['MASE[0.5]']).toBeNaN();
    expect(metrics.MSIS).toBeNaN();
    expect(metrics['MAE[0.5]']).toBe(1);
  });

  test('zero labels are invisible to MAPE', () => {
    expect(scoreOf([0, 4], 2, 1)['MAPE[0.5]']).toBe(0.5);
  });

  test('missing labels are left out of everything', () => {
    const [one, all] = [scoreOf([Number.NaN, 4], 2, 1), scoreOf([4, 4], 2, 1)];
    expect(one['MAE[0.5]']).toBe(all['MAE[0.5]']);
    expect(one.mean_weighted_sum_quantile_loss).toBe(all.mean_weighted_sum_quantile_loss);
  });
});

const value = fc.double({ min: -100, max: 100, noNaN: true });

test.prop([fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 6 })])(
  'a pool is the sum of its instances',
  (pairs) => {
    const whole = emptySums();
    const parts = emptySums();
    for (const [label, forecast] of pairs) {
      const one = { label: [label], forecast: forecastValues(flat(forecast)), seasonalError: 2 };
      addInstance(whole, one);
      const own = emptySums();
      addInstance(own, one);
      addSums(parts, own);
    }
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
  },
);

test.prop([value, value])('pinball loss is at least 0, and 0 for the value itself', (y, f) => {
  expect(scoreOf([y, y], f, 1)['MAE[0.5]']).toBeGreaterThanOrEqual(0);
  const own = scoreOf([y, y], y, 1)['MAE[0.5]'];
  expect(own).toBe(0);
});
