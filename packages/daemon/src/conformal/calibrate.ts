/**
 * Split conformal prediction (Vovk et al.; Lei et al. 2018): of n earlier errors the ceil((n + 1) * coverage)-th
 * smallest is a width that holds the next one with at least that probability.
 */

export type ConformalMethod = 'split' | 'adaptive';

/** Rows of a horizon: what came and what had been forecast. NaN in `actual`: not known. */
export interface CalibrationRow {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
}

export interface Calibration {
  /** Width at each step; one for all steps when `isByStep` is false. [steps] or [1] */
  readonly widths: readonly number[];
  readonly isByStep: boolean;
  /** Errors that the widths stand on; of a step where they go by steps. */
  readonly scores: number;
  /** Whether there were too few errors for the coverage: the widths are the largest error then. */
  readonly isTooFew: boolean;
}

/** Keeps the ratio of a forecast of 0 finite. */
const EPSILON = 1e-8;

/** Errors that a coverage needs: fewer cannot promise it. */
export const neededScores = (coverage: number): number => {
  let n = 1;
  while (Math.ceil((n + 1) * coverage - 1e-9) > n) n++;
  return n;
};

/** The conformal quantile; the largest score where there are too few. */
export const conformalQuantile = (scores: readonly number[], coverage: number): number => {
  const sorted = scores.toSorted((a, b) => a - b);
  // Without the slack 0.9 * 10 may come out above 9.
  const rank = Math.ceil((sorted.length + 1) * coverage - 1e-9);
  return sorted[Math.min(rank, sorted.length) - 1]!;
};

const scoreOf = (actual: number, predicted: number, method: ConformalMethod): number => {
  const error = Math.abs(actual - predicted);
  return method === 'adaptive' ? error / (Math.abs(predicted) + EPSILON) : error;
};

/** Scores of each step. */
const scoresByStep = (rows: readonly CalibrationRow[], method: ConformalMethod): number[][] => {
  const steps = Math.max(0, ...rows.map(({ actual }) => actual.length));
  const scores: number[][] = Array.from({ length: steps }, () => []);
  for (const { actual, predicted } of rows) {
    for (let step = 0; step < actual.length; step++) {
      const score = scoreOf(actual[step]!, predicted[step]!, method);
      if (Number.isFinite(score)) scores[step]!.push(score);
    }
  }
  return scores;
};

/** A width for each step where each has enough errors, else one for all; undefined without any error. */
export const calibrate = (
  rows: readonly CalibrationRow[],
  coverage: number,
  method: ConformalMethod,
): Calibration | undefined => {
  const byStep = scoresByStep(rows, method);
  const all = byStep.flat();
  if (all.length === 0) return undefined;
  const needed = neededScores(coverage);
  const least = Math.min(...byStep.map(({ length }) => length));
  if (byStep.length > 1 && least >= needed) {
    const widths = byStep.map((scores) => conformalQuantile(scores, coverage));
    return { widths, isByStep: true, scores: least, isTooFew: false };
  }
  return {
    widths: [conformalQuantile(all, coverage)],
    isByStep: false,
    scores: all.length,
    isTooFew: all.length < needed,
  };
};

export interface Interval {
  readonly lower: number[];
  readonly upper: number[];
}

/** The interval around a forecast; steps past the calibrated ones have the last width. */
export const intervalAround = (
  mean: readonly number[],
  { widths }: Calibration,
  method: ConformalMethod,
): Interval => {
  const reach = mean.map((value, step) => {
    const width = widths[Math.min(step, widths.length - 1)]!;
    return method === 'adaptive' ? width * (Math.abs(value) + EPSILON) : width;
  });
  return {
    lower: mean.map((value, step) => value - reach[step]!),
    upper: mean.map((value, step) => value + reach[step]!),
  };
};
