import { expect, test } from 'vitest';
import { advance, describeProgress, fractionOf, START } from './pull-progress.ts';

const downloading = (completed: number, total = 200e6) => ({
  status: 'downloading',
  completed_bytes: completed,
  total_bytes: total,
  files_completed: 0,
  files_total: 2,
});

test('a status without bytes has no fraction', () => {
  const progress = advance(START, { status: 'resolving digest', digest: 'abc' }, 0);
  expect(fractionOf(progress)).toBeUndefined();
  expect(describeProgress(progress)).toBe('resolving digest');
});

test('bytes, their rate over the last seconds, and the time left', () => {
  const progress = [0, 10e6, 20e6, 30e6].reduce(
    (before, bytes, i) => advance(before, downloading(bytes), i * 1000),
    START,
  );
  expect(fractionOf(progress)).toBeCloseTo(0.15);
  expect(progress.rate).toBeCloseTo(10e6);
  expect(describeProgress(progress)).toBe('30.0 MB of 200 MB · 10.0 MB/s · 17 s left');
});

test('a stall brings the rate down', () => {
  const quick = advance(advance(START, downloading(0), 0), downloading(50e6), 1000);
  const later = advance(quick, downloading(51e6), 60_000);
  expect(later.rate).toBeUndefined();
});

test('warnings are kept', () => {
  const progress = advance(START, { status: 'warning', message: 'not verified' }, 0);
  expect(progress.warnings).toEqual(['not verified']);
  expect(progress.status).toBe(START.status);
});
