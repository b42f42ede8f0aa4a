/** A batch whose workers share nothing with it but a real Redis. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skipsRedis, startRedis } from '@tollama/queue/testing/redis-server';
import { afterAll, expect, test } from 'vitest';
import { startFakeDaemon } from '../testing/fake-daemon.ts';
import { panelRows, writePanel } from '../testing/panel-file.ts';
import { runBatch } from './run-batch.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-shared-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERIES = 150;
const LEASE_MS = 500;
const program = fileURLToPath(new URL('../worker/main.ts', import.meta.url));

const startWorker = (queue: string, baseUrl: string): ChildProcess => {
  const where = ['--queue', queue, '--base-url', baseUrl, '--lease-ms', String(LEASE_MS)];
  return spawn(process.execPath, [program, ...where], { stdio: ['pipe', 'ignore', 'inherit'] });
};

const filesOf = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(output)
      .filter((name) => name !== '_tollama')
      .map((name) => [name, readFileSync(join(output, name)).toString('base64')]),
  );

test.skipIf(skipsRedis())(
  'killed workers and a killed Redis lose nothing and double nothing',
  async () => {
    const inputs = [writePanel(join(folder, 'panel.csv'), panelRows(SERIES))];
    const settings = {
      ...{ model: 'fake', horizon: 3, quantiles: [0.5], freq: 'D' },
      options: {},
    };
    await using redis = await startRedis();
    const workers: ChildProcess[] = [];
    await using daemon = await startFakeDaemon(async (count) => {
      if (count === 15 || count === 70) {
        workers.shift()!.kill('SIGKILL');
        workers.push(startWorker(redis.address, daemon.baseUrl));
      }
      if (count === 40 || count === 100) {
        await redis.kill();
        await redis.start();
      }
    });
    workers.push(
      startWorker(redis.address, daemon.baseUrl),
      startWorker(redis.address, daemon.baseUrl),
    );
    const chunk = { series: 1, points: 1000 };
    const { signal } = new AbortController();
    const shared = { inputs, settings, chunk, signal, leaseMs: LEASE_MS };
    try {
      const output = join(folder, 'shared');
      const queue = redis.address;
      const summary = await runBatch({ ...shared, output, queue, workers: 0 });
      expect(summary).toMatchObject({ series: SERIES, failed: 0, rows: 3 * SERIES });
      const local = join(folder, 'local');
      await runBatch({ ...shared, output: local, workers: 1, baseUrl: daemon.baseUrl });
      expect(filesOf(output)).toEqual(filesOf(local));
    } finally {
      for (const worker of workers) worker.kill('SIGKILL');
    }
  },
  120_000,
);
