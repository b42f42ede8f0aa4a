/** Around FlowState's graph: causal scaling, chunks of time, joining of patches, quantiles of the curves. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorValue } from '@tollama/graph';
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, TargetForecast, Task } from '../../family.ts';
import { filledRows } from '../../fill-missing.ts';
import { readOptions } from '../../read-options.ts';
import { basisFunctions, DECODER_TYPES } from './basis.ts';
import { BASE_SEASON, scaleFactorOf } from './scale-factor.ts';

/** Steps that the graph takes by one matrix product. */
export const CHUNK = 16;
/** Steps that the reference reads at most, whatever the scale. */
const MAX_STEPS = 16384;
/** Steps of all series of one run: as many as keep its tensors in a processor's cache. */
const STEPS_OF_RUN = 2048;
const MIN_VARIANCE = 1e-5;

const PREDICTION_TYPES = ['quantile', 'mean', 'median'] as const;

export const Config = z
  .object({
    model_type: z.literal('flowstate'),
    context_length: z.int().positive(),
    embedding_feature_dim: z.int().positive(),
    encoder_state_dim: z.int().positive(),
    encoder_num_layers: z.int().positive(),
    decoder_dim: z.int().positive(),
    decoder_patch_len: z.int().positive(),
    decoder_type: z.enum(DECODER_TYPES).default('legs'),
    quantiles: z.array(z.number().gt(0).lt(1)).min(1),
    scale_factor: z.number().positive().default(1),
    /** A published file says "quantile", which the reference takes for the mean. */
    prediction_type: z.enum(PREDICTION_TYPES).default('mean'),
    /** Whether steps may be missing: those of the horizon are, beyond its first patch. */
    with_missing: z.boolean().default(true),
    mlp_type: z.enum(['gated', 'transformer']).default('gated'),
    out_gating: z.boolean().default(false),
  })
  .refine((c) => c.decoder_type !== 'four' || c.decoder_dim % 2 === 1, {
    path: ['decoder_dim'],
    message: 'the Fourier basis has an odd number of functions',
  });
export type Config = z.infer<typeof Config>;

/** Far below that of an hour of nanoseconds. */
const LEAST_SCALE = 1e-15;

const Options = z.object({
  /** 24 / (steps of a season); from `season_length` or the frequency of a series when absent. */
  scale_factor: z.number().min(LEAST_SCALE).optional(),
  season_length: z
    .number()
    .positive()
    .max(1 / LEAST_SCALE)
    .optional(),
  /** What the series are about: the days of transport, healthcare and sales repeat weekly. */
  domain: z.string().optional(),
  prediction_type: z.enum(PREDICTION_TYPES).optional(),
  /** 1 where a row of a padded batch is no data: the columns that all rows pad are cut off. */
  pad_mask: z.array(z.array(z.union([z.literal(0), z.literal(1), z.boolean()]))).optional(),
});
type Options = z.infer<typeof Options>;

export interface Limits {
  /** Steps of a patch. */
  readonly patch: number;
  /** Steps between the joins of patches: one less where the reference's quotient falls just short of a whole number. */
  readonly stride: number;
  readonly contextLength: number;
}

/** Steps of a patch and of the context at a scale. */
export const limitsOf = (c: Config, scale: number): Limits => ({
  patch: Math.trunc(c.decoder_patch_len / scale + 1e-6),
  stride: Math.max(1, Math.trunc(c.decoder_patch_len / scale)),
  contextLength: Math.min(MAX_STEPS, Math.trunc(c.context_length / scale)),
});

/** A series in steps of the graph: [value, missing flag] standardised by what came before. */
export interface ScaledSteps {
  /** [steps * 2] */
  readonly steps: Float32Array;
  /** Mean and deviation after the last step. */
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Standardises each point by the running mean and deviation; the latter sums squares about the mean of their
 * own time.
 *
 * @param missing steps that are appended without a value
 */
export const scaleCausally = (row: Float32Array, missing: number): ScaledSteps => {
  const steps = new Float32Array(2 * (row.length + missing));
  let [count, sum, squares, mean] = [0, 0, 0, 0];
  let deviation = Math.sqrt(MIN_VARIANCE);
  for (let t = 0; t < row.length + missing; t++) {
    const value = row[t] ?? Number.NaN;
    if (Number.isNaN(value)) {
      steps[2 * t + 1] = 1;
      continue;
    }
    count++;
    sum += value;
    mean = sum / count;
    squares += (value - mean) ** 2;
    deviation = Math.sqrt(Math.max(squares / count, MIN_VARIANCE));
    steps[2 * t] = (value - mean) / deviation;
  }
  return { steps, mean, deviation };
};

/** Where the steps of time stand in the graph's tensors of `chunks` chunks: step of chunk before chunk. */
const placeOf = (t: number, chunks: number): number => (t % CHUNK) * chunks + Math.floor(t / CHUNK);

/** [16, chunks, batch, 2]; what follows the last step is never looked at. */
const inChunks = (rows: readonly ScaledSteps[], length: number): TensorValue => {
  const chunks = Math.ceil(length / CHUNK);
  const data = new Float32Array(CHUNK * chunks * rows.length * 2);
  rows.forEach(({ steps }, b) => {
    for (let t = 0; t < length; t++) {
      const at = 2 * (placeOf(t, chunks) * rows.length + b);
      data[at] = steps[2 * t]!;
      data[at + 1] = steps[2 * t + 1]!;
    }
  });
  return { dtype: 'float32', dims: [CHUNK, chunks, rows.length, 2], data };
};

/** After which steps the patches of a forecast start, counted from the last real step: 0, N, 2N, ..., end. */
const joinsOf = (missing: number, stride: number): number[] => {
  const joins = Array.from({ length: Math.floor(missing / stride) + 1 }, (_, i) => i * stride);
  return missing % stride === 0 ? joins : [...joins, missing];
};

const int64 = (values: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/** Rows of `known` steps and `missing` ones after them, at one scale. */
interface Lengths {
  /** Points of each patch that are computed: all of them, or those of the horizon where one patch holds it. */
  readonly points: number;
  readonly known: number;
  readonly missing: number;
  readonly scale: number;
}

export const passFeeds = (
  scaled: readonly ScaledSteps[],
  c: Config,
  { points, known, missing, scale }: Lengths,
): Record<string, TensorValue> => {
  const { stride } = limitsOf(c, scale);
  const length = known + missing;
  const picks = Array.from({ length: missing + 1 }, (_, i) => known - 1 + i);
  const { decoder_type: type, decoder_dim: count, decoder_patch_len: patchLength } = c;
  const basis = basisFunctions({ type, count, patchLength, scale, points });
  return {
    steps: inChunks(scaled, length),
    scale: { dtype: 'float32', dims: [], data: Float32Array.of(scale) },
    picks: int64(picks.map((t) => placeOf(t, Math.ceil(length / CHUNK)))),
    joins: int64(joinsOf(missing, stride)),
    basis: { dtype: 'float32', dims: [count, points], data: basis },
  };
};

/** Curves [rows][Q][horizon] of rows of one length. */
const curvesOf = async (
  run: RunGraph,
  rows: readonly Float32Array[],
  c: Config,
  { horizon, scale }: { readonly horizon: number; readonly scale: number },
): Promise<Float32Array[][]> => {
  const { patch, stride } = limitsOf(c, scale);
  const missing = Math.max(0, horizon - patch);
  const points = Math.min(patch, horizon);
  const known = rows[0]!.length;
  const scaled = rows.map((row) => scaleCausally(row, missing));
  const joins = joinsOf(missing, stride);
  const { curves } = await run('forward', passFeeds(scaled, c, { points, known, missing, scale }));
  const flat = curves!.data as Float32Array;
  const q = c.quantiles.length;
  return scaled.map(({ mean, deviation }, b) =>
    c.quantiles.map((_, j) => {
      const curve = new Float32Array(horizon);
      joins.forEach((start, k) => {
        // The last patch overlaps the one before it: only its end is new.
        const from = k > 0 ? joins[k - 1]! + stride - start : 0;
        const at = ((k * rows.length + b) * q + j) * points;
        for (let i = from; i < points && start + i < horizon; i++) {
          curve[start + i] = flat[at + i]! * deviation + mean;
        }
      });
      return curve;
    }),
  );
};

/** At each step, the quantiles of the Q curves' values (torch.quantile), whichever curve gave them. */
const quantilesOf = (
  curves: readonly Float32Array[],
  levels: readonly number[],
): Float32Array[] => {
  const horizon = curves[0]!.length;
  const quantiles = levels.map(() => new Float32Array(horizon));
  for (let h = 0; h < horizon; h++) {
    const values = Float32Array.from(curves, (curve) => curve[h]!).sort();
    levels.forEach((level, j) => {
      const rank = level * (values.length - 1);
      const below = Math.floor(rank);
      const above = Math.min(below + 1, values.length - 1);
      quantiles[j]![h] = values[below]! + (rank - below) * (values[above]! - values[below]!);
    });
  }
  return quantiles;
};

/** The mean of the quantiles, those in the middle weighing most; or the median. */
const pointsOf = (
  curves: readonly Float32Array[],
  c: Config,
  type: Config['prediction_type'],
): Float32Array => {
  if (type === 'median') return quantilesOf(curves, [0.5])[0]!;
  const weights = c.quantiles.map((level) => 0.5 - Math.abs(0.5 - level));
  const total = weights.reduce((a, b) => a + b);
  const quantiles = quantilesOf(curves, c.quantiles);
  return Float32Array.from(curves[0]!, (_, h) =>
    quantiles.reduce((sum, row, j) => sum + (weights[j]! / total) * row[h]!, 0),
  );
};

const scaleFor = ({ freq }: ModelSeries, c: Config, o: Options): number => {
  const asked = o.scale_factor ?? (o.season_length && BASE_SEASON / o.season_length);
  const own =
    asked ?? (freq === undefined ? undefined : scaleFactorOf(freq, o.domain)) ?? c.scale_factor;
  if (limitsOf(c, own).patch >= 1) return own;
  throw new TollamaError(
    'INVALID_REQUEST',
    `scale_factor ${own} leaves no step of a patch of ${c.decoder_patch_len}`,
    {
      hint: `use a scale_factor of at most ${c.decoder_patch_len}`,
    },
  );
};

/** Columns that all rows of a padded batch pad. */
const sharedPadding = ({ series }: Task, mask: Options['pad_mask']): number => {
  if (!mask) return 0;
  if (
    mask.length !== series.length ||
    mask.some((row, i) => row.length !== series[i]!.targets[0]!.length)
  ) {
    throw new TollamaError('INVALID_REQUEST', 'options.pad_mask has not the shape of the series', {
      hint: 'give a 0 or 1 for each point of each series',
    });
  }
  const leading = mask.map((row) => {
    const first = row.findIndex((pad) => !pad);
    return first < 0 ? row.length : first;
  });
  return Math.min(...leading);
};

/** The newest points that the context holds beside the missing steps of the horizon. */
const contextOf = (
  { id, targets: [target] }: ModelSeries,
  c: Config,
  task: Task,
  scale: number,
  cut: number,
): Float32Array => {
  const { patch, contextLength } = limitsOf(c, scale);
  if (!c.with_missing && task.horizon > patch) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `horizon ${task.horizon} is longer than a patch of ${patch} steps, and this checkpoint reads no missing steps (with_missing = false)`,
      { hint: `ask for at most ${patch} steps` },
    );
  }
  const room = contextLength - Math.max(0, task.horizon - patch);
  if (room < 1) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `horizon ${task.horizon} is too long at scale_factor ${scale}`,
      {
        hint: `ask for at most ${contextLength - 1 + patch} steps`,
      },
    );
  }
  const row = Float32Array.from(target!).subarray(cut).slice(-room);
  if (row.length > 0) return row;
  throw new TollamaError('INVALID_INPUT', `series '${id}' has no points`, {
    hint: 'give a history of at least one point',
  });
};

/** Series of equal length and scale, as many at a time as a run should hold. */
const batchesOf = (
  rows: readonly Float32Array[],
  scales: readonly number[],
  horizon: number,
): number[][] => {
  const groups = Map.groupBy(rows.keys(), (i) => `${rows[i]!.length} ${scales[i]}`);
  return [...groups.values()].flatMap((group) => {
    const size = Math.max(1, Math.floor(STEPS_OF_RUN / (rows[group[0]!]!.length + horizon)));
    const count = Math.ceil(group.length / size);
    return Array.from({ length: count }, (_, i) => group.slice(i * size, (i + 1) * size));
  });
};

export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'flowstate');
  const cut = sharedPadding(task, options.pad_mask);
  const scales = task.series.map((series) => scaleFor(series, c, options));
  const { rows: filled, warnings } = c.with_missing
    ? { rows: undefined, warnings: [] }
    : filledRows(task.series, 'flowstate without with_missing');
  const rows = task.series.map((series, i) => {
    const targets = filled ? [filled[i]!] : series.targets;
    return contextOf({ ...series, targets }, c, task, scales[i]!, cut);
  });
  const type = options.prediction_type ?? c.prediction_type;
  const targets = new Array<TargetForecast>(rows.length);
  for (const batch of batchesOf(rows, scales, task.horizon)) {
    const own = batch.map((i) => rows[i]!);
    const at = { horizon: task.horizon, scale: scales[batch[0]!]! };
    const curves = await curvesOf(run, own, c, at);
    batch.forEach((i, b) => {
      const mean = pointsOf(curves[b]!, c, type);
      targets[i] = { mean, quantiles: quantilesOf(curves[b]!, task.quantiles) };
    });
  }
  return { forecasts: targets.map((target) => ({ targets: [target] })), warnings };
};
