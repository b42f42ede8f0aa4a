/** Around TiRex's graph: contexts of masked patches, states after padding, and the passes of a roll-out. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorValue } from '@tollama/graph';
import { z } from 'zod';
import type { Outcome, RunGraph, Task } from '../../family.ts';
import { interpolatedQuantiles } from '../../quantiles.ts';
import { readOptions } from '../../read-options.ts';
import { resampled, resamplingRate } from './resample.ts';

export const Config = z
  .object({
    model_config: z.object({
      input_patch_size: z.int().positive(),
      output_patch_size: z.int().positive(),
      quantiles: z.array(z.number().gt(0).lt(1)).min(1),
      block_kwargs: z.object({
        embedding_dim: z.int().positive(),
        num_heads: z.int().positive(),
        num_blocks: z.int().positive(),
        ffn_proj_factor: z.number().positive().default(2.6667),
        num_states: z.literal(4).default(4),
        num_gates: z.literal(4).default(4),
      }),
      input_ff_dim: z.int().positive(),
    }),
    train_ctx_len: z.int().positive(),
  })
  .refine(({ model_config: m }) => m.output_patch_size === m.input_patch_size, {
    path: ['model_config', 'output_patch_size'],
    message: 'must be input_patch_size',
  })
  .refine((c) => c.train_ctx_len % c.model_config.input_patch_size === 0, {
    path: ['train_ctx_len'],
    message: 'must be a multiple of input_patch_size',
  });
export type Config = z.infer<typeof Config>;

const Options = z.object({
  /** Patches of one pass: more are faster and less sure. */
  max_accelerated_rollout_steps: z.int().positive().default(1),
  /** `frequency` averages series with long seasons down before they are read. */
  resample_strategy: z.literal('frequency').nullish(),
});

/** Tokens of one run over all its rows: more would not fit into a processor's cache. */
const TOKENS_OF_RUN = 4096;

/** The standardiser before the first token: small enough that no input gate is below it. */
const NEVER = -1e30;

// ---- the state after padding -----------------------------------------------------------------------

/**
 * Short contexts start with empty tokens, which are the same for all series: the states after `count` of
 * them are computed once for each open model.
 */
const statesOfPadding = new WeakMap<RunGraph, Map<number, Promise<TensorValue>>>();

const stateDims = ({ model_config: { block_kwargs: b } }: Config): number[] => [
  b.num_blocks,
  4,
  b.num_heads,
  b.embedding_dim / b.num_heads,
];

/** Zeros, but for the stabiliser: the last of four parts. */
export const emptyStates = (c: Config): TensorValue => {
  const dims = stateDims(c);
  const part = dims[2]! * dims[3]!;
  const data = Float32Array.from({ length: dims[0]! * 4 * part }, (_, i) =>
    Math.floor(i / part) % 4 === 3 ? NEVER : 0,
  );
  return { dtype: 'float32', dims, data };
};

const computeStates = async (run: RunGraph, c: Config, count: number): Promise<TensorValue> => {
  if (count === 0) return emptyStates(c);
  const width = 2 * c.model_config.input_patch_size;
  const tokens = {
    dtype: 'float32',
    dims: [count, 1, width],
    data: new Float32Array(count * width),
  } as const;
  const { next } = await run('forward', { tokens, states: emptyStates(c), read: int64([0]) }, [
    'next',
  ]);
  return { dtype: 'float32', dims: stateDims(c), data: next!.data };
};

const statesAfter = (run: RunGraph, c: Config, count: number): Promise<TensorValue> => {
  const known = statesOfPadding.get(run) ?? new Map<number, Promise<TensorValue>>();
  statesOfPadding.set(run, known);
  const states = known.get(count) ?? computeStates(run, c, count);
  known.set(count, states);
  states.catch(() => known.delete(count));
  return states;
};

export const int64 = (values: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

// ---- passes ----------------------------------------------------------------------------------------

/** One pass of one series: predictions are never fed back, so that all passes are known at the start. */
interface Pass {
  readonly series: number;
  /** Points before the pass that it has to forecast over, as missing ones. */
  readonly gap: number;
  /** Patches that it gives. */
  readonly patches: number;
  /** The standardised points of the context, NaN where missing; whole tokens. */
  readonly context: Float32Array;
  readonly loc: number;
  readonly scale: number;
}

/** Mean and population deviation of what is there; a constant context is scaled by its level. */
const scalerOf = (row: Float32Array): { loc: number; scale: number } => {
  const known = row.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return { loc: 0, scale: 1 };
  let sum = 0;
  for (const value of known) sum += value;
  const loc = sum / known.length;
  let squares = 0;
  for (const value of known) squares += (value - loc) ** 2;
  const scale = Math.sqrt(squares / known.length);
  return { loc, scale: scale === 0 ? Math.abs(loc) + 1e-5 : scale };
};

/** The newest points of a row and of the gap after it, in whole tokens. */
const contextOf = (row: Float32Array, gap: number, c: Config): Float32Array => {
  const size = c.model_config.input_patch_size;
  const kept = Math.min(row.length + gap, c.train_ctx_len);
  const context = new Float32Array(Math.ceil(kept / size) * size).fill(Number.NaN);
  const values = row.subarray(Math.max(0, row.length - Math.max(0, kept - gap)));
  context.set(values, context.length - Math.min(gap, kept) - values.length);
  return context;
};

/** A row of the series before a pass, standardised over what of it and of the gap is read. */
export const passOf = (
  row: Float32Array,
  place: Pick<Pass, 'series' | 'gap' | 'patches'>,
  c: Config,
): Pass => {
  const raw = contextOf(row, place.gap, c);
  const { loc, scale } = scalerOf(raw);
  return { ...place, context: raw.map((value) => (value - loc) / scale), loc, scale };
};

const passesOf = (
  rows: readonly Float32Array[],
  horizon: number,
  accelerated: number,
  c: Config,
): Pass[] => {
  const size = c.model_config.input_patch_size;
  const total = Math.ceil(horizon / size);
  return rows.flatMap((row, series) =>
    Array.from({ length: Math.ceil(total / accelerated) }, (_, i): Pass => {
      const gap = i * accelerated * size;
      const patches = Math.min(accelerated, total - i * accelerated);
      return passOf(row, { series, gap, patches }, c);
    }),
  );
};

/**
 * Values and marks of all tokens, aligned at their ends, at least `least`; `more` empty ones follow.
 * [tokens, batch, 2P]
 */
export const tokensOf = (
  passes: readonly Pass[],
  size: number,
  more: number,
  least = 1,
): TensorValue => {
  const longest = Math.max(least, ...passes.map(({ context }) => context.length / size));
  const count = longest + more;
  const data = new Float32Array(count * passes.length * 2 * size);
  passes.forEach(({ context }, b) => {
    const first = longest - context.length / size;
    context.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      const at = ((first + Math.floor(i / size)) * passes.length + b) * 2 * size + (i % size);
      data[at] = value;
      data[at + size] = 1;
    });
  });
  return { dtype: 'float32', dims: [count, passes.length, 2 * size], data };
};

/** Forecasts some passes in one run, and writes their points into the fans [series][Q][horizon]. */
const runPasses = async (
  run: RunGraph,
  passes: readonly Pass[],
  c: Config,
  fans: readonly Float32Array[][],
): Promise<void> => {
  const { input_patch_size: size, quantiles } = c.model_config;
  const patches = Math.max(...passes.map((pass) => pass.patches));
  const tokens = tokensOf(passes, size, patches - 1);
  const last = tokens.dims[0]! - patches;
  const states = await statesAfter(run, c, c.train_ctx_len / size - (last + 1));
  const read = int64(Array.from({ length: patches }, (_, k) => last + k));
  const results = await run('forward', { tokens, states, read }, ['quantiles']);
  const flat = results.quantiles!.data as Float32Array;
  passes.forEach(({ series, gap, loc, scale, patches: own }, b) => {
    quantiles.forEach((_, q) => {
      const row = fans[series]![q]!;
      for (let i = 0; i < own * size && gap + i < row.length; i++) {
        const patch = Math.floor(i / size) * passes.length + b;
        row[gap + i] = flat[(patch * quantiles.length + q) * size + (i % size)]! * scale + loc;
      }
    });
  });
};

/** Passes of similar length together, as many at a time as a run should hold. */
const batchesOf = (passes: readonly Pass[], size: number): Pass[][] => {
  const batches: Pass[][] = [];
  const sorted = passes.toSorted((a, b) => b.context.length - a.context.length);
  for (const pass of sorted) {
    const current = batches.at(-1);
    const tokens = current && (current.length + 1) * (current[0]!.context.length / size);
    if (current && tokens! <= TOKENS_OF_RUN) current.push(pass);
    else batches.push([pass]);
  }
  return batches;
};

/** Forecasts rows as they are: [series][Q][horizon] */
const fansOf = async (
  run: RunGraph,
  rows: readonly Float32Array[],
  horizon: number,
  accelerated: number,
  c: Config,
): Promise<Float32Array[][]> => {
  const { quantiles, input_patch_size: size } = c.model_config;
  const fans = rows.map(() => quantiles.map(() => new Float32Array(horizon)));
  for (const batch of batchesOf(passesOf(rows, horizon, accelerated, c), size)) {
    await runPasses(run, batch, c, fans);
  }
  return fans;
};

/** Forecasts rows at the rate that suits their seasons, and draws the forecasts out again. */
const resampledFansOf = async (
  run: RunGraph,
  rows: readonly Float32Array[],
  horizon: number,
  accelerated: number,
  c: Config,
): Promise<Float32Array[][]> => {
  const rates = rows.map((row) => resamplingRate(row, horizon));
  const steps = rates.map((rate) => Math.ceil(horizon * rate));
  const sparser = rows.map((row, i) => resampled(row, rates[i]!));
  const fans = await fansOf(run, sparser, Math.max(...steps), accelerated, c);
  return fans.map((fan, i) =>
    fan.map((row) => resampled(row.slice(0, steps[i]!), 1 / rates[i]!).slice(0, horizon)),
  );
};

export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'tirex');
  const { quantiles: levels } = c.model_config;
  const rows = task.series.map(({ id, targets }) => {
    const row = Float32Array.from(targets[0]!);
    if (row.length > 0) return row;
    throw new TollamaError('INVALID_INPUT', `series '${id}' has no points`, {
      hint: 'give a history of at least one point',
    });
  });
  const give = options.resample_strategy === 'frequency' ? resampledFansOf : fansOf;
  const fans = await give(run, rows, task.horizon, options.max_accelerated_rollout_steps, c);
  const forecasts = fans.map((fan) => {
    const [mean] = interpolatedQuantiles(fan, levels, [0.5]);
    return {
      targets: [{ mean: mean!, quantiles: interpolatedQuantiles(fan, levels, task.quantiles) }],
    };
  });
  return { forecasts, warnings: [] };
};
