import { expect, test } from 'vitest';
import { type ForecastJob, takeBatch } from './batch.ts';
import { ForecastParams } from './forecast-params.ts';

const job = (
  id: string,
  fields: Readonly<Record<string, unknown>> = {},
  count = 1,
): ForecastJob => {
  const series = Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    timestamps: ['2024'],
    target: [1],
  }));
  return {
    kind: 'forecast',
    id,
    params: ForecastParams.parse({ model: 'm', horizon: 3, series, ...fields }),
  };
};

const ids = (jobs: readonly { readonly id?: string }[]): (string | undefined)[] =>
  jobs.map(({ id }) => id);

test('takes what asks the same of the same model, and leaves the others in their order', () => {
  const queue = [
    job('a'),
    job('b', { horizon: 4 }),
    job('c'),
    job('d', { quantiles: [0.5] }),
    job('e'),
  ];
  expect(ids(takeBatch(queue))).toEqual(['a', 'c', 'e']);
  expect(ids(queue)).toEqual(['b', 'd']);
});

test('up to a number of series; a larger request still runs whole', () => {
  const queue = [job('a', {}, 3), job('b', {}, 3), job('c', {}, 1)];
  expect(ids(takeBatch(queue, 4))).toEqual(['a', 'c']);
  expect(ids(takeBatch(queue, 2))).toEqual(['b']);
});

test('does not look past an unload: later requests may depend on it', () => {
  const queue = [job('a'), { kind: 'control' }, job('b')];
  expect(ids(takeBatch(queue))).toEqual(['a']);
});

test('requests with covariates run alone', () => {
  const series = [{ id: 's', timestamps: ['2024'], target: [1], past_covariates: { p: [1] } }];
  const queue = [job('a', { series }), job('b', { series })];
  expect(ids(takeBatch(queue))).toEqual(['a']);
});

test('requests whose series belong together run alone', () => {
  const queue = [
    job('a', { options: { cross_learning: true } }),
    job('b', { options: { cross_learning: true } }),
  ];
  expect(ids(takeBatch(queue))).toEqual(['a']);
});

test('the highest priority first, and those of its kind with it', () => {
  const far = { horizon: 4 };
  const queue = [job('a'), job('b', far), job('c', { ...far, priority: 1 }), { kind: 'control' }];
  expect(ids(takeBatch(queue))).toEqual(['c', 'b']);
  expect(ids(takeBatch(queue))).toEqual(['a']);
  expect(queue).toEqual([{ kind: 'control' }]);
});
