/**
 * How the cost of a forecast grows with batch, context, horizon and threads, for each family of bench/families:
 * processor time of one call for one series, the least of several calls of one thread; and how much wall time two
 * threads save. Prints one table.
 *
 *   node bench/scale/growth.ts --checkpoints FOLDER [--models chronos-2,tirex] [--calls 3] [--seconds 20]
 *
 * FOLDER holds the checkpoints with random weights that bench/families made. A call that takes longer than --seconds
 * is made once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TollamaError } from '@tollama/core/errors';
import { type OpenModel, openModel } from '@tollama/models';
import { FAMILIES, type FamilyCase } from '../families/families.ts';

const { values } = parseArgs({
  options: {
    checkpoints: { type: 'string' },
    models: { type: 'string' },
    calls: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
  },
});
if (values.checkpoints === undefined) {
  console.error('Skipped: --checkpoints names no folder; node bench/families/run.ts makes one');
  process.exit(0);
}
const folder = values.checkpoints;
const calls = Number(values.calls);
const mostMs = 1000 * Number(values.seconds);

interface Point {
  readonly batch: number;
  readonly context: number;
  readonly horizon: number;
}

/** Where one of the three is varied, the others are these; families that take minutes get fewer series. */
const usual = ({ batch = 8 }: FamilyCase): Point => ({
  batch: Math.min(8, batch),
  context: 512,
  horizon: 64,
});

const BATCHES = [1, 8, 32] as const;
const CONTEXTS = [128, 512, 2048] as const;
const HORIZONS = [16, 64, 256] as const;

const taskOf = ({ batch, context, horizon }: Point, { options, quantiles }: FamilyCase) => ({
  series: Array.from({ length: batch }, (_, b) => ({
    id: String(b),
    targets: [Float32Array.from({ length: context }, (_, t) => b + Math.sin(t / 7))],
  })),
  horizon,
  quantiles: quantiles === false ? [] : [0.1, 0.5, 0.9],
  options: { ...options },
});

interface Cost {
  readonly processorMs: number;
  readonly wallMs: number;
}

const once = async (work: () => Promise<unknown>): Promise<Cost> => {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { processorMs: (user + system) / 1000, wallMs };
};

/** Undefined where the family does not take the point. */
const costOf = async (
  model: OpenModel,
  point: Point,
  family: FamilyCase,
): Promise<Cost | undefined> => {
  const { contextLength } = model.capabilities;
  if (contextLength !== null && point.context > contextLength) return undefined;
  const task = taskOf(point, family);
  try {
    const first = await once(() => model.forecast(task));
    if (first.wallMs > mostMs) return first;
    let least: Cost = { processorMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY };
    for (let call = 0; call < calls; call++) {
      const { processorMs, wallMs } = await once(() => model.forecast(task));
      least = {
        processorMs: Math.min(least.processorMs, processorMs),
        wallMs: Math.min(least.wallMs, wallMs),
      };
    }
    return least;
  } catch (error) {
    if (error instanceof TollamaError) return undefined;
    throw error;
  }
};

const digits = (ms: number): string => (ms >= 99.5 ? ms.toFixed(0) : ms.toPrecision(2));

const cellOf = (cost: Cost | undefined, { batch }: Point): string =>
  cost ? digits(cost.processorMs / batch) : '-';

const rowOf = async (family: FamilyCase): Promise<readonly string[]> => {
  const at = usual(family);
  const most = family.batch ?? Number.POSITIVE_INFINITY;
  const path = join(folder, family.config);
  const cells: string[] = [];
  let alone: Cost | undefined;
  {
    await using model = await openModel(path, { threads: 1 });
    const points = [
      ...BATCHES.map((batch) => ({ ...at, batch })),
      ...CONTEXTS.map((context) => ({ ...at, context })),
      ...HORIZONS.map((horizon) => ({ ...at, horizon })),
    ];
    for (const point of points) {
      const isTooMany = point.batch > most;
      cells.push(isTooMany ? '-' : cellOf(await costOf(model, point, family), point));
    }
    alone = await costOf(model, at, family);
  }
  await using model = await openModel(path, { threads: 2 });
  const both = await costOf(model, at, family);
  const gain = alone && both ? (alone.wallMs / both.wallMs).toFixed(2) : '-';
  return [family.config, String(at.batch), ...cells, gain];
};

const HEADER = [
  ...['model', 'series'],
  ...BATCHES.map((batch) => `batch ${batch}`),
  ...CONTEXTS.map((context) => `context ${context}`),
  ...HORIZONS.map((horizon) => `horizon ${horizon}`),
  '2 threads',
];
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const wanted = values.models?.split(',');
console.log(line(HEADER));
console.log(line(HEADER.map((_, i) => (i === 0 ? '---' : '---:'))));
for (const family of FAMILIES) {
  if (wanted && !wanted.includes(family.config)) continue;
  if (!existsSync(join(folder, family.config))) {
    console.error(`Skipped: ${folder} has no ${family.config}`);
    continue;
  }
  console.log(line(await rowOf(family)));
}
