import { expect, test } from 'vitest';
import { forecastValues, refuseNaN } from './forecast-values.ts';

test('worked: tails go on exponentially', () => {
  const levels = [0.1, 0.2, 0.5, 0.9];
  const forecast = forecastValues({ levels, quantiles: [[1], [2], [3], [4]] });
  expect(forecast.quantile(0.025)[0]).toBeCloseTo(-0.99999957, 7);
  expect(forecast.quantile(0.35)[0]).toBeCloseTo(2.5, 12);
});

test('stored levels are taken as they are, crossed or not; the median stands in for the mean', () => {
  const forecast = forecastValues({ levels: [0.1, 0.5, 0.9], quantiles: [[5], [4], [3]] });
  expect(forecast.quantile(0.1)[0]).toBe(5);
  expect(forecast.mean[0]).toBe(4);
});

test('samples: rank (n - 1) q, rounded half to even', () => {
  const forecast = forecastValues({ samples: [[3], [1], [2], [4]] });
  expect(forecast.quantile(0.5)[0]).toBe(3); // 1.5 -> 2
  expect(forecast.mean[0]).toBe(2.5);
});

test('one level alone has no others', () => {
  const forecast = forecastValues({ levels: [0.5], quantiles: [[1, 2]], mean: [1, 2] });
  expect(() => refuseNaN(forecast.quantile(0.1), 'level 0.1')).toThrow(/contains NaN values/);
});
