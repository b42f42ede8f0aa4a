/**
 * Steps of a training of all of tollama-nano's weights, whose micro-batches one process computes one after the other on
 * one thread, beside the same steps shared by two processes of one thread each. In turns; the weights must end equal.
 *
 *   node bench/data-parallel.ts [--rounds 7] [--steps 3] [--batch 128] [--accumulate 2] [--workers 2]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { JOB_SCHEMA, JobConfig } from '@tollama/core/training-job';
import { NANO_FOLDER } from '@tollama/models/in-the-box';
import { lossFeeds, openModelParts, openTrainingStep, trainableModel } from '@tollama/training';
import { stepOptions } from '@tollama/training/job/open-model';
import { ShardPool } from '@tollama/training/parallel/shard-pool';
import type { TrainingStep } from '@tollama/training/step/training-step';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '3' },
    batch: { type: 'string', default: '128' },
    accumulate: { type: 'string', default: '2' },
    workers: { type: 'string', default: '2' },
  },
});
const count = (name: keyof typeof values): number => Number(values[name]);
const HORIZON = 16;
const CONTEXT = 512;

const folder = await mkdtemp(join(tmpdir(), 'tollama-parallel-'));
const options = { adapter: 'full', horizon: HORIZON, threads: 1 };
const base = { model: 'tollama-nano', revision: '-', folder: null };
const job = JobConfig.parse({ schema: JOB_SCHEMA, id: 'bench', name: 'bench', base, options });
await writeFile(join(folder, 'job.json'), JSON.stringify(job));

const parts = await openModelParts(NANO_FOLDER, { horizon: HORIZON });
const model = await trainableModel(parts, job.options);
const shapes = new Map([...model.trainable].map(([name, { dims }]) => [name, dims]));
await using pool = new ShardPool({
  count: count('workers'),
  program: fileURLToPath(new URL('../packages/training/src/job/shard-worker.ts', import.meta.url)),
  arguments: [folder, JSON.stringify({ horizon: HORIZON }), '1'],
  shapes,
});
const own = stepOptions(model, parts, job.options);
await using alone = await openTrainingStep(own);
await using shared = await openTrainingStep({ ...own, shards: pool });

const size = count('batch');
const context = Math.min(CONTEXT, parts.training.contextLength);
const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(0.37 * i + phase) + Math.sin(0.011 * i));
const batches = Array.from({ length: count('accumulate') }, (_, i) => {
  const contexts = wave(size * context, i);
  const labels = wave(size * HORIZON, i + 1);
  return lossFeeds({ contexts, labels, size, context, horizon: HORIZON }, parts.training);
});

const msOfSteps = async (step: TrainingStep): Promise<number> => {
  const started = performance.now();
  for (let i = 0; i < count('steps'); i++) {
    (await step.run(batches, { learningRate: 1e-4 })).commit();
  }
  return (performance.now() - started) / count('steps');
};

/** Processor time of this process and of the helpers, each in ms (the helpers' in ticks of 10, on Linux alone). */
const processorTimes = async (): Promise<readonly number[]> => {
  const { user, system } = process.cpuUsage();
  const helpers = pool.processIds.map(async (id) => {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  });
  return [(user + system) / 1000, ...(await Promise.all(helpers))];
};

/** Wall time of a step, and processor time of each process. */
const measured = async (step: TrainingStep) => {
  const before = await processorTimes();
  const ms = await msOfSteps(step);
  const after = await processorTimes();
  return { ms, processor: after.map((now, i) => (now - before[i]!) / count('steps')) };
};

const bitsOf = (step: TrainingStep): string =>
  JSON.stringify([...step.state().parameters].map(([, { data }]) => [...(data as Float32Array)]));

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

await msOfSteps(alone);
await msOfSteps(shared);
type Measured = Awaited<ReturnType<typeof measured>>;
const times: { readonly alone: Measured; readonly shared: Measured }[] = [];
for (let round = 0; round < count('rounds'); round++) {
  const first = round % 2 === 0 ? await measured(alone) : undefined;
  const both = await measured(shared);
  times.push({ alone: first ?? (await measured(alone)), shared: both });
}
const isSame = bitsOf(alone) === bitsOf(shared);
const wall = (key: 'alone' | 'shared'): string =>
  median(times.map((one) => one[key].ms)).toFixed(0);
const processor = (key: 'alone' | 'shared'): string =>
  times[0]![key].processor
    .map((_, i) => median(times.map((one) => one[key].processor[i]!)).toFixed(0))
    .join(' + ');
console.log(`one process: ${wall('alone')} ms a step, processor ${processor('alone')} ms`);
console.log(
  `${values.workers} helpers: ${wall('shared')} ms a step, processor ${processor('shared')} ms`,
);
const ratios = times.map((one) => (one.alone.ms / one.shared.ms).toFixed(2)).join(' ');
console.log(`times as fast: ${ratios}; load ${loadavg()[0]!.toFixed(1)}`);
console.log(isSame ? 'the same bits' : 'OTHER BITS');
await rm(folder, { recursive: true, force: true });
