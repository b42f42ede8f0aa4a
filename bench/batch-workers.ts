/**
 * Chunks a second of 1 and of 2 workers on a real Redis, where each chunk waits for a daemon that answers after
 * a fixed time: work that is not bound by this machine's processors.
 *
 *   node bench/batch-workers.ts [--chunks 200] [--latency 100]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runBatch } from '../packages/batch/src/run/run-batch.ts';
import { startFakeDaemon } from '../packages/batch/src/testing/fake-daemon.ts';
import { panelRows, writePanel } from '../packages/batch/src/testing/panel-file.ts';
import { startRedis } from '../packages/queue/src/testing/redis-server.ts';

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '200' },
    latency: { type: 'string', default: '100' },
  },
});
const [chunks, latencyMs] = [Number(values.chunks), Number(values.latency)];
const SERIES_PER_CHUNK = 4;

const folder = mkdtempSync(join(tmpdir(), 'tollama-bench-'));
const panel = writePanel(join(folder, 'panel.csv'), panelRows(chunks * SERIES_PER_CHUNK));
await using redis = await startRedis();

const measure = async (workers: number): Promise<number> => {
  // From the first answer to the last one: starting processes is no part of the rate.
  let first = 0;
  let last = 0;
  await using daemon = await startFakeDaemon(async () => {
    await sleep(latencyMs);
    last = performance.now();
    first ||= last;
  });
  await runBatch({
    inputs: [panel],
    output: join(folder, `out-${workers}`),
    settings: {
      ...{ model: `fake-${workers}`, horizon: 4, quantiles: [0.5], freq: 'D' },
      options: {},
    },
    chunk: { series: SERIES_PER_CHUNK, points: 1_000_000 },
    queue: redis.address,
    baseUrl: daemon.baseUrl,
    workers,
    signal: new AbortController().signal,
  });
  const rate = ((chunks - 1) / (last - first)) * 1000;
  console.log(`${workers} worker(s): ${rate.toFixed(2)} chunks/s, ${latencyMs} ms each`);
  return rate;
};

const one = await measure(1);
const two = await measure(2);
console.log(`2 workers are ${(two / one).toFixed(2)} times as fast as 1`);
rmSync(folder, { recursive: true, force: true });
