/** Series as the end of the model's window: the graph's inputs. */
import type { TensorValue } from '@tollama/graph';
import {
  isFolded,
  kernelSizes,
  type PatchTstConfig,
  patchCount,
  strideOf,
  uncoveredSteps,
} from './config.ts';

/** One univariate series. */
export interface PatchTstRow {
  /** NaN where a value is missing. */
  readonly values: ArrayLike<number>;
  /** Not 0 where a value is observed; what is not NaN when absent. */
  readonly observed?: ArrayLike<number> | undefined;
  /** Not 0 where the caller padded: such steps are not missing, and patches of them are not seen. */
  readonly padded?: ArrayLike<number> | undefined;
}

/** Where a series lies in the window. */
export interface Placement {
  /** Steps of padding in front of the series. */
  readonly pad: number;
  /** Given steps that are used: the last ones. */
  readonly used: number;
  /** Patches that are left out in front. */
  readonly skipped: number;
}

/** A patch with a larger share of padding counts as padding. */
const PADDED_SHARE = 0.9;

/** Where `length` given steps and `steps` forecast ones go. */
export const placementOf = (
  length: number,
  steps: number,
  c: PatchTstConfig,
  isPruned: boolean,
): Placement => {
  const context = Math.min(length + steps, c.context_length);
  const pad = c.context_length - context;
  const place = { pad, used: context - steps };
  if (!isPruned || pad === 0) return { ...place, skipped: 0 };
  if (c.patch_stride === null) return { ...place, skipped: Math.floor(pad / c.d_patch) };
  // Convolutions look over the edge; the reference leaves room for one of them.
  const edge = Math.floor(c.d_patch / c.patch_stride) * Math.floor(Math.max(...kernelSizes(c)) / 2);
  const whole = Math.floor((pad - c.d_patch) / c.patch_stride);
  return { ...place, skipped: Math.max(whole - edge, 0) };
};

/** Mean of what is not missing: stands in for a missing value that is said to be observed. */
const fillerOf = (values: ArrayLike<number>): number => {
  const known = Array.from(values).filter((value) => !Number.isNaN(value));
  return known.reduce((a, b) => a + b, 0) / known.length;
};

interface Window {
  readonly values: Float32Array;
  readonly observed: Float32Array;
  readonly padded: Float32Array;
}

/** Writes one series at the end of its window, `at` steps into the arrays. */
const placeRow = (row: PatchTstRow, place: Placement, window: Window, at: number): void => {
  const from = row.values.length - place.used;
  window.padded.fill(1, at - place.pad, at);
  for (let i = 0; i < place.used; i++) {
    const value = row.values[from + i]!;
    const isPadded = Boolean(row.padded?.[from + i]);
    const isObserved = row.observed ? Boolean(row.observed[from + i]) : !Number.isNaN(value);
    window.padded[at + i] = isPadded ? 1 : 0;
    if (!isObserved || isPadded) continue;
    window.observed[at + i] = 1;
    window.values[at + i] = Number.isNaN(value) ? fillerOf(row.values) : value;
  }
};

/** 1 for each patch that is padding. padded [rows, c.context_length] -> [rows, tokens] */
const paddedPatches = (padded: Float32Array, skipped: number, c: PatchTstConfig): Float32Array => {
  const rows = padded.length / c.context_length;
  const tokens = patchCount(c) - skipped;
  const flags = new Float32Array(rows * tokens);
  for (let i = 0; i < flags.length; i++) {
    const patch = skipped + (i % tokens);
    const start = Math.floor(i / tokens) * c.context_length + patch * strideOf(c);
    let count = 0;
    for (let t = 0; t < c.d_patch; t++) count += padded[start + t]!;
    flags[i] = count / c.d_patch > PADDED_SHARE ? 1 : 0;
  }
  return flags;
};

/** The columns from `start` on of rows of `width`. */
const endsOf = (rows: Float32Array, width: number, start: number): Float32Array => {
  if (start === 0) return rows;
  const kept = width - start;
  const ends = new Float32Array((rows.length / width) * kept);
  for (let b = 0; b * kept < ends.length; b++) {
    ends.set(rows.subarray(b * width + start, (b + 1) * width), b * kept);
  }
  return ends;
};

/** The first of `tokens` tokens that takes part in the last `steps` steps that are read. */
const firstRead = (tokens: number, steps: number, c: PatchTstConfig): number => {
  // Steps that no patch covers are read where patches are folded, and cut off elsewhere.
  const rest = isFolded(c) ? uncoveredSteps(c) : 0;
  const stride = strideOf(c);
  const before = stride * (tokens - 1) + rest - steps;
  // Where patches leave gaps, the steps that are read may begin in the gap behind a patch.
  const first = Math.min(before + stride, before + c.d_patch) / stride;
  return Math.min(tokens - 1, Math.max(0, Math.floor(first)));
};

const float32 = (data: Float32Array, rows: number): TensorValue => ({
  dtype: 'float32',
  dims: [rows, data.length / rows],
  data,
});

const int64 = (values: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

export interface Placed {
  readonly row: PatchTstRow;
  readonly place: Placement;
}

/** Inputs of the graph for series that leave out equally many patches. */
export const feedsOf = (
  placed: readonly Placed[],
  steps: number,
  c: PatchTstConfig,
  attentionWindow: number | undefined,
): Record<string, TensorValue> => {
  const { skipped } = placed[0]!.place;
  const width = c.context_length;
  const size = placed.length * width;
  const [values, observed, padded] = [0, 1, 2].map(() => new Float32Array(size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  placed.forEach(({ row, place }, b) => {
    placeRow(row, place, { values, observed, padded }, b * width + place.pad);
  });
  const tokens = patchCount(c) - skipped;
  const start = skipped * strideOf(c);
  const first = firstRead(tokens, steps, c);
  return {
    values: float32(endsOf(values, width, start), placed.length),
    observed: float32(endsOf(observed, width, start), placed.length),
    padded_patches: float32(paddedPatches(padded, skipped, c), placed.length),
    slots: int64(range(skipped, skipped + tokens)),
    attention_reach: int64([attentionWindow ?? tokens]),
    read_tokens: int64(range(first, tokens)),
  };
};
