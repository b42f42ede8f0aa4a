/** From series to sample paths and quantiles (chronos.py, ChronosPipeline). */
import { TollamaError } from '@tollama/core/errors';
import type { TensorValue } from '@tollama/graph';
import { z } from 'zod';
import type { Outcome, RunGraph, SeriesEmbedding, Task } from '../../family.ts';
import { limitHorizon } from '../../limit-horizon.ts';
import { decoderLayers } from '../../nn/t5-config.ts';
import { SampleCount } from '../../option-limits.ts';
import { uniformNumbers } from '../../random/uniform-numbers.ts';
import { readOptions } from '../../read-options.ts';
import { lowerMedianOfPaths, meanOfPaths, quantilesOfPaths } from '../../sample-paths.ts';
import type { ChronosT5Config } from './config.ts';
import { type Bins, binsOf, type Tokenized, tokenize, valueOfToken } from './tokenizer.ts';

/** The model's own way of sampling where an option is absent. */
const Options = z.object({
  num_samples: SampleCount.optional(),
  temperature: z.number().positive().optional(),
  /** Only the most likely tokens are drawn; 0 for all. */
  top_k: z.int().nonnegative().optional(),
  /** Only the most likely tokens that hold this share of the probability are drawn; 1 for all. */
  top_p: z.number().positive().max(1).optional(),
  /** False takes the most likely token of each step, along a single path. */
  do_sample: z.boolean().default(true),
  /** Equal seeds give equal paths of a series, whatever it is batched with. */
  seed: z.int().default(0),
  /** What is drawn with, instead of a seed: [horizon][series * num_samples] numbers in [0, 1). */
  uniforms: z.array(z.array(z.number().min(0).lt(1))).optional(),
});

/** How tokens are drawn. */
export interface Decoding {
  readonly samples: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  /** The number that decides a step of a path of a series. */
  readonly uniform: (series: number, sample: number, step: number) => number;
}

/** Paths of one series: [samples][horizon] each. */
export interface Paths {
  readonly tokens: readonly Int32Array[];
  readonly values: readonly Float32Array[];
}

/** Paths of one run: past it a CPU gains nothing and only memory grows. */
const PATHS_PER_RUN = 80;
/** Keys and values of all paths of a run. */
const CACHE_BYTES = 2 ** 28;

/** Token ids aligned to the right, with the mask of what is attended. */
export const tokenFeeds = (
  rows: readonly Tokenized[],
  { chronos_config: c }: ChronosT5Config,
): Record<'token_ids' | 'attention_mask', TensorValue> => {
  const length = rows.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const ids = new BigInt64Array(rows.length * length).fill(BigInt(c.pad_token_id));
  const mask = new Float32Array(rows.length * length);
  rows.forEach((row, b) => {
    const from = (b + 1) * length - row.ids.length;
    row.ids.forEach((id, i) => {
      ids[from + i] = BigInt(id);
      mask[from + i] = row.observed[i] ? 1 : 0;
    });
  });
  const dims = [rows.length, length];
  return {
    token_ids: { dtype: 'int64', dims, data: ids },
    attention_mask: { dtype: 'float32', dims, data: mask },
  };
};

const scalar = (value: number): TensorValue => ({
  dtype: 'float32',
  dims: [],
  data: Float32Array.of(value),
});

/** The steps of some paths of some series that follow each other, which one run gives. */
export interface Block {
  readonly series: number;
  readonly sample: number;
  readonly samples: number;
  readonly step: number;
  readonly steps: number;
}

/** What the graph `generate` is fed. */
export const generateFeeds = (
  rows: readonly Tokenized[],
  c: ChronosT5Config,
  { temperature, topK, topP, uniform }: Decoding,
  block: Block,
): Record<string, TensorValue> => {
  const { samples, steps } = block;
  const uniforms = Float32Array.from({ length: steps * rows.length * samples }, (_, i) => {
    const row = Math.floor(i / samples);
    const step = Math.floor(row / rows.length);
    const sample = block.sample + (i % samples);
    return uniform(block.series + (row % rows.length), sample, block.step + step);
  });
  const ranks = topK === 0 ? c.vocab_size : Math.min(topK, c.vocab_size);
  return {
    ...tokenFeeds(rows, c),
    uniforms: { dtype: 'float32', dims: [steps, rows.length, samples], data: uniforms },
    ranks: { dtype: 'float32', dims: [ranks], data: new Float32Array(ranks) },
    // A running sum may round above 1, so a share of 1 would drop tokens.
    top_p: scalar(topP < 1 ? topP : 2),
    temperature: scalar(temperature),
  };
};

/** Series and paths of one run, so many that the caches of the decoder stay within bounds. */
const sizeOfRuns = (c: ChronosT5Config, samples: number) => {
  const width = 2 * decoderLayers(c) * c.num_heads * c.d_kv;
  const pathBytes = width * c.chronos_config.prediction_length * Float32Array.BYTES_PER_ELEMENT;
  const paths = Math.min(PATHS_PER_RUN, Math.ceil(CACHE_BYTES / pathBytes));
  return { series: Math.max(1, Math.floor(paths / samples)), samples: Math.min(paths, samples) };
};

/** The blocks of one pass over all series. */
const blocksOf = (
  c: ChronosT5Config,
  series: number,
  samples: number,
  step: number,
  steps: number,
): Block[] => {
  const size = sizeOfRuns(c, samples);
  const starts = (count: number, by: number): number[] =>
    Array.from({ length: Math.ceil(count / by) }, (_, i) => i * by);
  return starts(series, size.series).flatMap((first) =>
    starts(samples, size.samples).map((sample) => ({
      series: first,
      sample,
      samples: Math.min(size.samples, samples - sample),
      step,
      steps,
    })),
  );
};

/** Writes the tokens and values of a block to their places. */
const runBlock = async (
  run: RunGraph,
  c: ChronosT5Config,
  bins: Bins,
  rows: readonly Tokenized[],
  decoding: Decoding,
  block: Block,
  paths: readonly Paths[],
): Promise<void> => {
  const { tokens } = await run('generate', generateFeeds(rows, c, decoding, block));
  const ids = tokens!.data as BigInt64Array;
  rows.forEach(({ scale }, b) => {
    const { tokens: all, values } = paths[block.series + b]!;
    for (let t = 0; t < block.steps; t++) {
      for (let s = 0; s < block.samples; s++) {
        const id = Number(ids[(t * rows.length + b) * block.samples + s]);
        all[block.sample + s]![block.step + t] = id;
        const value = valueOfToken(id, scale, bins, c.chronos_config);
        values[block.sample + s]![block.step + t] = value;
      }
    }
  });
};

const joined = (context: Float32Array, block: ArrayLike<number>): Float32Array<ArrayBuffer> => {
  const all = new Float32Array(context.length + block.length);
  all.set(context);
  all.set(block, context.length);
  return all;
};

/**
 * Sample paths of every series. Past one pass, the lower median of the paths joins the context, which is
 * scaled and binned anew, and all paths go on from there.
 */
export const samplePaths = async (
  run: RunGraph,
  c: ChronosT5Config,
  series: readonly ArrayLike<number>[],
  horizon: number,
  decoding: Decoding,
): Promise<Paths[]> => {
  const bins = binsOf(c.chronos_config);
  const { samples } = decoding;
  const paths = series.map(
    (): Paths => ({
      tokens: Array.from({ length: samples }, () => new Int32Array(horizon)),
      values: Array.from({ length: samples }, () => new Float32Array(horizon)),
    }),
  );
  let contexts = series.map((values) => Float32Array.from(values));
  for (let step = 0; step < horizon; step += c.chronos_config.prediction_length) {
    const steps = Math.min(c.chronos_config.prediction_length, horizon - step);
    const rows = contexts.map((context) => tokenize(context, bins, c.chronos_config));
    const perRun = sizeOfRuns(c, samples).series;
    for (const block of blocksOf(c, series.length, samples, step, steps)) {
      const part = rows.slice(block.series, block.series + perRun);
      await runBlock(run, c, bins, part, decoding, block, paths);
    }
    contexts = contexts.map((context, b) => {
      const latest = paths[b]!.values.map((path) => path.subarray(step, step + steps));
      return joined(context, lowerMedianOfPaths(latest));
    });
  }
  return paths;
};

/** The options of a request, those of the model where they are absent. */
export const decodingOf = (task: Task, { chronos_config: c }: ChronosT5Config): Decoding => {
  const o = readOptions(Options, task, 'chronos-t5');
  if (!o.do_sample) return { samples: 1, temperature: 1, topK: 1, topP: 1, uniform: () => 0 };
  const samples = o.num_samples ?? c.num_samples;
  const { temperature = c.temperature, top_k: topK = c.top_k, top_p: topP = c.top_p } = o;
  const common = { samples, temperature, topK, topP };
  const { uniforms: given } = o;
  if (!given) {
    const drawn = task.series.map(({ targets }) =>
      uniformNumbers(o.seed, Float32Array.from(targets[0]!), task.horizon * samples),
    );
    return { ...common, uniform: (b, s, t) => drawn[b]![t * samples + s]! };
  }
  const rows = task.series.length * samples;
  if (given.length !== task.horizon || given.some((step) => step.length !== rows)) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `options.uniforms is [${given.length}][${given[0]?.length ?? 0}], not [horizon = ${task.horizon}][series * num_samples = ${rows}]`,
      { hint: 'give one number for each step and path, or a seed' },
    );
  }
  return { ...common, uniform: (b, s, t) => given[t]![b * samples + s]! };
};

export const forecast = async (run: RunGraph, c: ChronosT5Config, task: Task): Promise<Outcome> => {
  limitHorizon(task, c.chronos_config.prediction_length, 'chronos-t5');
  const series = task.series.map(({ targets }) => targets[0]!);
  const paths = await samplePaths(run, c, series, task.horizon, decodingOf(task, c));
  const forecasts = paths.map(({ values }) => ({
    targets: [
      {
        mean: meanOfPaths(values),
        quantiles: quantilesOfPaths(values, task.quantiles),
        samples: values,
      },
    ],
  }));
  return { forecasts, warnings: [] };
};

/** The encoder's states of each series, one for each of its points and for the end token. */
export const embed = async (
  run: RunGraph,
  c: ChronosT5Config,
  { series }: Pick<Task, 'series'>,
): Promise<readonly SeriesEmbedding[]> => {
  const bins = binsOf(c.chronos_config);
  const embeddings: SeriesEmbedding[] = [];
  for (const { targets } of series) {
    const rows = targets.map((target) => tokenize(target, bins, c.chronos_config));
    const { states } = await run('encode', tokenFeeds(rows, c));
    embeddings.push({ states: states!, scale: rows.map(({ scale }) => scale) });
  }
  return embeddings;
};
