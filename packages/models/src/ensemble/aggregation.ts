/**
 * Ways to combine the quantile forecasts of several models for one point in time, as granite-tsfm 0.3.11
 * does (toolkit/ensemble_aggregation.py). Everywhere `fans` is [models][levels] at ascending levels, and
 * weights are one for each model, not negative, of sum 1.
 */
import { linearQuantile } from '../quantiles.ts';
import { isotonic } from './isotonic.ts';

/** [models][levels] */
export type Fans = readonly ArrayLike<number>[];

/** Ascending, what is not a number last. */
const byValue = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b;

interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/** The first value whose cumulative weight lies above the level; the last one at most. */
const weightedQuantiles = (sample: readonly Weighted[], levels: readonly number[]): number[] => {
  const ordered = sample.toSorted((a, b) => byValue(a.value, b.value));
  let total = 0;
  const cumulative = ordered.map(({ weight }) => {
    total += weight;
    return total;
  });
  return levels.map((level) => {
    const at = cumulative.findIndex((reached) => reached > level);
    return (at < 0 ? ordered.at(-1)! : ordered[at]!).value;
  });
};

/**
 * The linear pool: all quantiles of all models are one sample, whose quantiles are taken, by linear
 * interpolation or, with weights, as the value that is reached.
 */
export const linearPool = (
  fans: Fans,
  levels: readonly number[],
  weights?: readonly number[],
): number[] => {
  if (!weights) {
    const sample = Float64Array.from(fans.flatMap((fan) => Array.from(fan))).sort();
    return levels.map((level) =>
      Number.isNaN(sample.at(-1)) ? Number.NaN : linearQuantile(sample, level),
    );
  }
  const sample = fans.flatMap((fan, model) =>
    Array.from(fan, (value) => ({ value, weight: weights[model]! / fan.length })),
  );
  return weightedQuantiles(sample, levels);
};

/** Quantiles in order; those that are already stay bit for bit. */
const inOrder = (fan: readonly number[]): number[] => {
  const isDescending = fan.some((value, i) => i > 0 && value < fan[i - 1]!);
  return isDescending && !fan.some(Number.isNaN) ? Array.from(isotonic(fan)) : [...fan];
};

export type Average = 'median' | 'mean';

const meanOf = (values: readonly number[], weights?: readonly number[]): number => {
  const total = values.reduce((sum, value, i) => sum + value * (weights?.[i] ?? 1), 0);
  return total / (weights?.reduce((a, b) => a + b, 0) ?? values.length);
};

/** Vincentization: each level is averaged over the models, then the levels are put in order. */
export const vincentize = (
  fans: Fans,
  average: Average = 'median',
  weights?: readonly number[],
): number[] => {
  const averageOf = (values: readonly number[]): number => {
    if (average === 'mean') return meanOf(values, weights);
    if (!weights) return linearPool([values], [0.5])[0]!;
    const sample = values.map((value, model) => ({ value, weight: weights[model]! }));
    return weightedQuantiles(sample, [0.5])[0]!;
  };
  return inOrder(Array.from(fans[0]!, (_, level) => averageOf(fans.map((fan) => fan[level]!))));
};

// ---- weights by the width of the fan --------------------------------------------------------------

export interface IqrOptions {
  /** Below 1 the narrowest fan takes more, above 1 less. */
  readonly temperature?: number;
  /** The most that one model may weigh, between 1 / models and 1. */
  readonly maxWeight?: number | undefined;
}

const WIDTH_FLOOR = 1e-6;
/** Stands for a width that is not known. */
const UNKNOWN_WIDTH = 1e10;

const normalised = (values: readonly number[], floor = 0): number[] => {
  const total = values.reduce((a, b) => a + b, 0) + floor;
  return values.map((value) => value / total);
};

/** What is above the cap goes to the others in proportion to their weights, round by round. */
const capped = (weights: readonly number[], cap: number): number[] => {
  let current = [...weights];
  for (let round = 0; round < weights.length && current.some((w) => w > cap); round++) {
    const excess = current.reduce((sum, w) => sum + Math.max(0, w - cap), 0);
    const cut = current.map((w) => Math.min(w, cap));
    const takes = cut.map((w, i) => weights[i]! > 0 && w < cap);
    const free = Math.max(
      1e-12,
      cut.reduce((sum, w, i) => sum + (takes[i] ? w : 0), 0),
    );
    current = cut.map((w, i) => (takes[i] ? w + w * (excess / free) : w));
  }
  return current;
};

/** Softmax of 1 / interquartile range, times the prior weights, capped. */
export const iqrWeights = (
  fans: Fans,
  levels: readonly number[],
  { temperature = 1, maxWeight }: IqrOptions = {},
  prior?: readonly number[],
): number[] => {
  const lower = Math.max(
    0,
    levels.findLastIndex((level) => level <= 0.25),
  );
  const above = levels.findIndex((level) => level >= 0.75);
  const upper = above < 0 ? levels.length - 1 : above;
  const sharpness = fans.map((fan) => {
    const width = fan[upper]! - fan[lower]!;
    return 1 / ((Number.isNaN(width) ? UNKNOWN_WIDTH : width) + WIDTH_FLOOR) / temperature;
  });
  const sharpest = Math.max(...sharpness);
  const softmax = normalised(sharpness.map((value) => Math.exp(value - sharpest)));
  const weights = prior
    ? normalised(
        softmax.map((weight, model) => weight * prior[model]!),
        1e-10,
      )
    : softmax;
  return maxWeight === undefined ? weights : capped(weights, maxWeight);
};

/** The mean of the models, weighted by how narrow their fans are here, put in order. */
export const iqrWeighted = (
  fans: Fans,
  levels: readonly number[],
  options: IqrOptions = {},
  prior?: readonly number[],
): number[] => {
  const weights = iqrWeights(fans, levels, options, prior);
  return inOrder(
    levels.map((_, level) =>
      fans.reduce((sum, fan, model) => sum + fan[level]! * weights[model]!, 0),
    ),
  );
};
