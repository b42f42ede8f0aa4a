import { TollamaError } from '@tollama/core/errors';
import { expect, test } from 'vitest';
import type { ForecastSeries } from './batch-model.ts';
import { forecastChunk } from './forecast-chunk.ts';

const DAY = 86_400_000_000;
const settings = { model: 'm', horizon: 2, quantiles: [0.5], freq: 'D', options: {} };
const { signal } = new AbortController();

const seriesOf = (id: string, length = 4) => ({
  id,
  times: Float64Array.from({ length }, (_, t) => t * DAY),
  values: Float64Array.from({ length }, (_, t) => t),
});

const block = {
  kind: 'time' as const,
  series: ['a', 'b', 'c', 'd', 'e'].map((id) => seriesOf(id)),
};

const answering =
  (refuse: (id: string) => Error | undefined): ForecastSeries =>
  async (series) => {
    for (const { id } of series) {
      const error = refuse(id);
      if (error) throw error;
    }
    return series.map(({ values }) => [
      [values.at(-1)!, values.at(-1)!],
      [1, 2],
    ]);
  };

test('a series that a model cannot take leaves the others alone', async () => {
  const bad = new TollamaError('RUNNER_ERROR', 'too short');
  const forecast = answering((id) => (id === 'c' || id === 'e' ? bad : undefined));
  const found = await forecastChunk(block, settings, { forecast, signal });
  expect(found.ids).toEqual(['a', 'b', 'd']);
  expect(found.failures).toEqual([
    { id: 'c', code: 'RUNNER_ERROR', message: 'too short' },
    { id: 'e', code: 'RUNNER_ERROR', message: 'too short' },
  ]);
  expect([...found.times]).toEqual([4, 5, 4, 5, 4, 5].map((t) => t * DAY));
  expect([...found.columns[0]!]).toEqual([3, 3, 3, 3, 3, 3]);
});

test('a model that is not there fails the chunk, not its series', async () => {
  const forecast = answering(() => new TollamaError('MODEL_NOT_FOUND', 'no such model'));
  await expect(forecastChunk(block, settings, { forecast, signal })).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
  });
});

test('forecasts that are no numbers, too short or missing are failures', async () => {
  const outputs = [[[1, Number.NaN]], [[1]], undefined, [[1, 2], [3]], [[1, 2]]];
  const forecast: ForecastSeries = async () => outputs;
  const found = await forecastChunk(block, settings, { forecast, signal });
  expect(found.failures.map(({ message }) => message)).toEqual([
    'step 2 of the forecast is no number',
    'the model gave 1 of 2 steps',
    'the model gave no forecast',
  ]);
  expect(found.ids).toEqual(['d', 'e']);
});
