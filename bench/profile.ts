/**
 * Where a forecast's time goes: onnxruntime's own clock of every operator, summed by kind and by node.
 *
 *   node bench/profile.ts --model FOLDER [--precision float32|int8] [--batch 1] [--runs 10] [--threads 2]
 *                         [--options JSON] [--mean] [--nodes 15]
 *
 * The first forecast is left out. "rest" is what the whole runs took beside their operators.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromCheckpoint, openCheckpoint, openSession, type Precision } from '@tollama/graph';
import { readConfig } from '@tollama/models';
import { assembleModel } from '@tollama/models/assemble-model';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    batch: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10' },
    threads: { type: 'string', default: '2' },
    options: { type: 'string', default: '{}' },
    mean: { type: 'boolean', default: false },
    nodes: { type: 'string', default: '15' },
  },
});

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

const folder = mkdtempSync(join(tmpdir(), 'tollama-profile-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const task = {
  series: Array.from({ length: Number(values.batch) }, (_, i) => ({
    id: String(i),
    targets: [Float64Array.from({ length: 512 }, (__, t) => 10 * Math.sin(t / 4 + i) + 0.02 * t)],
  })),
  horizon: 64,
  quantiles: values.mean ? [] : [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  options: JSON.parse(values.options) as Readonly<Record<string, unknown>>,
};

const checkpoint = await openCheckpoint(values.model!);
const { family, config } = await readConfig(
  values.model!,
  checkpoint.tensors,
  checkpoint.hyperParameters,
);
const precision = values.precision as Precision;
const settings = { checkpoint, threads: Number(values.threads), precision, device: 'cpu' } as const;
const { keepFloat32 } = family;
const model = await assembleModel({
  family,
  config,
  checkpoint,
  weights: fromCheckpoint(checkpoint.tensors),
  device: 'cpu',
  precision,
  openSession: (graph) =>
    openSession(graph, { ...settings, keepFloat32, profile: join(folder, graph.name) }),
  inspect: false,
  verify: false,
});

await model.forecast(task);
const times: number[] = [];
for (let i = 0; i < Number(values.runs); i++) {
  const started = performance.now();
  await model.forecast(task);
  times.push(performance.now() - started);
}
await model[Symbol.asyncDispose]();

const runs = times.length;
const median = times.toSorted((a, b) => a - b)[runs >> 1]!;
console.log(`forecast: median ${median.toFixed(2)} ms, least ${Math.min(...times).toFixed(2)} ms`);
for (const file of readdirSync(folder)) {
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Event[];
  const whole = events.filter(({ name }) => name === 'model_run').sort((a, b) => a.ts - b.ts);
  const perForecast = whole.length / (runs + 1);
  const counted = whole.slice(Math.round(perForecast));
  const since = counted[0]?.ts ?? 0;
  const nodes = events.filter(
    ({ cat, name, ts }) => cat === 'Node' && name.endsWith('_kernel_time') && ts >= since,
  );
  const sum = (list: readonly Event[]): number => list.reduce((total, { dur }) => total + dur, 0);
  const total = sum(counted) / 1000 / runs;
  console.log(
    `\n${file.replace(/_\d{4}-.*/, '')}: ${perForecast} runs a forecast, ${total.toFixed(2)} ms`,
  );
  const show = (groups: Map<string | undefined, Event[]>, most: number): void => {
    const list = [...groups].map(([name, own]) => ({
      name,
      ms: sum(own) / 1000 / runs,
      count: own.length / runs,
    }));
    for (const { name, ms, count } of list.sort((a, b) => b.ms - a.ms).slice(0, most)) {
      console.log(`  ${ms.toFixed(3).padStart(9)} ms ${String(count).padStart(6)} x ${name}`);
    }
  };
  show(
    Map.groupBy(nodes, ({ args }) => args?.op_name),
    12,
  );
  console.log(`  ${(total - sum(nodes) / 1000 / runs).toFixed(3).padStart(9)} ms        rest`);
  show(
    Map.groupBy(nodes, ({ name }) => name.replace('_kernel_time', '')),
    Number(values.nodes),
  );
}
