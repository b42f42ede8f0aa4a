/**
 * The other side of a bench over HTTP, in a thread of its own: the upstream that answers after a fixed time,
 * and the clients that ask, each over one kept connection.
 */
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Measured } from './report.ts';
import { benchQuantiles, benchRequest } from './requests.ts';

export interface LoadTask {
  readonly requests: number;
  readonly unique: number;
  readonly adapterLatencyMs: number;
  readonly concurrency: number;
}

export interface LoadReady {
  readonly upstreamPort: number;
}

/** Told by the bench once its gateway listens. */
export interface LoadStart {
  readonly url: string;
}

const openUpstream = (latencyMs: number): Promise<number> =>
  new Promise((resolve) => {
    const text = JSON.stringify({ quantiles: benchQuantiles(), meta: {} });
    const server = createServer((asked, answer) => {
      asked.resume();
      setTimeout(() => answer.setHeader('content-type', 'application/json').end(text), latencyMs);
    });
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    server.unref();
  });

interface Seen {
  readonly isHit: boolean;
  readonly isFallback: boolean;
}

const post = (url: string, agent: Agent, body: string): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = httpRequest(`${url}/tsfm/forecast`, { method: 'POST', agent, headers }, (got) => {
      const chunks: Buffer[] = [];
      got.on('data', (chunk: Buffer) => chunks.push(chunk));
      got.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (got.statusCode !== 200) return reject(new Error(`${got.statusCode}: ${text}`));
        const isHit = text.includes('"cache_hit":true');
        resolve({ isHit, isFallback: text.includes('"fallback_used":true') });
      });
      got.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });

const load = async (url: string, task: LoadTask): Promise<Measured> => {
  const bodies = Array.from({ length: task.unique }, (_, i) => JSON.stringify(benchRequest(i)));
  const agent = new Agent({ keepAlive: true, maxSockets: task.concurrency });
  const latenciesMs: number[] = [];
  let next = 0;
  let hits = 0;
  let fallbacks = 0;
  const client = async (): Promise<void> => {
    while (next < task.requests) {
      const body = bodies[next++ % bodies.length]!;
      const asked = performance.now();
      const { isHit, isFallback } = await post(url, agent, body);
      latenciesMs.push(performance.now() - asked);
      if (isHit) hits++;
      if (isFallback) fallbacks++;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: task.concurrency }, client));
  const elapsedS = (performance.now() - started) / 1000;
  agent.destroy();
  return { requests: task.requests, unique: task.unique, elapsedS, latenciesMs, hits, fallbacks };
};

if (!isMainThread && parentPort) {
  const port = parentPort;
  const task = workerData as LoadTask;
  port.once('message', async ({ url }: LoadStart) => port.postMessage(await load(url, task)));
  port.postMessage({ upstreamPort: await openUpstream(task.adapterLatencyMs) } satisfies LoadReady);
}
