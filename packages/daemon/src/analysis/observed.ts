/** A series' target as numbers: NaN where missing, and the same with gaps interpolated. */

export interface Target {
  readonly target: readonly number[];
  readonly missing_indices?: readonly number[] | null | undefined;
}

/** The values with NaN where one is missing. */
export const observedTarget = ({ target, missing_indices }: Target): Float64Array => {
  const values = new Float64Array(target);
  for (const at of missing_indices ?? []) values[at] = Number.NaN;
  return values;
};

/** Gaps interpolated, ends repeated; all 0 where nothing is known. A copy. */
export const withoutGaps = (values: Float64Array): Float64Array => {
  const filled = values.slice();
  let known = -1;
  for (let i = 0; i < filled.length; i++) {
    if (Number.isNaN(filled[i]!)) continue;
    for (let gap = known + 1; gap < i; gap++) {
      const part = known < 0 ? 1 : (gap - known) / (i - known);
      filled[gap] = (known < 0 ? 0 : filled[known]! * (1 - part)) + filled[i]! * part;
    }
    known = i;
  }
  return filled.fill(known < 0 ? 0 : filled[known]!, known + 1);
};

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length > 0 ? sum / values.length : 0;
};

/** Standard deviation of the population. */
export const deviation = (values: ArrayLike<number>): number => {
  const center = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - center) ** 2;
  return values.length > 0 ? Math.sqrt(sum / values.length) : 0;
};

/** Ascending values; rank q * (n - 1), interpolated linearly. */
export const quantileOfSorted = (ascending: ArrayLike<number>, q: number): number => {
  const rank = q * (ascending.length - 1);
  const below = Math.floor(rank);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (rank - below) * (high - low);
};

export const median = (values: ArrayLike<number>): number =>
  quantileOfSorted(Float64Array.from(values).sort(), 0.5);
