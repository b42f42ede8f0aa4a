/**
 * node bench/gateway-chaos/main.ts [--seconds 60] [--clients 16]
 *
 * Real processes: the gateway, an upstream that dies, hangs, answers garbage, throttles and comes back, and a
 * Redis server that dies and comes back. Exit code 1 when a request was late, went without a valid answer or
 * a typed error, when the breaker did not open or close, or when memory grew.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { newTally, runLoad } from './load.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '16' },
  },
});
const SECONDS = Number(values.seconds);
const DEADLINE_MS = 600;
const SLACK_MS = 50;
const ROOT = resolve(import.meta.dirname, '../..');

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });

const until = async (child: ChildProcess, word: RegExp): Promise<ChildProcess> => {
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8');
  await new Promise<void>((done) => {
    const see = (text: string): void => {
      if (word.test(text)) done();
    };
    child.stdout?.on('data', see);
    child.stderr?.on('data', see);
  });
  return child;
};

const start = (command: string, args: readonly string[], ready: RegExp, env = {}) =>
  until(spawn(command, args, { env: { ...process.env, ...env } }), ready);

const upstreamPort = await freePort();
const redisPort = await freePort();
const port = await freePort();
const startUpstream = () =>
  start(
    process.execPath,
    [join(import.meta.dirname, 'upstream.ts'), String(upstreamPort)],
    /ready/,
  );
const startRedis = () =>
  start(
    'redis-server',
    ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''],
    /ready to accept/i,
  );

const folder = await mkdtemp(join(tmpdir(), 'gateway-chaos-'));
const config = join(folder, 'gateway.yaml');
await writeFile(
  config,
  `api: {tsfm_forecast: {require_auth: false, rate_limit_per_minute: 0}}
tsfm:
  compatibility: hardened
  adapter: {base_url: 'http://127.0.0.1:${upstreamPort}', timeout_s: 0.25, request_deadline_s: ${DEADLINE_MS / 1000}}
  cache: {ttl_s: 1, stale_if_error_s: 3, max_bytes: 8000000, l2: {url: 'redis://127.0.0.1:${redisPort}'}}
  circuit_breaker: {window_s: 3, min_requests: 20, failure_rate_to_open: 0.5, cooldown_s: 1}
`,
);

let upstream = await startUpstream();
let redis = await startRedis();
const cli = join(ROOT, 'packages/cli/bin/tollama.mjs');
const gateway = await start(
  process.execPath,
  [cli, 'gateway', '--config', config, '--port', String(port)],
  /is listening/,
);
const url = `http://127.0.0.1:${port}`;

const residentMb = (): number => {
  const pages = Number(readFileSync(`/proc/${gateway.pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 1e6;
};

const breakerNow = async (): Promise<string> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return /tsfm_breaker_state\{state="([\w-]+)"\} 1/.exec(text)?.[1] ?? 'unknown';
};

const killed = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};
const tell = (mode: string): void => void upstream.stdin?.write(`${mode}\n`);

const upstreamReturns = async (): Promise<void> => {
  upstream = await startUpstream();
};
const redisReturns = async (): Promise<void> => {
  redis = await startRedis();
};

const EVENTS: readonly (readonly [name: string, act: () => Promise<void> | void])[] = [
  ['calm', () => {}],
  ['upstream dies', () => killed(upstream)],
  ['upstream is back', upstreamReturns],
  ['upstream hangs', () => void upstream.kill('SIGSTOP')],
  ['upstream goes on', () => void upstream.kill('SIGCONT')],
  ['upstream answers garbage', () => tell('garbage')],
  ['upstream is well', () => tell('ok')],
  ['upstream throttles', () => tell('throttle')],
  ['redis dies', () => killed(redis)],
  ['upstream is well', () => tell('ok')],
  ['redis is back', redisReturns],
  ['calm', () => {}],
];

const tally = newTally();
let isOver = false;
const load = runLoad(
  { url, clients: Number(values.clients), limitMs: DEADLINE_MS + SLACK_MS, isOver: () => isOver },
  tally,
);
const seen: string[] = [];
const memory: number[] = [];
const step = (SECONDS * 1000) / EVENTS.length;
for (const [name, act] of EVENTS) {
  await act();
  await sleep(step);
  seen.push(await breakerNow());
  memory.push(residentMb());
  console.log(
    `${name.padEnd(26)} breaker ${seen.at(-1)!.padEnd(10)} requests ${String(tally.requests).padStart(8)}  memory ${memory.at(-1)!.toFixed(0)} MB`,
  );
}
isOver = true;
await load;
for (const child of [gateway, upstream, redis]) await killed(child);
await rm(folder, { recursive: true });

const opened = [1, 3, 5, 7].every((i) => seen[i] !== 'closed');
const closed = [0, 2, 4, 6, 9, 10, 11].every((i) => seen[i] === 'closed');
const settled = memory.slice(Math.floor(memory.length / 3));
const growth = settled.at(-1)! / Math.min(...settled);
const verdicts: readonly (readonly [boolean, string])[] = [
  [
    tally.invalid === 0,
    `${tally.invalid} without a valid answer or a typed error${tally.firstInvalid ? `: ${tally.firstInvalid}` : ''}`,
  ],
  [
    tally.late === 0,
    `${tally.late} later than ${DEADLINE_MS} + ${SLACK_MS} ms, slowest ${tally.slowestMs.toFixed(0)} ms`,
  ],
  [opened, `breaker not closed while the upstream failed: ${seen.join(', ')}`],
  [closed, 'breaker closed while it was well'],
  [growth < 1.25, `memory at the end ${growth.toFixed(2)} of its least after warming up`],
];
console.log(`requests=${tally.requests}`);
for (const [outcome, count] of tally.byOutcome) console.log(`  ${outcome}=${count}`);
for (const [holds, text] of verdicts) console.log(`${holds ? 'ok  ' : 'FAIL'} ${text}`);
process.exitCode = verdicts.every(([holds]) => holds) ? 0 : 1;
