/**
 * Levels that a model is asked for, and those that are made of them: beyond the outermost level that a quantile
 * head was trained for the fan widens as a normal distribution's would, from the median through that level.
 */
import { normalQuantile } from './normal.ts';

export interface LevelPlan {
  /** Ascending; what the model is asked. */
  readonly asked: readonly number[];
  /** From the rows of `asked` [asked][horizon] to the rows of the wanted levels, which never cross. */
  readonly rows: (answered: readonly (readonly number[])[]) => readonly (readonly number[])[];
}

const MEDIAN = 0.5;

/** Sorts the values of each step: quantiles of ascending levels do not descend. */
export const uncrossed = (rows: readonly (readonly number[])[]): readonly (readonly number[])[] => {
  const horizon = rows[0]?.length ?? 0;
  const sorted = rows.map((row) => [...row]);
  const column = new Float64Array(rows.length);
  for (let step = 0; step < horizon; step++) {
    for (let k = 0; k < rows.length; k++) column[k] = rows[k]![step]!;
    column.sort();
    for (let k = 0; k < rows.length; k++) sorted[k]![step] = column[k]!;
  }
  return sorted;
};

/**
 * @param levels  ascending levels in (0, 1)
 * @param trained levels of the model's head; empty where it gives any level by itself
 */
export const planLevels = (levels: readonly number[], trained: readonly number[]): LevelPlan => {
  const low = Math.min(...trained);
  const high = Math.max(...trained);
  const outer = (level: number): number | undefined => {
    if (trained.length < 2 || low >= MEDIAN || high <= MEDIAN) return undefined;
    if (level < low - 1e-9) return low;
    return level > high + 1e-9 ? high : undefined;
  };
  // With the head's whole fan the edges are the same whatever else is asked, also where its rows cross.
  const whole = levels.some(outer) ? [...trained, MEDIAN] : [];
  const asked = [...new Set([...levels.filter((level) => !outer(level)), ...whole])].toSorted(
    (a, b) => a - b,
  );
  const rows: LevelPlan['rows'] = (answered) => {
    const straight = uncrossed(answered);
    const rowOf = new Map(asked.map((level, i) => [level, straight[i]!]));
    const wanted = levels.map((level) => {
      const near = outer(level);
      if (near === undefined) return rowOf.get(level)!;
      const share = normalQuantile(level) / normalQuantile(near);
      const edge = rowOf.get(near)!;
      return rowOf.get(MEDIAN)!.map((median, step) => median + (edge[step]! - median) * share);
    });
    return uncrossed(wanted);
  };
  return { asked, rows };
};
