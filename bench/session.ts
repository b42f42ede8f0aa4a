/**
 * node bench/session.ts FOLDER [--rounds N] [SETTING ...]
 *
 * What onnxruntime's settings cost and give for one checkpoint: time until the session is open, latency
 * at batch 1 and 32, processor time after a run, resident memory. Every measurement is a process of its
 * own; settings take turns, and the table shows the median over the rounds.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  fromCheckpoint,
  openCheckpoint,
  openSession,
  type Precision,
  type SessionOptions,
} from '@tollama/graph';
import { readConfig, type Task } from '@tollama/models';

interface Setting {
  readonly precision?: Precision;
  readonly runtime?: SessionOptions['runtime'];
}

/** Session entries go beside ours, which `runtime` would otherwise replace. */
const entries = (session: Readonly<Record<string, unknown>>): Setting => ({
  runtime: { extra: { session: { force_spinning_stop: '1', ...session } } },
});

const SETTINGS: Readonly<Record<string, Setting>> = {
  ours: {},
  'memory patterns': { runtime: { enableMemPattern: true } },
  'no arena': { runtime: { enableCpuMemArena: false } },
  'spins on after a run': { runtime: { extra: {} } },
  'never spins': entries({ intra_op: { allow_spinning: '0' } }),
  'no prepacking': entries({ disable_prepacking: '1' }),
  'device allocator': entries({ use_device_allocator_for_initializers: '1' }),
  'optimisation basic': { runtime: { graphOptimizationLevel: 'basic' } },
  'optimisation extended': { runtime: { graphOptimizationLevel: 'extended' } },
  int8: { precision: 'int8' },
};

const COLUMNS = ['load ms', 'first ms', 'b1 ms', 'b32 ms', 'idle CPU ms', 'RSS load', 'RSS end'];
type Measurement = readonly number[];

const CONTEXT = 512;
const HORIZON = 64;
const THREADS = 2;

const taskOf = (batch: number): Task => ({
  series: Array.from({ length: batch }, (_, id) => ({
    id: String(id),
    targets: [
      Float64Array.from({ length: CONTEXT }, (_, i) => Math.sin(i / 7 + id) * 10 + i * 0.1),
    ],
  })),
  horizon: HORIZON,
  quantiles: [0.1, 0.5, 0.9],
  options: {},
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const residentMegabytes = (): number => process.memoryUsage.rss() / 1e6;

const measure = async (
  folder: string,
  { precision = 'float32', runtime }: Setting,
  cacheDir: string,
): Promise<Measurement> => {
  const started = performance.now();
  const checkpoint = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, checkpoint.tensors);
  const graphs = family.graphs(config, fromCheckpoint(checkpoint.tensors), (_, tensor) => tensor);
  const options = { checkpoint, threads: THREADS, precision, runtime, cacheDir };
  await using session = await openSession(Object.values(graphs)[0]!, options);
  const load = performance.now() - started;
  const loaded = residentMegabytes();

  const time = async (task: Task): Promise<number> => {
    const start = performance.now();
    await family.forecast((_, feeds) => session.run(feeds), config, task);
    return performance.now() - start;
  };
  const latency = async (batch: number, runs: number): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) times.push(await time(taskOf(batch)));
    return median(times);
  };
  const first = await time(taskOf(1));
  const [one, many] = [await latency(1, 15), await latency(32, 3)];
  const before = process.cpuUsage();
  await sleep(1000);
  const { user, system } = process.cpuUsage(before);
  return [load, first, one, many, (user + system) / 1000, loaded, residentMegabytes()];
};

/** One measurement in a process of its own. */
const measureApart = async (args: readonly string[]): Promise<Measurement> => {
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return JSON.parse(output) as Measurement;
};

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const compare = async (folder: string, names: readonly string[], rounds: number): Promise<void> => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'tollama-bench-'));
  const measured = new Map(names.map((name) => [name, [] as Measurement[]]));
  try {
    // A first round fills the cache of graphs and the system's of files.
    for (let round = -1; round < rounds; round++) {
      for (const name of names) {
        const result = await measureApart([folder, name, '--child', cacheDir]);
        if (round >= 0) measured.get(name)!.push(result);
      }
    }
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
  console.log(row(['setting', ...COLUMNS]));
  console.log(row(['setting', ...COLUMNS].map(() => '---')));
  for (const [name, results] of measured) {
    const cells = COLUMNS.map((_, i) => median(results.map((result) => result[i]!)).toFixed(0));
    console.log(row([name, ...cells]));
  }
};

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '2' }, child: { type: 'string' } },
  allowPositionals: true,
});
const [folder, ...names] = positionals;
const unknown = names.find((name) => !Object.hasOwn(SETTINGS, name));
if (!folder || unknown !== undefined) {
  console.error('usage: node bench/session.ts FOLDER [--rounds N] [SETTING ...]');
  console.error(`settings: ${Object.keys(SETTINGS).join(', ')}`);
  process.exitCode = 2;
} else if (values.child !== undefined) {
  console.log(JSON.stringify(await measure(folder, SETTINGS[names[0]!]!, values.child)));
} else {
  await compare(folder, names.length > 0 ? names : Object.keys(SETTINGS), Number(values.rounds));
}
