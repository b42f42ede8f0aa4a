import { access, mkdir, writeFile } from 'node:fs/promises';
import {
  BATCH_SILENT_MS,
  type BatchRun,
  batchFolder,
  batchRecordPath,
  batchStopPath,
} from '@tollama/core/batch-run';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeEach(async () => {
  at = await startTestDaemon();
  await mkdir(batchFolder(at.home), { recursive: true });
});
afterEach(() => at[Symbol.asyncDispose]());

const ID = '0123456789abcdef';
const OTHER = 'fedcba9876543210';

const write = async (change: Partial<BatchRun> = {}): Promise<void> => {
  const now = new Date().toISOString();
  const run: BatchRun = {
    ...{ id: ID, status: 'running', model: 'theta', horizon: 28, inputs: ['panel.parquet'] },
    ...{ output: '/data/out', host: 'box', pid: 1, workers: 2, queue: null },
    ...{ started_at: now, updated_at: now, ended_at: null, series: 10, failed: 1, total: 40 },
    ...{ series_per_second: 5, eta_ms: 6000, memory_bytes: 1e8, error: null },
    ...change,
  };
  await writeFile(batchRecordPath(at.home, run.id), JSON.stringify(run));
};

test('runs are listed, the latest first; what is no record is no run', async () => {
  expect(await at.call('GET', '/api/batches')).toEqual({ status: 200, body: { batches: [] } });
  await write({ started_at: '2026-01-01T00:00:00.000Z' });
  await write({ id: OTHER });
  await writeFile(batchRecordPath(at.home, 'aaaaaaaaaaaaaaaa'), '{"id": "half of a rec');
  const { body } = await at.call('GET', '/api/batches');
  expect(body).toMatchObject({
    batches: [
      { id: OTHER, eta_ms: 6000 },
      { id: ID, series: 10 },
    ],
  });
});

test('a run that fell silent was interrupted; one that is over stays what it is', async () => {
  const updated_at = new Date(Date.now() - 2 * BATCH_SILENT_MS).toISOString();
  await write({ updated_at });
  await write({ id: OTHER, updated_at, status: 'done' });
  expect(await at.call('GET', `/api/batches/${ID}`)).toMatchObject({
    body: { status: 'interrupted', series: 10, eta_ms: null },
  });
  expect(await at.call('GET', `/api/batches/${OTHER}`)).toMatchObject({ body: { status: 'done' } });
});

test('a run is asked to stop, and forgotten when it is over', async () => {
  await write();
  expect(await at.call('DELETE', `/api/batches/${ID}?purge=true`)).toMatchObject({
    status: 503,
    body: { detail: `batch '${ID}' is running`, hint: 'stop it first' },
  });
  expect(await at.call('DELETE', `/api/batches/${ID}`)).toMatchObject({ body: { id: ID } });
  await access(batchStopPath(at.home, ID));
  await write({ status: 'stopped' });
  expect(await at.call('DELETE', `/api/batches/${ID}?purge=true`)).toEqual({
    status: 200,
    body: { deleted: true, id: ID },
  });
  await expect(access(batchRecordPath(at.home, ID))).rejects.toThrow();
  await expect(access(batchStopPath(at.home, ID))).rejects.toThrow();
});

test.each(['nope', '..%2F..%2Fconfig', OTHER])('%s is no batch', async (id) => {
  for (const method of ['GET', 'DELETE']) {
    expect((await at.call(method, `/api/batches/${id}`)).status).toBe(404);
  }
});
