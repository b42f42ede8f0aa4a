import { inProcessBackend } from '@tollama/session/backend/in-process';
import { ModelPool } from '@tollama/session/pool/model-pool';
import { expect, test } from 'vitest';
import { backtest, overlapOf } from './backtest.ts';
import { adapterForecaster, crossValidation, seasonalNaiveForecaster } from './cross-validation.ts';

const series = ['a', 'b'].map((id, s) => ({
  id,
  freq: 'H',
  timestamps: Array.from({ length: 120 }, (_, t) =>
    new Date(Date.UTC(2024, 0, 1, t)).toISOString().slice(0, 16),
  ),
  target: Float64Array.from(
    { length: 120 },
    (_, t) => 10 + s + Math.sin((2 * Math.PI * t) / 24) + 0.3 * Math.sin(t * t),
  ),
}));

test('cross-validation gives a long frame with cutoffs, series by series', async () => {
  const naive = seasonalNaiveForecaster(() => 24);
  const rows = await crossValidation(series, [naive], {
    horizon: 5,
    windows: 3,
    step: 2,
    quantiles: [0.1, 0.9],
  });
  expect(rows).toHaveLength(2 * 3 * 5);
  expect(Object.keys(rows[0]!)).toEqual([
    ...['unique_id', 'ds', 'cutoff', 'y'],
    ...['SeasonalNaive', 'SeasonalNaive-q-10', 'SeasonalNaive-q-90'],
  ]);
  expect(rows[0]).toMatchObject({
    unique_id: 'a',
    ds: series[0]!.timestamps[111],
    cutoff: series[0]!.timestamps[110],
    y: series[0]!.target[111],
    SeasonalNaive: series[0]!.target[87],
  });
  expect(rows[15]!.unique_id).toBe('b');
});

test('a backtest scores models against seasonal naive', async () => {
  await using pool = new ModelPool({ adapters: ['auto', 'naive'], backend: inProcessBackend() });
  await pool.preloadAll();
  const forecasters = ['auto', 'naive'].map((name) => adapterForecaster(pool.get(name)));
  const { rows } = await backtest(series, forecasters, { horizon: 6, windows: 4 });
  expect(rows.map(({ model }) => model).sort()).toEqual(['auto', 'naive', 'seasonal-naive']);
  const naive = rows.find(({ model }) => model === 'seasonal-naive')!;
  expect(naive.skill).toEqual({ mase: 0, crps: 0 });
  expect(naive.againstNaive?.pValue).toBe(1);
  for (const { pit } of rows) {
    expect(pit.reduce((sum, density) => sum + density / 10, 0)).toBeCloseTo(1, 10);
  }
  expect(rows[0]!.metrics.mean_weighted_sum_quantile_loss).toBeLessThanOrEqual(
    rows[2]!.metrics.mean_weighted_sum_quantile_loss,
  );
});

test('two windows are compared with seasonal naive, one alone is not', async () => {
  const naive = [seasonalNaiveForecaster(() => 24, 'other')];
  const withWindows = async (windows: number) => {
    const { rows } = await backtest(series, naive, { horizon: 6, windows });
    return rows.find(({ model }) => model === 'other')!.againstNaive;
  };
  expect(await withWindows(2)).toMatchObject({ count: 2, meanDifference: 0 });
  expect(await withWindows(1)).toBeUndefined();
});

test('a series that is too short is named', async () => {
  const short = [{ id: 'tiny', freq: 'D', target: Float64Array.of(1, 2, 3) }];
  await expect(backtest(short, [], { horizon: 2, windows: 2 })).rejects.toThrow(
    /series 'tiny' has 3 points/,
  );
});

test('two series of one id are refused: a forecast could be of either', async () => {
  const one = { id: 'twin', freq: 'D', target: Float64Array.of(1, 2, 3, 4) };
  await expect(backtest([one, one], [], { horizon: 1, windows: 1 })).rejects.toThrow(
    "two series have the id 'twin'",
  );
});

test('an infinite value of the history is a missing one', async () => {
  const target = Float64Array.from({ length: 40 }, (_, t) => (t === 20 ? Infinity : t % 7));
  const { rows } = await backtest([{ id: 'a', freq: 'D', target }], [], { horizon: 2, windows: 3 });
  expect(rows[0]!.metrics['MAE[0.5]']).toBe(0);
});

test.each([
  [{ horizon: 6, windows: 3 }, 1],
  [{ horizon: 6, windows: 3, step: 6 }, 1],
  [{ horizon: 6, windows: 3, step: 4 }, 2],
  [{ horizon: 6, windows: 3, step: 1 }, 6],
])('%o has losses that depend on each other over %d windows', (options, overlap) => {
  expect(overlapOf(options)).toBe(overlap);
});
