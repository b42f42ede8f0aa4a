/**
 * What a job finds out before it trains: the batch size and the learning rate, where they are asked for. They are
 * written down once, so that a job that goes on has the same.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { TollamaError } from '@tollama/core/errors';
import { FoundSettings, type JobOptions } from '@tollama/core/training-job';
import { type Feeds, peakBytes, sizesOfFeeds } from '@tollama/graph';
import { buildStepGraphs, type StepGraphOptions } from '../step/step-graphs.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import {
  type FoundBatchSize,
  SEARCH_DEFAULTS,
  searchBatchSize,
} from '../tune/batch-size-search.ts';
import { findLearningRate } from '../tune/learning-rate-finder.ts';

/** More than that makes steps rare, whatever a window costs. */
const LARGEST_BATCH = 4096;
const TIMED_STEPS = 3;
/** Of the losses of a sweep: they are of the same windows, and need little. */
const SMOOTHING = 0.5;
const MEGABYTE = 2 ** 20;

export interface FindParts {
  readonly options: JobOptions;
  readonly step: TrainingStep;
  /** What the step was made of. */
  readonly graphs: StepGraphOptions;
  /** Batches of their own for these options, always the same ones. */
  readonly batches: (options: JobOptions) => { next(): readonly Feeds[] };
  /** Windows that there are to train on. */
  readonly windows: number;
  readonly telemetry: Pick<Telemetry, 'emit'>;
  /** found.json of the job. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

const timeOfWindow = async (
  step: TrainingStep,
  batch: readonly Feeds[],
  windows: number,
): Promise<number> => {
  // The first run of a size plans its memory.
  await step.run(batch, { learningRate: 0 });
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_STEPS; i++) {
    const started = performance.now();
    await step.run(batch, { learningRate: 0 });
    best = Math.min(best, performance.now() - started);
  }
  return best / windows;
};

const findBatchSize = async (parts: FindParts): Promise<FoundBatchSize> => {
  const { options, step, graphs, batches, windows } = parts;
  const built = buildStepGraphs(graphs);
  const graph = options.accumulate > 1 ? built.accumulate : built.step;
  const batchOf = (batch_size: number) => batches({ ...options, batch_size }).next();
  const memoryBytes = options.memory_mb ? options.memory_mb * MEGABYTE : freemem() / 2;
  const found = await searchBatchSize(
    { ...SEARCH_DEFAULTS, most: Math.min(windows, LARGEST_BATCH), memoryBytes },
    {
      bytesOf: (size) => peakBytes(graph, sizesOfFeeds(graph, batchOf(size)[0]!)),
      timeOf: (size) => timeOfWindow(step, batchOf(size), size * options.accumulate),
    },
  );
  parts.telemetry.emit('training.batch_size_found', 'info', {
    batch_size: found.size,
    ended_by: found.endedBy,
    memory_mb: Math.round(memoryBytes / MEGABYTE),
    sizes: found.trials.map(({ size }) => size).join(' '),
    mb: found.trials.map(({ bytes }) => (bytes / MEGABYTE).toFixed(1)).join(' '),
    ms_per_window: found.trials.map(({ msPerWindow }) => msPerWindow?.toFixed(3) ?? '-').join(' '),
  });
  return found;
};

const findRate = async (parts: FindParts, options: JobOptions): Promise<number | undefined> => {
  const { step, batches, telemetry, signal } = parts;
  const source = batches(options);
  const probe = source.next();
  const lossOf = async (): Promise<number> => {
    let sum = 0;
    for (const feeds of probe) sum += (await step.evaluate(feeds)).loss;
    return sum / probe.length;
  };
  const sweep = { next: () => source.next(), lossOf, signal };
  const swept = await findLearningRate(step, sweep, { smoothing: SMOOTHING });
  if (signal?.aborted) return undefined;
  const found = swept.suggestion;
  telemetry.emit('training.learning_rate_found', found === undefined ? 'warning' : 'info', {
    learning_rate: found ?? null,
    steps: swept.losses.length,
    highest_rate: swept.rates.at(-1) ?? null,
    has_diverged: swept.hasDiverged,
    ...(found === undefined && { reason: 'the sweep ended too early; the usual rate is used' }),
  });
  return found;
};

const readFound = async (path: string): Promise<FoundSettings | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = FoundSettings.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new TollamaError('INVALID_INPUT', `${path} is not what a training writes`, {
    hint: 'delete it: the search is made again',
  });
};

const search = async (parts: FindParts): Promise<FoundSettings | undefined> => {
  const { options, signal } = parts;
  const batch = options.find_batch_size ? await findBatchSize(parts) : undefined;
  const sized = batch ? { ...options, batch_size: batch.size } : options;
  const rate = options.find_learning_rate ? await findRate(parts, sized) : undefined;
  if (signal?.aborted) return undefined;
  return { batch_size: batch?.size ?? null, learning_rate: rate ?? null };
};

/**
 * The settings that a job asks to be found; undefined where it asks for none, or is stopped while it looks.
 *
 * @throws TollamaError INVALID_INPUT for a found.json that is damaged
 */
export const findSettings = async (parts: FindParts): Promise<FoundSettings | undefined> => {
  const { options, path } = parts;
  if (!options.find_batch_size && !options.find_learning_rate) return undefined;
  const known = await readFound(path);
  if (known) return known;
  const found = await search(parts);
  if (!found) return undefined;
  await writeFile(`${path}.tmp`, `${JSON.stringify(found, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
  return found;
};

/** The options as they are trained with. */
export const withFound = (options: JobOptions, found: FoundSettings | undefined): JobOptions => ({
  ...options,
  ...(found?.batch_size && { batch_size: found.batch_size }),
  ...(found?.learning_rate && { learning_rate: found.learning_rate }),
});
