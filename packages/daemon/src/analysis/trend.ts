/** Straight lines through a series: by least squares to describe it, by medians to stand outliers. */
import { median } from './observed.ts';

export interface Line {
  /** Change a step. */
  readonly slope: number;
  /** Value at step 0. */
  readonly intercept: number;
  /** Share of the variance that the line explains, 0 to 1. */
  readonly r2: number;
}

/** Least squares over steps 0, 1, ...; gap-free values. */
export const linearTrend = (values: ArrayLike<number>): Line => {
  const n = values.length;
  const middle = (n - 1) / 2;
  let sum = 0;
  let product = 0;
  for (let i = 0; i < n; i++) {
    sum += values[i]!;
    product += (i - middle) * values[i]!;
  }
  const center = n > 0 ? sum / n : 0;
  const slope = n > 1 ? product / ((n * (n * n - 1)) / 12) : 0;
  let total = 0;
  for (let i = 0; i < n; i++) total += (values[i]! - center) ** 2;
  const explained = slope * product;
  const r2 = total > 0 ? Math.min(1, Math.max(0, explained / total)) : 0;
  return { slope, intercept: center - slope * middle, r2 };
};

const MOST_POINTS = 200;

/** Theil-Sen: the median of the slopes between points (of at most 200, evenly spread). */
export const robustTrend = (values: ArrayLike<number>): Omit<Line, 'r2'> => {
  const n = values.length;
  const count = Math.min(n, MOST_POINTS);
  const at = Array.from({ length: count }, (_, k) =>
    count > 1 ? Math.round((k * (n - 1)) / (count - 1)) : 0,
  );
  const slopes: number[] = [];
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      slopes.push((values[at[b]!]! - values[at[a]!]!) / (at[b]! - at[a]!));
    }
  }
  const slope = slopes.length > 0 ? median(slopes) : 0;
  const intercept = n > 0 ? median(at.map((i) => values[i]! - slope * i)) : 0;
  return { slope, intercept };
};

export const withoutLine = (
  values: Float64Array,
  { slope, intercept }: Omit<Line, 'r2'>,
): Float64Array => {
  const rest = new Float64Array(values.length);
  for (let i = 0; i < rest.length; i++) rest[i] = values[i]! - intercept - slope * i;
  return rest;
};

export type Direction = 'up' | 'down' | 'flat';

/** A change is a direction when it is more than this share of the spread that it is seen against. */
const NOTICEABLE = 0.1;

/** The direction of a change against the size of what is usual. */
export const directionOf = (change: number, usual: number): Direction => {
  if (Math.abs(change) <= NOTICEABLE * usual || change === 0) return 'flat';
  return change > 0 ? 'up' : 'down';
};
