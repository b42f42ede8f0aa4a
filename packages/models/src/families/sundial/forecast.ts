/** Around Sundial's graph: scaling, tokens, noise, and the roll-out over medians. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorValue } from '@tollama/graph';
import { z } from 'zod';
import type { Outcome, RunGraph, Task } from '../../family.ts';
import { filledRows } from '../../fill-missing.ts';
import { ACTIVATION_NAMES } from '../../nn/activation.ts';
import { HEADS_DIVIDE, headsDivide } from '../../nn/timer-layers.ts';
import { SampleCount } from '../../option-limits.ts';
import { gaussianNoise } from '../../random/gaussian-noise.ts';
import { readOptions } from '../../read-options.ts';
import { lowerMedianOfPaths, meanOfPaths, quantilesOfPaths } from '../../sample-paths.ts';

const count = z.int().positive();

/** Defaults are those of the reference's class and of the published checkpoint. */
export const Config = z
  .object({
    model_type: z.literal('sundial'),
    input_token_len: count.default(16),
    hidden_size: count.default(768),
    intermediate_size: count.default(3072),
    output_token_lens: z.array(count).min(1).default([720]),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    hidden_act: z.enum(ACTIVATION_NAMES).default('silu'),
    flow_loss_depth: count.default(3),
    num_sampling_steps: count.default(50),
  })
  .refine(headsDivide, HEADS_DIVIDE);
export type Config = z.infer<typeof Config>;

/** Points of one pass. */
export const pathLength = ({ output_token_lens }: Config): number => output_token_lens.at(-1)!;

/** The longest context of the paper. */
export const CONTEXT_LENGTH = 2880;
/** Series of one run; more would hold the schedules of too many flows in memory at once. */
const MAX_BATCH = 64;

const Options = z.object({
  /** Sample paths of each series. */
  num_samples: SampleCount.default(20),
  /** Steps from noise to a path; those of config.json when absent. */
  num_sampling_steps: z.int().positive().max(10_000).optional(),
  /** Equal seeds give equal paths of a series, whatever it is batched with. */
  seed: z.int().default(0),
  /** The noise itself, instead of a seed: [passes][num_samples * series][points of a pass]. */
  noise: z.array(z.array(z.array(z.number()))).optional(),
  /** Whether the context is standardised, and the paths scaled back; false where the caller did so. */
  revin: z.boolean().default(true),
  /** Points of history to read. */
  context_length: z.int().positive().default(CONTEXT_LENGTH),
});
type Options = z.infer<typeof Options>;

/** Draws the noise of one series for one pass: [samples * points]. */
type Noise = (pass: number) => Float32Array;

/** A series on its way: what it knows in scaled space, and how to come back. */
interface Row {
  readonly context: Float32Array;
  readonly mean: number;
  readonly scale: number;
  readonly noise: Noise;
}

const EPSILON = 1e-5;

/** Mean and population deviation, the latter with a little added. */
const scalingOf = (row: Float32Array): { mean: number; scale: number } => {
  let sum = 0;
  for (const value of row) sum += value;
  const mean = sum / row.length;
  let squares = 0;
  for (const value of row) squares += (value - mean) ** 2;
  return { mean, scale: Math.sqrt(squares / row.length) + EPSILON };
};

const noiseFor = (series: number, row: Float32Array, task: Task, c: Config, o: Options): Noise => {
  const { num_samples: samples, seed, noise } = o;
  const length = pathLength(c);
  if (!noise) {
    const draw = gaussianNoise(seed, row);
    return () => draw(samples * length);
  }
  const batch = task.series.length;
  return (pass) => {
    const rows = Array.from({ length: samples }, (_, s) => noise[pass]?.[s * batch + series]);
    if (rows.some((values) => values?.length !== length)) {
      throw new TollamaError(
        'INVALID_REQUEST',
        `options.noise has no ${length} numbers for each path of pass ${pass}`,
        {
          hint: `give [passes][num_samples * series = ${samples * batch}][${length}], or a seed`,
        },
      );
    }
    return Float32Array.from((rows as number[][]).flat());
  };
};

/** Values and marks of the context's tokens; zeros on the left fill the first one. [tokens * 2P] for each row */
const contextTokens = (rows: readonly Row[], size: number): TensorValue => {
  const count = Math.ceil(rows[0]!.context.length / size);
  const data = new Float32Array(rows.length * count * 2 * size);
  rows.forEach(({ context }, b) => {
    const pad = count * size - context.length;
    context.forEach((value, i) => {
      const token = b * count + Math.floor((pad + i) / size);
      const at = token * 2 * size + ((pad + i) % size);
      data[at] = value;
      data[at + size] = 1;
    });
  });
  return { dtype: 'float32', dims: [rows.length, count, 2 * size], data };
};

const emptyMemory = (rows: number, c: Config): Record<string, TensorValue> => {
  const none = {
    dtype: 'float32',
    dims: [rows, 0, c.hidden_size],
    data: new Float32Array(),
  } as const;
  const names = Array.from({ length: c.num_hidden_layers }, (_, i) => [`key.${i}`, `value.${i}`]);
  return Object.fromEntries(names.flat().map((name) => [name, none]));
};

/** The times of the steps, 1000 i / n, and their interval 1 / n. */
const clock = (steps: number) => {
  const times = Float32Array.from({ length: steps }, (_, i) => (1000 * i) / steps);
  return {
    times: { dtype: 'float32', dims: [steps], data: times },
    interval: { dtype: 'float32', dims: [], data: Float32Array.of(1 / steps) },
  } as const;
};

/** [samples, batch, O]: rows in the order of the reference, sample by sample. */
const noiseOf = (rows: readonly Row[], pass: number, samples: number, c: Config): TensorValue => {
  const length = pathLength(c);
  const data = new Float32Array(samples * rows.length * length);
  rows.forEach(({ noise }, b) => {
    const drawn = noise(pass);
    for (let s = 0; s < samples; s++) {
      data.set(drawn.subarray(s * length, (s + 1) * length), (s * rows.length + b) * length);
    }
  });
  return { dtype: 'float32', dims: [samples, rows.length, length], data };
};

/** What the next pass reads of a whole pass: the medians of its paths, the last ones that fill tokens. */
const newPoints = (paths: readonly Float32Array[], c: Config): Float32Array => {
  const medians = lowerMedianOfPaths(paths);
  return medians.subarray(medians.length % c.input_token_len);
};

/** Passes shorter than a token would add none. */
const checkHorizon = (horizon: number, c: Config): void => {
  const length = pathLength(c);
  if (horizon <= length || length >= c.input_token_len) return;
  throw new TollamaError(
    'INVALID_REQUEST',
    `horizon ${horizon} is beyond the ${length} steps of this sundial checkpoint`,
    {
      hint: `its passes are shorter than a token of ${c.input_token_len}, so that it has only one`,
    },
  );
};

/**
 * Sample paths [rows][samples][horizon] in scaled space of rows with equally many tokens. A later pass
 * reads the medians of the paths before it, and goes on where those end.
 */
const rollOut = async (
  run: RunGraph,
  rows: readonly Row[],
  horizon: number,
  { c, num_samples: samples, num_sampling_steps }: Options & { readonly c: Config },
): Promise<Float32Array[][]> => {
  const length = pathLength(c);
  const paths = rows.map(() => Array.from({ length: samples }, () => new Float32Array(horizon)));
  const time = clock(num_sampling_steps ?? c.num_sampling_steps);
  let memory = emptyMemory(rows.length, c);
  let tokens = contextTokens(rows, c.input_token_len);
  for (let pass = 0; pass * length < horizon; pass++) {
    const steps = Math.min(length, horizon - pass * length);
    const isLast = (pass + 1) * length >= horizon;
    const kept = isLast ? [] : Object.keys(memory);
    const noise = noiseOf(rows, pass, samples, c);
    const feeds = { tokens, noise, ...time, ...memory };
    const results = await run('forward', feeds, ['paths', ...kept.map((name) => `next.${name}`)]);
    const flat = results.paths!.data as Float32Array;
    const latest = rows.map((_, b) =>
      Array.from({ length: samples }, (_, s) =>
        flat.subarray((s * rows.length + b) * length, (s * rows.length + b) * length + steps),
      ),
    );
    latest.forEach((own, b) => {
      own.forEach((path, s) => void paths[b]![s]!.set(path, pass * length));
    });
    if (isLast) break;
    memory = Object.fromEntries(kept.map((name) => [name, results[`next.${name}`]!]));
    const medians = latest.map((own, b) => ({ ...rows[b]!, context: newPoints(own, c) }));
    tokens = contextTokens(medians, c.input_token_len);
  }
  return paths;
};

/** Rows of equally many tokens, at most MAX_BATCH at a time. */
const batches = (rows: readonly Row[], size: number): readonly (readonly number[])[] => {
  const groups = Map.groupBy(rows.keys(), (i) => Math.ceil(rows[i]!.context.length / size));
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MAX_BATCH) }, (_, i) =>
      group.slice(i * MAX_BATCH, (i + 1) * MAX_BATCH),
    ),
  );
};

/** Sample paths of each series, with their mean and empirical quantiles. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'sundial');
  checkHorizon(task.horizon, c);
  const { rows: filled, warnings } = filledRows(task.series, 'sundial');
  const rows = filled.map((whole, i): Row => {
    const row = whole.subarray(Math.max(0, whole.length - options.context_length));
    const { mean, scale } = options.revin ? scalingOf(row) : { mean: 0, scale: 1 };
    const noise = noiseFor(i, row, task, c, options);
    return { context: row.map((value) => (value - mean) / scale), mean, scale, noise };
  });
  const forecasts: Outcome['forecasts'][number][] = [];
  for (const batch of batches(rows, c.input_token_len)) {
    const own = batch.map((i) => rows[i]!);
    const scaled = await rollOut(run, own, task.horizon, { ...options, c });
    batch.forEach((i, at) => {
      const { mean: level, scale } = rows[i]!;
      const samples = scaled[at]!.map((path) => path.map((value) => value * scale + level));
      const quantiles = quantilesOfPaths(samples, task.quantiles);
      forecasts[i] = { targets: [{ mean: meanOfPaths(samples), quantiles, samples }] };
    });
  }
  return { forecasts, warnings };
};
