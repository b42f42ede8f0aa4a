/**
 * How far the anchors were off at earlier origins, by how far ahead they looked; the mixture of them that these
 * errors suggest, and how far that one was off. Steps ahead fall into buckets that double: 1, 2-3, 4-7, ...
 */
import { ANCHORS, type Anchors } from './anchors.ts';

export const BUCKETS = 11;
const WIDTH = ANCHORS.length;
/** Origins close to the end that show the first steps, and origins farther apart that show all. */
const NEAR_ORIGINS = 20;
const NEAR_STEPS = [1, 2, 3, 5, 7] as const;
const FAR_ORIGINS = 6;
const FAR_STEPS = 36;
/** Errors that the bucket before counts for. */
const PRIOR_ERRORS = 3;
/** Weights fall with this power of the error. */
const SHARPNESS = 4;

export interface Plan {
  readonly origins: readonly { readonly end: number; readonly steps: readonly number[] }[];
  /** The earliest origin: what has parameters learns before it. */
  readonly until: number;
}

const geometricSteps = (longest: number): number[] => {
  const steps = new Set<number>();
  for (let k = 0; k < FAR_STEPS; k++) {
    // Half of them evenly, half by ratio.
    const part = (k + 1) / FAR_STEPS;
    steps.add(k % 2 === 0 ? Math.ceil(longest * part) : Math.round(longest ** part));
  }
  return [...steps].filter((step) => step >= 1).sort((a, b) => a - b);
};

/** Which origins of n points to rehearse from; none where the history is too short. */
export const planOf = (n: number, horizon: number): Plan => {
  const earliest = Math.max(3, Math.floor(n / 2));
  const longest = Math.min(horizon, Math.max(1, Math.floor(n / 4)));
  const far = geometricSteps(longest);
  const stride = Math.max(
    1,
    Math.floor((n - longest - earliest) / FAR_ORIGINS),
    Math.floor(longest / 3),
  );
  const origins: { end: number; steps: readonly number[] }[] = [];
  for (let k = 0; k < FAR_ORIGINS; k++) {
    const end = n - longest - k * Math.min(stride, longest);
    if (end < earliest) break;
    origins.push({ end, steps: far });
  }
  const near = NEAR_STEPS.filter((step) => step <= longest);
  for (let k = 0; k < NEAR_ORIGINS; k++) {
    const end = n - 1 - k;
    if (end < earliest) break;
    const steps = near.filter((step) => end + step <= n);
    if (steps.length > 0) origins.push({ end, steps });
  }
  const until = Math.min(n, ...origins.map(({ end }) => end));
  return { origins, until };
};

export const bucketOf = (h: number): number => Math.min(BUCKETS - 1, Math.floor(Math.log2(h)));

export interface Rehearsal {
  /** [buckets][anchors]: logarithm of the mean absolute error. */
  readonly errors: Float64Array;
  /** [buckets]: logarithm of that of the mixture. */
  readonly mixture: Float64Array;
  /** [buckets]: errors seen. */
  readonly counts: Float64Array;
  /** [buckets][4] of the mixture, in units of its mean absolute error: mean, and deciles 1, 5 and 9. */
  readonly shape: Float64Array;
  /** Errors of the mixture one step ahead, the latest first, in the units of the series. */
  readonly latest: readonly number[];
}

interface Points {
  /** [points][anchors] */
  readonly forecasts: Float64Array;
  readonly actual: Float64Array;
  readonly steps: Int32Array;
}

const rehearse = (anchors: Anchors, { origins }: Plan): Points => {
  const y = anchors.phases.y;
  const total = origins.reduce((sum, { steps }) => sum + steps.length, 0);
  const forecasts = new Float64Array(total * WIDTH);
  const actual = new Float64Array(total);
  const asked = new Int32Array(total);
  let at = 0;
  for (const { end, steps } of origins) {
    anchors.forecast(end, steps, forecasts.subarray(at * WIDTH, (at + steps.length) * WIDTH));
    for (const step of steps) {
      actual[at] = y[end + step - 1]!;
      asked[at++] = step;
    }
  }
  return { forecasts, actual, steps: asked };
};

/** Sums a bucket's errors and leans on the bucket before; `floor` keeps logarithms finite. */
const errorsOf = (
  { forecasts, actual, steps }: Points,
  counts: Float64Array,
  start: number,
  floor: number,
) => {
  const sums = new Float64Array(BUCKETS * WIDTH);
  for (let i = 0; i < actual.length; i++) {
    const bucket = bucketOf(steps[i]!);
    counts[bucket]! += 1;
    for (let a = 0; a < WIDTH; a++) {
      sums[bucket * WIDTH + a]! += Math.abs(actual[i]! - forecasts[i * WIDTH + a]!);
    }
  }
  const errors = new Float64Array(BUCKETS * WIDTH);
  for (let a = 0; a < WIDTH; a++) {
    let before = start;
    for (let b = 0; b < BUCKETS; b++) {
      const at = b * WIDTH + a;
      before = (sums[at]! + PRIOR_ERRORS * before) / (counts[b]! + PRIOR_ERRORS);
      errors[at] = Math.log(before + floor);
    }
  }
  return errors;
};

/** Weights of the anchors for a row of logarithms of errors: proportional to error^-4. */
export const weightsOf = (errors: Float64Array, at: number, weights: Float64Array): void => {
  let least = Number.POSITIVE_INFINITY;
  for (let a = 0; a < WIDTH; a++) least = Math.min(least, errors[at + a]!);
  let sum = 0;
  for (let a = 0; a < WIDTH; a++) {
    weights[a] = Math.exp(-SHARPNESS * (errors[at + a]! - least));
    sum += weights[a]!;
  }
  for (let a = 0; a < WIDTH; a++) weights[a]! /= sum;
};

const mixtureErrors = (
  { forecasts, actual, steps }: Points,
  errors: Float64Array,
): Float64Array => {
  const tables = Array.from({ length: BUCKETS }, (_, b) => {
    const weights = new Float64Array(WIDTH);
    weightsOf(errors, b * WIDTH, weights);
    return weights;
  });
  return actual.map((value, i) => {
    const weights = tables[bucketOf(steps[i]!)]!;
    let mixed = 0;
    for (let a = 0; a < WIDTH; a++) mixed += weights[a]! * forecasts[i * WIDTH + a]!;
    return value - mixed;
  });
};

const shapeOf = (errors: Float64Array, size: number, out: Float64Array, at: number): void => {
  if (errors.length === 0) return;
  const sorted = errors.slice().sort();
  const at10 = (q: number): number => sorted[Math.round(q * (sorted.length - 1))]! / size;
  out[at] = errors.reduce((sum, error) => sum + error, 0) / errors.length / size;
  out[at + 1] = at10(0.1);
  out[at + 2] = at10(0.5);
  out[at + 3] = at10(0.9);
};

/**
 * Rehearses the anchors on their own history.
 *
 * @param start a usual error, for buckets without any
 * @param floor least error that counts
 */
export const rehearsalOf = (
  anchors: Anchors,
  plan: Plan,
  start: number,
  floor: number,
): Rehearsal => {
  const points = rehearse(anchors, plan);
  const counts = new Float64Array(BUCKETS);
  const errors = errorsOf(points, counts, start, floor);
  const off = mixtureErrors(points, errors);
  const mixture = new Float64Array(BUCKETS);
  const shape = new Float64Array(BUCKETS * 4);
  let before = start;
  for (let b = 0; b < BUCKETS; b++) {
    const own = off.filter((_, i) => bucketOf(points.steps[i]!) === b);
    const sum = own.reduce((s, error) => s + Math.abs(error), 0);
    before = (sum + PRIOR_ERRORS * before) / (own.length + PRIOR_ERRORS);
    mixture[b] = Math.log(before + floor);
    shapeOf(own, before + floor, shape, 4 * b);
  }
  const firsts = [...off].filter((_, i) => points.steps[i] === 1);
  return { errors, mixture, counts, shape, latest: firsts };
};
