import { NO_COVARIATES } from '@tollama/core/capabilities';
import { Series } from '@tollama/core/series';
import { expect, test } from 'vitest';
import { originsOf, seriesAt } from './backtest.ts';
import type { Candidate } from './candidates.ts';
import { demandOf, rank } from './rank.ts';

const candidate = (model: string, family: string, more: Partial<Candidate> = {}): Candidate => ({
  model,
  family,
  support: NO_COVARIATES,
  metadata: {},
  isInstalled: true,
  needsAcceptance: false,
  ...more,
});

const series = Series.parse({
  id: 's',
  timestamps: ['1', '2', '3', '4'],
  target: [1, 2, 3, 4],
  missing_indices: [1, 3],
  past_covariates: { price: [1, 2, 3, 4], kind: ['a', 'b', 'c', 'd'] },
  future_covariates: { price: [5, 6] },
});

const names = (candidates: Candidate[], strategy: 'auto' | 'fastest' | 'best_accuracy') =>
  rank(candidates, demandOf([series], 2), strategy).ranked.map(({ model }) => model);

test('the demand names the kinds of covariates', () => {
  expect(demandOf([series], 2)).toEqual({
    horizon: 2,
    seriesCount: 1,
    longestHistory: 4,
    covariates: ['future_covariates_numeric', 'past_covariates_categorical'],
  });
});

test('strategies differ; the mock is the last choice for accuracy', () => {
  const all = [candidate('mock', 'mock'), candidate('t', 'timesfm'), candidate('l', 'lag_llama')];
  expect(names(all, 'best_accuracy')).toEqual(['t', 'l', 'mock']);
  expect(names(all, 'fastest')).toEqual(['mock', 't', 'l']);
});

test('a model that uses the covariates goes before its like', () => {
  const support = { ...NO_COVARIATES, future_covariates_numeric: true };
  const all = [candidate('a', 'toto'), candidate('b', 'toto', { support })];
  expect(names(all, 'auto')).toEqual(['b', 'a']);
  const { ranked } = rank(all, demandOf([series], 2), 'auto');
  expect(ranked[0]!.reasons).toContain('uses the future covariates numeric');
});

test('what cannot forecast, or not so many series, is left out by name', () => {
  const all = [
    candidate('a', 'x', { metadata: { forecast_ready: false } }),
    candidate('b', 'x', { metadata: { input_series_limit: 1 } }),
  ];
  const { ranked, excluded } = rank(all, demandOf([series, { ...series, id: 't' }], 2), 'auto');
  expect(ranked).toEqual([]);
  expect(excluded.map(({ reason }) => reason)).toEqual([
    'cannot forecast yet',
    'takes 1 series a request, 2 are given',
  ]);
});

test('a history cut at an origin knows what was known then', () => {
  expect(seriesAt(series, 2, 2)).toMatchObject({
    timestamps: ['1', '2'],
    target: [1, 2],
    missing_indices: [1],
    past_covariates: { price: [1, 2], kind: ['a', 'b'] },
    future_covariates: { price: [3, 4] },
  });
});

test('origins go back from the end', () => {
  expect(originsOf(20, { count: 3, horizon: 4, step: 4, least: 9 })).toEqual([16, 12]);
  expect(originsOf(3, { count: 3, horizon: 4, step: 4, least: 1 })).toEqual([]);
});
