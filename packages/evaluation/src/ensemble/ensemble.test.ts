import { inProcessBackend } from '@tollama/session/backend/in-process';
import { expect, test } from 'vitest';
import type { Forecaster } from '../backtest/cross-validation.ts';
import { forecastEnsemble } from './ensemble.ts';

const LEVELS = [0.1, 0.5, 0.9];
const leaf = (shift: number): Float64Array =>
  Float64Array.from(
    { length: 150 },
    (_, t) => 30 + shift + 8 * Math.sin((2 * Math.PI * t) / 24) + Math.sin(t * t * 0.7 + shift),
  );
const [x, y] = [leaf(0), leaf(9)];
const series = Object.entries({ x, y, total: x.map((value, t) => value + y[t]!) }).map(
  ([id, target]) => ({ id, freq: 'h', target }),
);

const backend = inProcessBackend();
const forecasterOf = async (name: string): Promise<Forecaster> => {
  const model = await backend.load({ model: name, device: null, options: {} });
  return { name, forecast: async (task) => (await model.forecast(task)).forecasts };
};
const members = await Promise.all(['auto', 'naive'].map(forecasterOf));
const options = { horizon: 6, quantiles: LEVELS, windows: 3 };

test('stacking leaves out a member that does not help', async () => {
  const { members: weighed, forecasts } = await forecastEnsemble(series, members, {
    ...options,
    combine: 'stack',
  });
  expect(weighed[0]!.weight).toBeGreaterThan(0.7);
  expect(weighed[0]!.loss!).toBeLessThan(weighed[1]!.loss!);
  expect(forecasts.map(({ id }) => id)).toEqual(['x', 'y', 'total']);
});

test('with a hierarchy forecasts add up, and series outside of it stay', async () => {
  const all = [...series, { id: 'other', freq: 'h', target: x }];
  for (const reconcileMethod of ['bottom_up', 'mint_shrink'] as const) {
    const { forecasts } = await forecastEnsemble(all, members, {
      ...options,
      combine: 'median',
      calibrates: true,
      hierarchy: { total: ['x', 'y'] },
      reconcileMethod,
    });
    const mean = (id: string) => forecasts.find((one) => one.id === id)!.mean;
    mean('total').forEach((value, h) => {
      expect(value).toBeCloseTo(mean('x')[h]! + mean('y')[h]!, 6);
    });
    expect(mean('other')).toHaveLength(6);
  }
});

test('levels that do not ascend are refused', async () => {
  const asked = { ...options, quantiles: [0.9, 0.1], combine: 'mean' } as const;
  await expect(forecastEnsemble(series, members, asked)).rejects.toThrow(/quantiles = 0.9, 0.1/);
});
