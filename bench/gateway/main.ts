/**
 * A gateway under load: keep-alive clients, an upstream of fixed latency, a share of requests that repeat answered ones.
 * Starts the upstream and our gateway as processes; with --url another service is measured, which must ask the upstream
 * on --upstream-port (the original, say). One line of JSON for each share of hits.
 *
 *   node bench/gateway/main.ts [--hit 0.9,0] [--requests 20000] [--concurrency 32] [--upstream-ms 15]
 *                              [--url http://host:port --upstream-port P --token T]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchRequest } from '../../packages/gateway/src/bench/requests.ts';
import { Connection } from './connection.ts';

const { values: options } = parseArgs({
  options: {
    hit: { type: 'string', default: '0.9,0' },
    requests: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '32' },
    'upstream-ms': { type: 'string', default: '15' },
    'upstream-port': { type: 'string', default: '0' },
    url: { type: 'string' },
    token: { type: 'string', default: 'bench-secret' },
  },
});
const [REQUESTS, CONCURRENCY] = [Number(options.requests), Number(options.concurrency)];
const MOST_REPEATED = 200;
const ROOT = resolve(import.meta.dirname, '../..');

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });

const started = async (args: readonly string[], isReady: RegExp): Promise<ChildProcess> => {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => isReady.test(chunk.toString()) && done());
    }
    child.once('exit', () => fail(new Error(`${args.join(' ')} ended`)));
  });
  return child;
};

/** Requests as they go over the wire. Few markets, as a product has them. */
const bytesOf = (index: number): Buffer => {
  const body = JSON.stringify({ ...benchRequest(index), market_id: `m-${index % 20}` });
  const head = [
    'POST /tsfm/forecast HTTP/1.1',
    'host: bench',
    'content-type: application/json',
    `authorization: Bearer ${options.token}`,
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
};

interface Tally {
  readonly latenciesMs: number[];
  hits: number;
  fallbacks: number;
  errors: number;
}

const load = async (url: URL, requests: readonly Buffer[]): Promise<Tally> => {
  const tally: Tally = { latenciesMs: [], hits: 0, fallbacks: 0, errors: 0 };
  let next = 0;
  const client = async (): Promise<void> => {
    using connection = new Connection(url.hostname, Number(url.port));
    while (next < requests.length) {
      const request = requests[next++]!;
      const asked = performance.now();
      const { status, body } = await connection.ask(request);
      tally.latenciesMs.push(performance.now() - asked);
      if (status !== 200) tally.errors++;
      if (body.includes('"cache_hit":true')) tally.hits++;
      if (body.includes('"fallback_used":true')) tally.fallbacks++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return tally;
};

/** CPU seconds and megabytes of a process, from /proc; 0 where there is none. */
const usageOf = (pid: number | undefined): { readonly cpuS: number; readonly rssMb: number } => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return { cpuS: (Number(fields[11]) + Number(fields[12])) / 100, rssMb: (pages * 4096) / 1e6 };
  } catch {
    return { cpuS: 0, rssMb: 0 };
  }
};

/** The same order on every run. */
const shuffled = (requests: Buffer[]): Buffer[] => {
  let state = 7;
  for (let i = requests.length - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647;
    const j = state % (i + 1);
    [requests[i], requests[j]] = [requests[j]!, requests[i]!];
  }
  return requests;
};

const at = (ascending: readonly number[], share: number): number =>
  Math.round(100 * ascending[Math.round(share * (ascending.length - 1))]!) / 100;

const measure = async (url: URL, pid: number | undefined, hit: number, round: number) => {
  const first = (round + 1) * 10_000_000;
  const range = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => bytesOf(first + from + i));
  await load(url, range(0, 2 * CONCURRENCY));
  const fresh = Math.max(1, Math.round(REQUESTS * (1 - hit)));
  const repeated = hit > 0 ? range(1_000_000, Math.min(fresh, MOST_REPEATED)) : [];
  await load(url, repeated);
  const repeats = Array.from(
    { length: REQUESTS - fresh },
    (_, i) => repeated[i % repeated.length]!,
  );
  const requests = shuffled([...range(2_000_000, fresh), ...repeats]);
  const before = usageOf(pid);
  const began = performance.now();
  const { latenciesMs, ...counts } = await load(url, requests);
  const wallS = (performance.now() - began) / 1000;
  const after = usageOf(pid);
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return {
    hit_wanted: hit,
    hit_seen: counts.hits / requests.length,
    requests: requests.length,
    concurrency: CONCURRENCY,
    rps: Math.round(requests.length / wallS),
    p50_ms: at(sorted, 0.5),
    p95_ms: at(sorted, 0.95),
    p99_ms: at(sorted, 0.99),
    fallback_rate: counts.fallbacks / requests.length,
    errors: counts.errors,
    service_cpu_s: Math.round(100 * (after.cpuS - before.cpuS)) / 100,
    service_rss_mb: Math.round(after.rssMb),
  };
};

const startOurs = async (folder: string, upstreamPort: number) => {
  const config = join(folder, 'gateway.yaml');
  const port = await freePort();
  await writeFile(
    config,
    `tsfm: {adapter: {base_url: 'http://127.0.0.1:${upstreamPort}'}, conformal: {state_path: none}}\n` +
      'api: {tsfm_forecast: {require_auth: false, rate_limit_per_minute: 0}}\n',
  );
  const cli = join(ROOT, 'packages/cli/bin/tollama.mjs');
  const args = [cli, 'gateway', '--config', config, '--port', String(port)];
  const child = await started(args, /listening/);
  return { url: new URL(`http://127.0.0.1:${port}`), child };
};

const folder = await mkdtemp(join(tmpdir(), 'tollama-load-'));
const children: ChildProcess[] = [];
try {
  const upstreamPort = Number(options['upstream-port']) || (await freePort());
  const upstream = join(import.meta.dirname, 'upstream.ts');
  children.push(await started([upstream, String(upstreamPort), options['upstream-ms']], /ready/));
  const ours = options.url === undefined ? await startOurs(folder, upstreamPort) : undefined;
  if (ours) children.push(ours.child);
  const url = ours?.url ?? new URL(options.url!);
  for (const [round, hit] of options.hit.split(',').map(Number).entries()) {
    console.log(JSON.stringify(await measure(url, ours?.child.pid, hit, round)));
  }
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  await rm(folder, { recursive: true, force: true });
}
