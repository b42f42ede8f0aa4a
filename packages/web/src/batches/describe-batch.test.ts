import type { BatchRun } from '@tollama/core/batch-run';
import { expect, test } from 'vitest';
import { describeBatch, describeEngine, fractionOfBatch } from './describe-batch.ts';

const RUN: BatchRun = {
  ...{ id: '0123456789abcdef', status: 'running', model: 'theta', horizon: 28 },
  ...{ inputs: ['panel.parquet'], output: '/data/out', host: 'box', pid: 1, workers: 2 },
  ...{ queue: null, started_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:10:00Z' },
  ...{ ended_at: null, series: 120_000, failed: 3, total: 1_000_000, series_per_second: 996.4 },
  ...{ eta_ms: 883_000, memory_bytes: 914e6, error: null },
};
const NOW = Date.parse('2026-01-01T00:10:00Z');

test('a run says how far it is, how fast, and how long it will take', () => {
  expect(describeBatch(RUN)).toBe(
    '120,000 of 1,000,000 series · 996/s · 14 min 43 s left · 3 failed',
  );
  expect(fractionOfBatch(RUN)).toBe(0.12);
  expect(describeEngine(RUN, NOW)).toBe('2 workers on box · 914 MB · started 10 min ago');
});

test('a run that is over says what it did and how long it took', () => {
  const ended_at = '2026-01-01T00:05:00Z';
  const done = { ...RUN, status: 'done' as const, series: 1_000_000, failed: 0, ended_at };
  expect(describeBatch(done)).toBe('1,000,000 series');
  expect(describeEngine({ ...done, workers: 0, queue: 'redis://q' }, NOW)).toBe(
    'workers elsewhere, run on box · queue redis://q · 914 MB · started 10 min ago, took 5 min 0 s',
  );
});

test('before the panel is known there is no share', () => {
  const planning = { ...RUN, status: 'planning' as const, series: 0, total: 0 };
  expect(fractionOfBatch(planning)).toBeUndefined();
  expect(describeBatch(planning)).toBe('looking through the panel');
});
