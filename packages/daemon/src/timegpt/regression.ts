/**
 * Ridge regression of a series on exogenous columns. Intercept and straight trend are partialled out of both
 * sides first (Frisch and Waugh), so that a column that grows is not given the series' own trend.
 */
import { cholesky, solveWith } from '../reconcile/cholesky.ts';

export interface Regression {
  /** Change of the series for one unit of each column. [columns] */
  readonly slopes: Float64Array;
  /** Mean of each column over the observed points. [columns] */
  readonly means: Float64Array;
  /** Deviation of each column. [columns] */
  readonly deviations: Float64Array;
}

/** Weight of the penalty, in observations: columns have unit variance. */
const PENALTY = 1;

const observedPlaces = (values: Float64Array): number[] => {
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) places.push(i);
  return places;
};

/** Values at the places, less their least squares line over time. */
const detrended = (values: ArrayLike<number>, places: readonly number[]): Float64Array => {
  const n = places.length;
  const middle = places.reduce((sum, place) => sum + place, 0) / n;
  let mean = 0;
  for (const place of places) mean += values[place]! / n;
  let cross = 0;
  let square = 0;
  for (const place of places) {
    cross += (place - middle) * (values[place]! - mean);
    square += (place - middle) ** 2;
  }
  const slope = square > 0 ? cross / square : 0;
  return Float64Array.from(places, (place) => values[place]! - mean - slope * (place - middle));
};

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/**
 * @param values  [n], NaN where missing
 * @param columns [columns][n]
 */
export const regress = (
  values: Float64Array,
  columns: readonly ArrayLike<number>[],
): Regression => {
  const places = observedPlaces(values);
  const n = places.length;
  const width = columns.length;
  const slopes = new Float64Array(width);
  const means = Float64Array.from(
    columns,
    (column) => places.reduce((sum, place) => sum + column[place]!, 0) / Math.max(1, n),
  );
  if (n < 4) return { slopes, means, deviations: new Float64Array(width) };
  const rest = columns.map((column) => detrended(column, places));
  const deviations = Float64Array.from(rest, (column) => Math.sqrt(dot(column, column) / n));
  const isUsed = deviations.map((deviation, k) =>
    deviation > 1e-9 * Math.max(1e-12, Math.abs(means[k]!)) ? 1 : 0,
  );
  const unit = rest.map((column, k) =>
    isUsed[k] ? column.map((value) => value / deviations[k]!) : new Float64Array(n),
  );
  const target = detrended(values, places);
  const gram = unit.map((a, i) =>
    Float64Array.from(unit, (b, j) => dot(a, b) + (i === j ? PENALTY : 0)),
  );
  const factor = cholesky(gram);
  if (!factor) return { slopes, means, deviations };
  const solved = solveWith(
    factor,
    unit.map((column) => dot(column, target)),
  );
  for (let k = 0; k < width; k++) if (isUsed[k]) slopes[k] = solved[k]! / deviations[k]!;
  return { slopes, means, deviations };
};

/** Words as numbers: the mean of the series where the word stood, drawn to the overall mean by one observation. */
export const encodeWords = (
  values: Float64Array,
  past: readonly string[],
): ((word: string) => number) => {
  const sums = new Map<string, { sum: number; count: number }>();
  let total = 0;
  let count = 0;
  past.forEach((word, i) => {
    const value = values[i]!;
    if (Number.isNaN(value)) return;
    const entry = sums.get(word) ?? { sum: 0, count: 0 };
    sums.set(word, { sum: entry.sum + value, count: entry.count + 1 });
    total += value;
    count++;
  });
  const overall = count > 0 ? total / count : 0;
  return (word) => {
    const entry = sums.get(word);
    return entry ? (entry.sum + overall) / (entry.count + 1) : overall;
  };
};
