import { TollamaError } from '@tollama/core/errors';
import { expect, test } from 'vitest';
import { evaluateConfiguration } from './evaluate-configuration.ts';
import { withOwnIds } from './instances.ts';
import { baselinePredictor, type Predictor } from './predictor.ts';
import type { Configuration } from './read-data.ts';

const configuration: Configuration = {
  name: 'x/H/short',
  freq: 'H',
  horizon: 3,
  windows: 2,
  season: 4,
  domain: '',
  variates: 1,
  digest: '',
  published: undefined,
  series: ['a', 'b', 'c'].map((id, s) => ({
    id,
    start: '2024-01-01',
    freq: 'H',
    target: Float64Array.from({ length: 30 }, (_, t) => ((t * (s + 3)) % 7) + s),
  })),
};

const without =
  (id: string): Predictor =>
  async (instances, one) =>
    (await baselinePredictor(instances, one)).map((forecast, i) =>
      instances[i]!.series.id === id ? undefined : forecast,
    );

test('a series without a forecast is an error by name, never zeros', async () => {
  await expect(evaluateConfiguration(configuration, without('b'))).rejects.toThrow(
    /no finite forecast for series 'b', window 1/,
  );
});

test('seasonal naive may stand in, and is counted', async () => {
  const whole = await evaluateConfiguration(configuration, baselinePredictor);
  const filled = await evaluateConfiguration(configuration, without('b'), {
    onMissing: 'seasonal-naive',
  });
  expect(filled.replaced).toBe(2);
  expect(filled.metrics).toEqual(whole.metrics);
});

test('a batch that fails for one series does not take the others along', async () => {
  const failing: Predictor = async (instances, one) => {
    if (instances.some(({ series }) => series.id === 'c')) {
      throw new TollamaError('RUNNER_ERROR', 'no finite forecast');
    }
    return baselinePredictor(instances, one);
  };
  const result = await evaluateConfiguration(configuration, failing, {
    onMissing: 'seasonal-naive',
  });
  expect(result.replaced).toBe(2);
});

test('the size of batches does not change the result', async () => {
  const [one, all] = await Promise.all(
    [1, 512].map((batchSize) =>
      evaluateConfiguration(configuration, baselinePredictor, { batchSize }),
    ),
  );
  expect(one).toEqual(all);
});

test('series of one id keep their own forecasts', () => {
  const target = Float64Array.of(1, 2, 3);
  const twins = ['a', 'a', 'b', 'a'].map((id) => ({ id, start: '', freq: 'D', target }));
  expect(withOwnIds(twins).map(({ id }) => id)).toEqual(['a', 'a~2', 'b', 'a~3']);
});
