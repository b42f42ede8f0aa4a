/**
 * The simulation held against real machines: daemons of one thread each on this computer, requests of one series that
 * arrive at random, the lighter of two daemons asked. First it measures what a run costs, then what the daemons do at
 * several loads, then it simulates the same. Prints one table.
 *
 *   node bench/scale/against-real.ts [--daemons 2] [--config bench/configs/chronos-bolt-small.json] [--seconds 20]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TollamaClient } from '@tollama/client';
import type { ServiceTime } from './service-times.ts';
import { type Cluster, simulate } from './simulate.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    daemons: { type: 'string', default: '2' },
    config: { type: 'string', default: join(ROOT, 'bench/configs/chronos-bolt-small.json') },
    seconds: { type: 'string', default: '20' },
  },
});
const MODEL = 'random';
const CONTEXT = 512;
const HORIZON = 64;
const LOADS = [0.3, 0.5, 0.7, 0.85] as const;
const MAX_BATCH = 32;

interface Machine {
  readonly client: TollamaClient;
  inFlight: number;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
};

const startDaemon = async (
  home: string,
): Promise<{ readonly child: ChildProcess; readonly machine: Machine }> => {
  const port = await freePort();
  const env = { ...process.env, TOLLAMA_HOME: home, TOLLAMA_THREADS: '1' };
  const cli = join(ROOT, 'packages/cli/bin/tollama.mjs');
  const child = spawn(process.execPath, [cli, 'serve', '--port', String(port)], {
    env: { ...env, TOLLAMA_LOG_LEVEL: 'error' },
    stdio: 'inherit',
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${baseUrl}/v1/health`).catch(() => undefined))) await sleep(50);
  const client = new TollamaClient({ baseUrl, retries: 0 });
  const config = JSON.parse(await readFile(values.config, 'utf8')) as Record<string, unknown>;
  for await (const _ of client.create({ model: MODEL, random: { config } })) {
    // Its end is all that counts.
  }
  return { child, machine: { client, inFlight: 0 } };
};

const timestamps = Array.from({ length: CONTEXT }, (_, t) => new Date(t * 3_600_000).toISOString());
const target = timestamps.map((_, t) => 10 + Math.sin(t / 7));

/** Milliseconds of one request. */
const ask = async (machine: Machine, model = MODEL): Promise<number> => {
  const series = [{ id: 'a', freq: 'h', timestamps, target }];
  const started = performance.now();
  machine.inFlight++;
  try {
    await machine.client.forecast({ model, horizon: HORIZON, quantiles: [0.5], series });
    return performance.now() - started;
  } finally {
    machine.inFlight--;
  }
};

const quantile = (sorted: readonly number[], level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!;

const alone = async (machine: Machine, model: string, calls: number): Promise<number> => {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) times.push(await ask(machine, model));
  return quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  );
};

/** Answers a second while twice as many as a batch wait at each machine. */
const fullRate = async (machines: readonly Machine[], seconds: number): Promise<number> => {
  const until = performance.now() + 1000 * seconds;
  let answered = 0;
  const client = async (machine: Machine): Promise<void> => {
    while (performance.now() < until) {
      await ask(machine);
      answered++;
    }
  };
  await Promise.all(
    machines.flatMap((machine) => Array.from({ length: 2 * MAX_BATCH }, () => client(machine))),
  );
  return answered / seconds;
};

const measure = async (machines: readonly Machine[], rate: number, seconds: number) => {
  const times: number[] = [];
  const asked: Promise<void>[] = [];
  const started = performance.now();
  const any = (): Machine => machines[Math.floor(Math.random() * machines.length)]!;
  for (let at = 0; ; ) {
    at += (-Math.log(1 - Math.random()) * 1000) / rate;
    if (at > 1000 * seconds) break;
    // Late by a timer's grain at most; those that are due are asked at once.
    const left = started + at - performance.now();
    if (left > 1) await sleep(left);
    const [a, b] = [any(), any()];
    const machine = b.inFlight < a.inFlight ? b : a;
    const due = started + at;
    asked.push(ask(machine).then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(asked);
  const elapsed = (performance.now() - started) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    throughput: times.length / elapsed,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    requests: times.length,
  };
};

const compare = async (machines: readonly Machine[]): Promise<void> => {
  const seconds = Number(values.seconds);
  for (const machine of machines) await alone(machine, MODEL, 10);
  const overheadMs = await alone(machines[0]!, 'seasonal-naive', 200);
  const oneMs = await alone(machines[0]!, MODEL, 100);
  const full = await fullRate(machines, seconds);
  const eachMs = (machines.length * 1000) / full;
  const service: ServiceTime = { fixedMs: Math.max(0, oneMs - overheadMs - eachMs), eachMs };
  const [fixed, each] = [service.fixedMs.toFixed(2), eachMs.toFixed(2)];
  console.log(
    `${machines.length} daemons: ${full.toFixed(0)} series/s in full; ${fixed} ms a run + ${each} ms a series, ${overheadMs.toFixed(2)} ms beside\n`,
  );
  console.log(
    '| load | asked/s | answered/s | simulated | p50, ms | simulated | p99, ms | simulated |',
  );
  console.log(`|${' ---: |'.repeat(8)}`);
  for (const load of LOADS) {
    const rate = full * load;
    const real = await measure(machines, rate, seconds);
    const cluster: Cluster = {
      ...{ machines: machines.length, rate, service, maxBatch: MAX_BATCH, maxQueue: 512 },
      ...{ balancer: 'two-choices', overheadMs, requests: 50_000, seed: 1 },
    };
    const simulated = simulate(cluster);
    const cells = [
      ...[load, rate.toFixed(0), real.throughput.toFixed(0), simulated.throughput.toFixed(0)],
      ...[real.p50Ms.toFixed(1), simulated.p50Ms.toFixed(1)],
      ...[real.p99Ms.toFixed(1), simulated.p99Ms.toFixed(1)],
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
};

const folder = await mkdtemp(join(tmpdir(), 'tollama-scale-'));
const daemons: Awaited<ReturnType<typeof startDaemon>>[] = [];
try {
  for (let d = 0; d < Number(values.daemons); d++) {
    daemons.push(await startDaemon(join(folder, `home-${d}`)));
  }
  await compare(daemons.map(({ machine }) => machine));
} finally {
  for (const { child } of daemons) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
}
