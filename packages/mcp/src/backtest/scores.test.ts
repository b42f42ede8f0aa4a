import { expect, test } from 'vitest';
import type { WindowForecast } from './forecast-windows.ts';
import { scoresOf } from './scores.ts';
import { rollingWindows } from './windows.ts';

const forecastOf = (target: readonly number[], missing: readonly number[] = []): WindowForecast => {
  const one = {
    id: 's',
    freq: 'D',
    timestamps: target.map((_, i) => new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10)),
    target: [...target],
    missing_indices: [...missing],
  };
  const [window] = rollingWindows([one], { horizon: 2, windows: 1, step: 2 });
  const quantiles = new Map([
    [0.1, [1, 1]],
    [0.5, [2, 2]],
    [0.9, [3, 3]],
  ]);
  return { window: window!, mean: [2, 2], quantiles };
};

test('scores of one window, by hand', () => {
  // Naive errors of the history: 1, 1. Losses of 4: 0.3, 1, 0.9; of 2: 0.1, 0, 0.1.
  const scores = scoresOf([forecastOf([1, 2, 3, 4, 2])]);
  expect(scores.mae).toBe(1);
  expect(scores.rmse).toBeCloseTo(Math.sqrt(2), 12);
  expect(scores.mase).toBe(1);
  expect(scores.wql).toBeCloseTo((2 * (0.3 + 1 + 0.9 + 0.1 + 0 + 0.1)) / 3 / 6, 12);
  expect(scores.coverage_80).toBe(0.5);
});

test('missing steps do not count, and what is undefined is null', () => {
  expect(scoresOf([forecastOf([1, 2, 3, 4, 9], [4])]).mae).toBe(2);
  expect(scoresOf([forecastOf([5, 5, 5, 4, 2])]).mase).toBeNull();
  expect(scoresOf([])).toEqual({ mae: null, rmse: null, mase: null, wql: null, coverage_80: null });
});
