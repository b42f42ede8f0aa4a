import { expect, test } from 'vitest';
import { latestPoints, seriesInChunks } from './body.ts';

const seriesOf = (length: number) => ({
  id: 'long',
  freq: 'D',
  timestamps: Array.from({ length }, (_, i) => String(i)),
  target: Array.from({ length }, (_, i) => i),
  covariates: { price: Array.from({ length }, (_, i) => -i) },
  futureCovariates: {},
  staticCovariates: {},
  actuals: undefined,
});

test('a series that fills more than a request goes with its latest points, and that is told', () => {
  const { series, notes } = latestPoints([seriesOf(250_000), seriesOf(10)], {
    covariates: ['price'],
  });
  expect(notes).toEqual(["series 'long': the last 100000 of 250000 points are used"]);
  const [long, short] = series;
  expect([long!.target.length, long!.timestamps[0], long!.target.at(-1)]).toEqual([
    100_000,
    '150000',
    249_999,
  ]);
  expect(long!.covariates.price![0]).toBe(-150_000);
  expect(short).toEqual(seriesOf(10));
  const body = JSON.stringify(seriesInChunks([long!], { covariates: ['price'] })[0]);
  expect(body.length).toBeLessThan(10 * 1024 * 1024);
});
