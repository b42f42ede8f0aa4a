/**
 * How the cost of a forecast grows: processor time of one call of a checkpoint with random weights, one thread, the
 * least of several calls, over context, horizon and batch; and wall time over threads.
 *
 *   node bench/scale/growth.ts [--config bench/configs/chronos-bolt-small.json] [--calls 5]
 *     [--over batch,context,horizon,threads]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type OpenModel, openModel } from '@tollama/models';
import { randomCheckpoint } from '@tollama/models/random-checkpoint';

const { values } = parseArgs({
  options: {
    config: {
      type: 'string',
      default: resolve(import.meta.dirname, '../configs/chronos-bolt-small.json'),
    },
    calls: { type: 'string', default: '5' },
    over: { type: 'string', default: 'batch,context,horizon,threads' },
  },
});

interface Point {
  readonly batch: number;
  readonly context: number;
  readonly horizon: number;
}

const USUAL: Point = { batch: 32, context: 512, horizon: 64 };

/** A horizon past one pass feeds copies back: fewer series, so that a call stays short. */
const POINTS: Readonly<Record<keyof Point, readonly Point[]>> = {
  batch: [1, 8, 32, 128].map((batch) => ({ ...USUAL, batch })),
  context: [64, 256, 512, 1024, 2048].map((context) => ({ ...USUAL, context })),
  horizon: [16, 64, 128, 256].map((horizon) => ({ ...USUAL, batch: 4, horizon })),
};

const taskOf = ({ batch, context, horizon }: Point) => ({
  series: Array.from({ length: batch }, (_, b) => ({
    id: String(b),
    targets: [Float32Array.from({ length: context }, (_, t) => b + Math.sin(t / 7))],
  })),
  horizon,
  quantiles: [0.1, 0.5, 0.9],
  options: {},
});

interface Cost {
  readonly processorMs: number;
  readonly wallMs: number;
}

const costOf = async (model: OpenModel, point: Point): Promise<Cost> => {
  const task = taskOf(point);
  await model.forecast(task);
  let least: Cost = { processorMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY };
  for (let call = 0; call < Number(values.calls); call++) {
    const before = process.cpuUsage();
    const started = performance.now();
    await model.forecast(task);
    const wallMs = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    const processorMs = (user + system) / 1000;
    least = {
      processorMs: Math.min(least.processorMs, processorMs),
      wallMs: Math.min(least.wallMs, wallMs),
    };
  }
  return least;
};

const folder = await mkdtemp(join(tmpdir(), 'tollama-growth-'));

const row = async (model: OpenModel, what: string, point: Point): Promise<void> => {
  const { processorMs, wallMs } = await costOf(model, point);
  const each = processorMs / point.batch;
  console.log(
    `| ${what} | ${processorMs.toFixed(1)} | ${each.toFixed(2)} | ${wallMs.toFixed(1)} |`,
  );
};

const measure = async (): Promise<void> => {
  const config = JSON.parse(await readFile(values.config, 'utf8')) as Record<string, unknown>;
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await randomCheckpoint(join(folder, 'model.safetensors'), config, undefined, 1);
  console.log('| call | processor ms | ms a series | wall ms |\n| --- | ---: | ---: | ---: |');
  const over = values.over.split(',');
  {
    await using model = await openModel(folder, { threads: 1 });
    for (const [what, points] of Object.entries(POINTS)) {
      if (!over.includes(what)) continue;
      for (const point of points) {
        await row(model, `${what} ${point[what as keyof Point]}`, point);
      }
    }
  }
  if (!over.includes('threads')) return;
  for (const threads of [1, 2]) {
    await using model = await openModel(folder, { threads });
    await row(model, `threads ${threads}`, USUAL);
  }
};

try {
  await measure();
} finally {
  await rm(folder, { recursive: true, force: true });
}
