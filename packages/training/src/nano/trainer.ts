/** One training run: visits of blocks, steps, moving means of the weights, validation, saves. */
import type { TensorValue } from '@tollama/graph';
import { declaring } from '@tollama/graph';
import type { NanoConfig } from '@tollama/models/families/tollama-nano/network';
import { openTrainingStep } from '../step/open-training-step.ts';
import type { OptimizerOptions } from '../step/optimizer.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { batchOf, visitOrder } from './batches.ts';
import { readBlock } from './blocks.ts';
import { initialWeights } from './initial-weights.ts';
import { nanoLossGraph } from './loss-graph.ts';
import { loadRun, type SavedRun, saveRun } from './run-state.ts';
import { validate } from './validation.ts';
import type { Visits } from './visits.ts';
import { ROW_WIDTH } from './windows.ts';

export interface NanoRunOptions {
  readonly config: NanoConfig;
  /** Weights to begin with; drawn from the seed when absent. */
  readonly first?: ReadonlyMap<string, TensorValue> | undefined;
  /** Where state and weights go. */
  readonly folder: string;
  readonly blocks: string;
  readonly visits: Visits;
  readonly seed: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions;
  /** Learning rate at a step, from 0. */
  readonly rate: (step: number) => number;
  /** Where to stop. */
  readonly lastStep: number;
  /** Steps between saves, which validate too. */
  readonly saveEvery: number;
  /** Share of the moving means that each step keeps. */
  readonly keep: number;
  /** Name -> block of fixed examples. */
  readonly validation: ReadonlyMap<string, Float32Array>;
  readonly log: (line: Readonly<Record<string, unknown>>) => void;
}

const CLIP = 1;
const LOG_EVERY = 50;
const PAUSE_MS = 2000;

const lossGraph = (config: NanoConfig) => nanoLossGraph(config, declaring().weights);

export const openNanoStep = (
  config: NanoConfig,
  weights: ReadonlyMap<string, TensorValue>,
  optimizer: OptimizerOptions,
): Promise<TrainingStep> =>
  openTrainingStep({
    graph: lossGraph(config),
    trainable: weights,
    optimizer,
    clipNorm: CLIP,
    isDecayed: (_, shape) => shape.length > 1,
    threads: 1,
  });

const copies = (tensors: ReadonlyMap<string, TensorValue>): ReadonlyMap<string, TensorValue> =>
  new Map(
    [...tensors].map(([name, value]) => [
      name,
      { ...value, data: Float32Array.from(value.data as Float32Array) },
    ]),
  );

const average = (
  means: ReadonlyMap<string, TensorValue>,
  present: ReadonlyMap<string, TensorValue>,
  keep: number,
): void => {
  for (const [name, { data }] of present) {
    const mean = means.get(name)!.data as Float32Array;
    const now = data as Float32Array;
    for (let i = 0; i < mean.length; i++) mean[i]! += (1 - keep) * (now[i]! - mean[i]!);
  }
};

const shown = (value: number): number => Number(value.toFixed(4));

/** Loss and relative loss of both the weights and their moving means. */
const judge = async (
  step: TrainingStep,
  averages: ReadonlyMap<string, TensorValue>,
  validation: ReadonlyMap<string, Float32Array>,
): Promise<Readonly<Record<string, unknown>>> => {
  const state = step.state();
  const kept = { ...state, parameters: copies(state.parameters), moments: copies(state.moments) };
  const found: Record<string, unknown> = {};
  for (const [name, block] of validation) {
    const raw = await validate(step, block);
    step.load({ ...kept, parameters: averages });
    const mean = await validate(step, block);
    step.load(kept);
    found[name] = {
      loss: shown(raw.loss),
      relative: shown(raw.relative),
      meanLoss: shown(mean.loss),
      meanRelative: shown(mean.relative),
      byHorizon: mean.byHorizon.map(shown),
    };
  }
  return found;
};

const resumed = async (options: NanoRunOptions, step: TrainingStep): Promise<SavedRun> => {
  const saved = await loadRun(options.folder);
  if (!saved) {
    const state = step.state();
    return { state, averages: copies(state.parameters), progress: { step: 0, visits: 0 } };
  }
  step.load(saved.state);
  return saved;
};

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Waits for the block of a visit. */
const nextBlock = async ({ visits, blocks }: NanoRunOptions, visit: number) => {
  for (;;) {
    const chosen = visits.blockOf(visit);
    const block = chosen === undefined ? undefined : readBlock(blocks, chosen);
    if (block) return block;
    await wait(PAUSE_MS);
  }
};

/** Trains from the last save, or from the start, until the last step; gives weights and their moving means. */
export const trainNano = async (options: NanoRunOptions): Promise<SavedRun> => {
  const { config, seed, batchSize, rate, lastStep, saveEvery, keep, log } = options;
  const first = options.first ?? initialWeights(config, seed);
  await using step = await openNanoStep(config, first, options.optimizer);
  const run = await resumed(options, step);
  const { averages } = run;
  let { step: count, visits } = run.progress;
  const save = async (): Promise<void> => {
    await saveRun(options.folder, {
      state: step.state(),
      averages,
      progress: { step: count, visits },
    });
  };
  const started = performance.now();
  const from = count;
  let loss = 0;
  let norm = 0;
  while (count < lastStep) {
    const block = await nextBlock(options, visits);
    const rows = Math.floor(block.length / ROW_WIDTH);
    const order = visitOrder(seed, visits, rows);
    for (let at = 0; at + batchSize <= rows && count < lastStep; at += batchSize) {
      const { feeds } = batchOf(block, order.subarray(at, at + batchSize));
      const result = await step.run(feeds, { learningRate: rate(count) });
      if (result.finite) result.commit();
      else log({ step: count, skipped: true, loss: result.loss });
      average(averages, step.state().parameters, Math.min(keep, (count + 1) / (count + 10)));
      count++;
      loss += result.loss / LOG_EVERY;
      norm += result.gradientNorm / LOG_EVERY;
      if (count % LOG_EVERY !== 0) continue;
      const msPerStep = shown((performance.now() - started) / (count - from));
      log({
        step: count,
        visits,
        rate: rate(count),
        loss: shown(loss),
        norm: shown(norm),
        msPerStep,
      });
      loss = 0;
      norm = 0;
    }
    visits++;
    // Saves fall between visits, so that a run that goes on begins with a whole one.
    if (
      count >= lastStep ||
      visits % Math.max(1, Math.round((saveEvery * batchSize) / rows)) === 0
    ) {
      await save();
      log({ step: count, validation: await judge(step, averages, options.validation) });
    }
  }
  const state = step.state();
  return {
    state: { ...state, parameters: copies(state.parameters), moments: copies(state.moments) },
    averages,
    progress: { step: count, visits },
  };
};
