/** What a family of synthetic series is: a law from which series are drawn, with the seasons that it put in. */
import type { Random } from './random.ts';

export interface SyntheticSeries {
  readonly values: Float64Array;
  /** Lengths of the cycles in the law, in steps, shortest first; a calendar would suggest them. */
  readonly periods: readonly number[];
}

/** Draws one series of `length` points; every value is finite. */
export type Generator = (random: Random, length: number) => SyntheticSeries;

/** Season lengths, in steps, that clocks of usual sampling rates bring, with how often we draw each rate. */
export const CLOCKS: readonly { readonly weight: number; readonly periods: readonly number[] }[] = [
  { weight: 1, periods: [360, 8640] },
  { weight: 1, periods: [60, 1440] },
  { weight: 2, periods: [288, 2016] },
  { weight: 1.5, periods: [144, 1008] },
  { weight: 2, periods: [96, 672] },
  { weight: 1.5, periods: [48, 336] },
  { weight: 4, periods: [24, 168] },
  { weight: 3, periods: [7, 365] },
  { weight: 1, periods: [5, 260] },
  { weight: 2, periods: [52] },
  { weight: 3, periods: [12] },
  { weight: 2, periods: [4] },
];

/** An index by weights. */
export const drawIndex = (random: Random, weights: readonly number[]): number => {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left <= 0) return i;
  }
  return weights.length - 1;
};

/** Season lengths of a drawn clock of which at least two cycles fit into `length`; may be empty. */
export const drawPeriods = (random: Random, length: number): readonly number[] => {
  const fitting = CLOCKS.filter(({ periods }) => 2 * periods[0]! <= length);
  if (fitting.length === 0) return [];
  const { periods } =
    fitting[
      drawIndex(
        random,
        fitting.map(({ weight }) => weight),
      )
    ]!;
  return periods.filter((period) => period <= length);
};

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / Math.max(1, values.length);
};

export const deviationOf = (values: ArrayLike<number>): number => {
  const mean = meanOf(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) ** 2;
  return Math.sqrt(sum / Math.max(1, values.length));
};

/** Mean 0 and deviation 1 in place; a constant becomes 0. */
export const standardize = (values: Float64Array): Float64Array => {
  const mean = meanOf(values);
  const deviation = deviationOf(values);
  for (let i = 0; i < values.length; i++) {
    values[i] = deviation > 1e-12 ? (values[i]! - mean) / deviation : 0;
  }
  return values;
};
