import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchRun, batchFolder, batchRecordPath, batchStopPath } from '@tollama/core/batch-run';
import { afterAll, expect, test } from 'vitest';
import { startFakeDaemon } from '../testing/fake-daemon.ts';
import { panelRows, writePanel } from '../testing/panel-file.ts';
import type { BatchOptions } from './batch-options.ts';
import { runBatch } from './run-batch.ts';
import { batchIdOf } from './run-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-record-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERIES = 70;
const panel = writePanel(join(folder, 'panel.csv'), panelRows(SERIES));
const home = join(folder, 'home');

const optionsFor = (name: string, options: Partial<BatchOptions> = {}): BatchOptions => ({
  inputs: [panel],
  output: join(folder, name),
  home,
  settings: {
    ...{ model: 'seasonal-naive', horizon: 3, quantiles: [0.5], freq: 'auto' },
    options: {},
  },
  chunk: { series: 1, points: 10_000 },
  workers: 1,
  signal: new AbortController().signal,
  ...options,
});

const recordOf = (output: string): BatchRun =>
  BatchRun.parse(JSON.parse(readFileSync(batchRecordPath(home, batchIdOf(output)), 'utf8')));

test('a run leaves what it did', async () => {
  const options = optionsFor('done');
  await runBatch(options);
  const record = recordOf(options.output);
  expect(record).toMatchObject({
    ...{ status: 'done', model: 'seasonal-naive', horizon: 3, inputs: [panel] },
    ...{ output: options.output, pid: process.pid, workers: 1, queue: null },
    ...{ series: SERIES, total: SERIES, failed: 0, error: null, eta_ms: null },
  });
  expect(record.ended_at).not.toBeNull();
  // The same once more: nothing to do, and no second record.
  await runBatch(options);
  expect(recordOf(options.output)).toMatchObject({ status: 'done', series: SERIES });
  expect(readdirSync(batchFolder(home)).filter((name) => name.endsWith('.json'))).toHaveLength(1);
});

test('a run that is asked to stop does so, and goes on later', async () => {
  const settings = { ...optionsFor('').settings, model: 'fake' };
  const options = optionsFor('stopped', { settings });
  const stopPath = batchStopPath(home, batchIdOf(options.output));
  await using slow = await startFakeDaemon((count) =>
    count < 5 ? undefined : new Promise((resolve) => setTimeout(resolve, 100)),
  );
  const running = runBatch({
    ...options,
    baseUrl: slow.baseUrl,
    onProgress: () => writeFileSync(stopPath, ''),
  });
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(recordOf(options.output)).toMatchObject({ status: 'stopped', error: null });
  expect(readdirSync(batchFolder(home))).not.toContain(stopPath);
  await using quick = await startFakeDaemon();
  await runBatch({ ...options, baseUrl: quick.baseUrl });
  expect(recordOf(options.output)).toMatchObject({ status: 'done', series: SERIES });
});

test('a run that fails says why', async () => {
  const options = optionsFor('failed', { columns: { targetColumns: ['nothing'] } });
  const error = await runBatch(options).catch((thrown: unknown) => thrown as Error);
  expect(recordOf(options.output)).toMatchObject({
    status: 'failed',
    error: { message: (error as Error).message },
  });
});

test('a state folder that cannot be written stops no run', async () => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const summary = await runBatch(optionsFor('untold', { home: join(file, 'home') }));
  expect(summary).toMatchObject({ series: SERIES, failed: 0 });
});
