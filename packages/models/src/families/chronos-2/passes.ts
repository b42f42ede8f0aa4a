/** Single runs of the graphs: rows -> dense arrays and masks -> quantiles or states. */
import type { TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import { type Chronos2Config, patchesOf } from './config.ts';
import type { Row } from './rows.ts';

/** A row whose masks may be given; by default what is not NaN counts. */
export interface MaskedRow extends Row {
  readonly contextMask?: ArrayLike<number>;
  readonly futureMask?: ArrayLike<number>;
}

/** Quantiles of rows: [rows][Q][steps], flat. */
export interface Fans {
  readonly data: Float32Array;
  readonly steps: number;
}

/** Rows times tokens of one run: past it a CPU gains nothing and only memory grows. */
const TOKENS_PER_RUN = 8192;

interface DenseRows {
  readonly values: Float32Array;
  readonly mask: Float32Array;
}

const dense = (count: number, length: number): DenseRows => ({
  values: new Float32Array(count * length).fill(Number.NaN),
  mask: new Float32Array(count * length),
});

/** Copies values and their mask to a place of the dense arrays. */
const place = (
  into: DenseRows,
  at: number,
  values: ArrayLike<number>,
  mask: ArrayLike<number> | undefined,
): void => {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    into.values[at + i] = value;
    into.mask[at + i] = mask ? mask[i]! : Number.isNaN(value) ? 0 : 1;
  }
};

/** Where patches start that do not lie side by side. */
const startsOf = (
  length: number,
  c: Chronos2Config['chronos_config'],
): Record<string, TensorValue> => {
  const { input_patch_size, input_patch_stride: stride } = c;
  if (stride === input_patch_size) return {};
  const count = patchesOf(length, c);
  const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(i * stride));
  return { patch_starts: { dtype: 'int64', dims: [count], data } };
};

/**
 * The last C points of each context aligned to the right, the first steps of each future to the left.
 * Contexts are at least `shortest` points long: patches that overlap start from the left.
 */
export const feedsOf = (
  rows: readonly MaskedRow[],
  futurePatches: number,
  { chronos_config: c }: Chronos2Config,
  shortest = 1,
): Record<string, TensorValue> => {
  const patch = c.input_patch_size;
  const longest = rows.reduce((most, row) => Math.max(most, row.context.length), shortest);
  const length = Math.ceil(Math.min(longest, c.context_length) / patch) * patch;
  const steps = futurePatches * patch;
  const past = dense(rows.length, length);
  const ahead = dense(rows.length, steps);
  rows.forEach((row, b) => {
    const from = Math.max(0, row.context.length - c.context_length);
    const kept = row.context.subarray(from);
    const mask = row.contextMask && Array.prototype.slice.call(row.contextMask, from);
    place(past, (b + 1) * length - kept.length, kept, mask);
    place(ahead, b * steps, row.future.subarray(0, steps), row.futureMask);
  });
  const tensor = (data: Float32Array, columns: number): TensorValue => ({
    dtype: 'float32',
    dims: [rows.length, columns],
    data,
  });
  return {
    context: tensor(past.values, length),
    context_mask: tensor(past.mask, length),
    ...startsOf(length, c),
    future: tensor(ahead.values, steps),
    future_mask: tensor(ahead.mask, steps),
  };
};

const groupIds = (ids: readonly number[], groups: number): TensorValue => ({
  dtype: 'int64',
  dims: [groups, ids.length / groups],
  data: BigInt64Array.from(ids, BigInt),
});

/**
 * One forward pass over rows with group ids in any order, as the reference's model is called.
 * -> quantiles of every row, covariates included
 */
export const forwardRows = async (
  run: RunGraph,
  c: Chronos2Config,
  rows: readonly MaskedRow[],
  ids: readonly number[],
  futurePatches: number,
): Promise<Fans> => {
  const feeds = { ...feedsOf(rows, futurePatches, c), group_ids: groupIds(ids, 1) };
  const { quantile_preds } = await run('grouped', feeds);
  const steps = futurePatches * c.chronos_config.input_patch_size;
  return { data: quantile_preds!.data as Float32Array, steps };
};

/** Encoder states [rows, N+1+f, d] with loc and scale, over rows with group ids in any order. */
export const encodeRows = async (
  run: RunGraph,
  c: Chronos2Config,
  rows: readonly MaskedRow[],
  ids: readonly number[],
  futurePatches: number,
): Promise<{ states: TensorValue; loc: Float32Array; scale: Float32Array }> => {
  const feeds = { ...feedsOf(rows, futurePatches, c), group_ids: groupIds(ids, 1) };
  const { states, loc, scale } = await run('embed', feeds);
  return {
    states: states!,
    loc: loc!.data as Float32Array,
    scale: scale!.data as Float32Array,
  };
};

export interface RunSize {
  readonly maxRows: number;
  /** Points that contexts have at least, padding included. */
  readonly shortest?: number;
}

/**
 * Forecasts groups of equal size, in as many runs as memory asks for: groups do not see each other.
 * -> quantiles of [groups * members] rows
 */
export const forwardGroups = async (
  run: RunGraph,
  c: Chronos2Config,
  groups: readonly (readonly Row[])[],
  futurePatches: number,
  { maxRows, shortest = 1 }: RunSize,
): Promise<Fans> => {
  const { input_patch_size: patch, quantiles, context_length } = c.chronos_config;
  const members = groups[0]!.length;
  const steps = futurePatches * patch;
  const data = new Float32Array(groups.length * members * quantiles.length * steps);
  const longest = groups.flat().reduce((most, row) => Math.max(most, row.context.length), shortest);
  const points = Math.ceil(Math.min(longest, context_length) / patch) * patch;
  const tokens = patchesOf(points, c.chronos_config) + 1 + futurePatches;
  const rowsPerRun = Math.min(maxRows, TOKENS_PER_RUN / tokens);
  const groupsPerRun = Math.max(1, Math.floor(rowsPerRun / members));
  for (let from = 0; from < groups.length; from += groupsPerRun) {
    const part = groups.slice(from, from + groupsPerRun);
    const feeds = feedsOf(part.flat(), futurePatches, c, shortest);
    const ids = Array.from({ length: part.length * members }, () => 0);
    const { quantile_preds } = await (members === 1
      ? run('alone', feeds)
      : run('grouped', { ...feeds, group_ids: groupIds(ids, part.length) }));
    data.set(quantile_preds!.data as Float32Array, from * members * quantiles.length * steps);
  }
  return { data, steps };
};
