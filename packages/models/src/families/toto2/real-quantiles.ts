/** From standardised quantiles to those of the series (toto2, model.py, the end of `forecast`'s loop). */
import type { TensorValue } from '@tollama/graph';
import { LEVELS } from './config.ts';
import type { Panel } from './panel.ts';
import type { PatchStatistics } from './patch-scaler.ts';

/** Where the quantiles of a row may lie. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

const UNBOUNDED: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/**
 * The observed extremes of the context, `reach` scales of its last patch further out. Without a reach there
 * is no bound.
 */
export const boundsOf = (
  panel: Panel,
  statistics: readonly PatchStatistics[],
  size: number,
  reach: number,
): readonly Bounds[] => {
  if (reach === 0) return panel.values.map(() => UNBOUNDED);
  return panel.values.map((row, r) => {
    const context = row.subarray(0, panel.context * size);
    const seen = context.filter((_, i) => panel.observed[r]![i]);
    const distance = Math.fround(reach * statistics[r]!.scale[panel.context - 1]!);
    const low = seen.reduce((a, b) => Math.min(a, b), seen[0] ?? 0);
    const high = seen.reduce((a, b) => Math.max(a, b), seen[0] ?? 0);
    return { low: Math.fround(low - distance), high: Math.fround(high + distance) };
  });
};

/** Infinite values of one patch become the largest and smallest finite ones of it. */
const clampInfinite = (patch: Float32Array): void => {
  if (patch.every((value) => Number.isFinite(value) || Number.isNaN(value))) return;
  const finite = patch.filter((value) => Number.isFinite(value));
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  patch.forEach((value, i) => {
    if (value === Number.POSITIVE_INFINITY) patch[i] = high;
    else if (value === Number.NEGATIVE_INFINITY) patch[i] = low;
  });
};

export interface Destination {
  /** The first predicted patch in the panel, and how many of the horizon were done before it. */
  readonly first: number;
  readonly done: number;
  readonly size: number;
  /** For each row [9][horizon patches * P]; the predicted patches are written. */
  readonly fans: readonly Float32Array[];
}

/**
 * Un-scales the quantiles of a block, with the statistics of the patch that they predict, bounds them and
 * sorts them at each step.
 *
 * @param standardised [b, v, n, P, 9]
 */
export const realQuantiles = (
  standardised: TensorValue,
  statistics: readonly PatchStatistics[],
  bounds: readonly Bounds[],
  { first, done, size, fans }: Destination,
): void => {
  const data = standardised.data as Float32Array;
  const future = standardised.dims[2]!;
  const levels = LEVELS.length;
  const patch = new Float32Array(size);
  const fan = new Float32Array(levels);
  fans.forEach((row, r) => {
    const { loc, scale } = statistics[r]!;
    const { low, high } = bounds[r]!;
    const total = row.length / levels;
    for (let n = 0; n < future; n++) {
      const from = (r * future + n) * size * levels;
      const to = (done + n) * size;
      for (let q = 0; q < levels; q++) {
        for (let i = 0; i < size; i++) {
          const scaled = Math.fround(data[from + i * levels + q]! * scale[first + n]!);
          patch[i] = scaled + loc[first + n]!;
        }
        clampInfinite(patch);
        for (let i = 0; i < size; i++) {
          row[q * total + to + i] = Math.min(Math.max(patch[i]!, low), high);
        }
      }
      for (let i = to; i < to + size; i++) {
        for (let q = 0; q < levels; q++) fan[q] = row[q * total + i]!;
        fan.sort();
        for (let q = 0; q < levels; q++) row[q * total + i] = fan[q]!;
      }
    }
  });
};
