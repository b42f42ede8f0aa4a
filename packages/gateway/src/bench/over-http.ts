/** The whole service: clients and upstream in another thread, the gateway in this one. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startGateway } from '../serve.ts';
import type { LoadReady, LoadStart, LoadTask } from './http-load.ts';
import type { Measured } from './report.ts';

const CONFIG = 'api:\n  tsfm_forecast: {require_auth: false, rate_limit_per_minute: 0}\n';

/** Runs the load against a gateway that is started for it. */
export const benchOverHttp = async (task: LoadTask): Promise<Measured> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollama-bench-'));
  const worker = new Worker(new URL('./http-load.ts', import.meta.url), { workerData: task });
  try {
    const config = join(folder, 'gateway.yaml');
    await writeFile(config, CONFIG);
    const [{ upstreamPort }] = (await once(worker, 'message')) as [LoadReady];
    const upstream = { TOLLAMA_BASE_URL: `http://127.0.0.1:${upstreamPort}` };
    await using running = await startGateway(
      { config: [config], port: 0, logLevel: 'warn' },
      upstream,
    );
    worker.postMessage({ url: running.url } satisfies LoadStart);
    const [measured] = (await once(worker, 'message')) as [Measured];
    return measured;
  } finally {
    await worker.terminate();
    await rm(folder, { recursive: true, force: true });
  }
};
