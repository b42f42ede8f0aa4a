/** The external scalers of the reference's preprocessor: each column of each series over all its rows. */

export interface Standard {
  readonly mean: number;
  readonly deviation: number;
}

export const UNSCALED: Standard = { mean: 0, deviation: 1 };

/** A variance that rounding alone explains counts as none: scikit-learn's bound for constant columns. */
const isConstant = (variance: number, mean: number, count: number): boolean =>
  variance <= count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;

/** Mean and population standard deviation of what is not missing; deviation 1 where there is none. */
export const standardOf = (values: ArrayLike<number>): Standard => {
  let count = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    count++;
    total += value;
  }
  if (count === 0) return UNSCALED;
  const mean = total / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) squares += (value - mean) ** 2;
  }
  const variance = squares / count;
  if (isConstant(variance, mean, count)) return { mean, deviation: 1 };
  return { mean, deviation: Math.sqrt(variance) };
};

/** Ranges below this count as none: scikit-learn's bound of its MinMaxScaler. */
const LEAST_RANGE = 10 * Number.EPSILON;

/** Lowest value and range of what is not missing, in the place of mean and deviation. */
export const rangeOf = (values: ArrayLike<number>): Standard => {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (lowest > highest) return UNSCALED;
  const range = highest - lowest;
  return { mean: lowest, deviation: range < LEAST_RANGE ? 1 : range };
};

/** Standardised values in the units of the series again. */
export const restored = (values: ArrayLike<number>, { mean, deviation }: Standard): Float64Array =>
  Float64Array.from(values, (value) => value * deviation + mean);
