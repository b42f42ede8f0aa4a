/** From series to patches: what TimesFM 2.5 does before its first token. */
import { TollamaError } from '@tollama/core/errors';
import type { ModelSeries } from '../../family.ts';

/** The last values of a series behind zeros that stand for nothing. */
export interface Window {
  /** [length], a whole number of patches */
  readonly values: Float32Array;
  /** How many of the values, from the first, are padding. */
  readonly padding: number;
}

/** Where the observed part of a series begins. Throws INVALID_INPUT if there is none. */
export const firstObserved = ({ id, targets }: ModelSeries): number => {
  const first = Array.prototype.findIndex.call(targets[0]!, (value) => !Number.isNaN(value));
  if (first >= 0) return first;
  throw new TollamaError('INVALID_INPUT', `series '${id}' has no value that is not missing`, {
    hint: 'TimesFM needs at least one value',
  });
};

/** Straight lines across gaps, the last value behind the end, in float64 (numpy.interp). */
export const withoutGaps = (values: ArrayLike<number>): Float64Array => {
  const filled = Float64Array.from(values);
  let known = 0;
  for (let i = 1; i <= filled.length; i++) {
    if (i < filled.length && Number.isNaN(filled[i]!)) continue;
    const from = filled[known]!;
    const to = i < filled.length ? filled[i]! : from;
    const slope = (to - from) / (i - known);
    for (let k = known + 1; k < i; k++) filled[k] = from + slope * (k - known);
    known = i;
  }
  return filled;
};

/** The last `length` values, behind zeros where there are fewer. */
export const windowOf = (values: ArrayLike<number>, length: number): Window => {
  const window = new Float32Array(length);
  const kept = Math.min(values.length, length);
  for (let i = 1; i <= kept; i++) window[length - i] = values[values.length - i]!;
  return { values: window, padding: length - kept };
};

/** Mean and unbiased standard deviation of all values, padding included. */
export const windowMoments = ({ values }: Window): { mu: number; sigma: number } => {
  const mu = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mu) ** 2, 0);
  return { mu: Math.fround(mu), sigma: Math.fround(Math.sqrt(square / (values.length - 1))) };
};

/** Below this a standard deviation divides by 1. */
const TINY = 1e-6;

export const divisorOf = (sigma: number): number => (sigma < TINY ? 1 : sigma);

/** Count, mean and population standard deviation of all values so far. */
export interface Moments {
  readonly count: number;
  readonly mu: number;
  readonly sigma: number;
}

const NO_MOMENTS: Moments = { count: 0, mu: 0, sigma: 0 };

/** The moments after further values (Chan, Golub & LeVeque 1979). */
const mergeMoments = (so: Moments, values: Float32Array): Moments => {
  const k = values.length;
  if (k === 0) return so;
  const mean = values.reduce((sum, value) => sum + value, 0) / k;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / k;
  const count = so.count + k;
  const mu = (so.count * so.mu + k * mean) / count;
  const spread = so.count * (so.sigma ** 2 + (mu - so.mu) ** 2) + k * (variance + (mu - mean) ** 2);
  return { count, mu, sigma: Math.sqrt(spread / count) };
};

/** For each patch of `p` values the moments of all values up to its end, without padding. */
export const runningMoments = (
  { values, padding }: Window,
  p: number,
  before: Moments = NO_MOMENTS,
): Moments[] => {
  let so = before;
  return Array.from({ length: values.length / p }, (_, patch) => {
    const end = (patch + 1) * p;
    so = mergeMoments(so, values.subarray(Math.min(Math.max(padding, end - p), end), end));
    return so;
  });
};
