import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../log.ts';
import { UsageMeter } from './usage-meter.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-usage-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => new UsageMeter(join(folder, 'usage.db'), createLogger('silent'));

test('counts by key, and keeps the counts', async () => {
  {
    await using meter = open();
    expect((await meter.of('a')).summary).toMatchObject({ keys: 0, request_count: 0 });
    meter.record('a', { inferenceMs: 1.5, series: 2 });
    meter.record('a', { inferenceMs: 0.5, series: 1 });
    meter.record('b', { inferenceMs: 9, series: 9 });
    const { items, summary } = await meter.of('a');
    expect(items).toMatchObject([
      { key_id: 'a', request_count: 2, total_inference_ms: 2, series_processed: 3 },
    ]);
    expect(summary).toEqual({
      keys: 1,
      request_count: 2,
      total_inference_ms: 2,
      series_processed: 3,
    });
    meter.record('a', { inferenceMs: 1, series: 1 });
  }
  await using again = open();
  expect((await again.of('a')).summary.request_count).toBe(3);
  expect((await again.of('b')).summary.series_processed).toBe(9);
});

test('counts survive a file that cannot be written for a while', async () => {
  await writeFile(
    join(folder, 'usage.db'),
    'not a database at all, and long enough to be seen as none',
  );
  await using meter = open();
  meter.record('a', { inferenceMs: 1, series: 1 });
  await expect(meter.flush()).rejects.toThrow();
  await rm(join(folder, 'usage.db'));
  expect((await meter.of('a')).summary.request_count).toBe(1);
});
