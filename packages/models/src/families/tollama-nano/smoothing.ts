/** Recursive levels of a series at every point: exponential smoothing, damped trends, autoregression. */

const ALPHAS = [0.03, 0.1, 0.25, 0.5, 0.8] as const;
/** Level and slope gains of the damped trend (Gardner and McKenzie 1985). */
const GAINS = [
  [0.1, 0.01],
  [0.3, 0.05],
  [0.6, 0.2],
  [0.9, 0.4],
  [1, 0.9],
] as const;
const DAMPING = 0.97;
const ORDER = 6;

export interface Levels {
  /** [n + 1]: the level after t points. */
  readonly level: Float64Array;
  /** [n + 1]: the slope after t points. */
  readonly slope: Float64Array;
  /** The gain whose one-step errors before `until` were least. */
  readonly gain: number;
}

const smooth = (e: Float64Array, start: number, until: number, alpha: number, beta: number) => {
  const n = e.length;
  const level = new Float64Array(n + 1);
  const slope = new Float64Array(n + 1);
  const first = Math.min(n, start + 4);
  let mean = 0;
  for (let t = start; t < first; t++) mean += e[t]! / (first - start);
  let a = mean;
  let b = 0;
  let loss = 0;
  for (let t = 0; t <= n; t++) {
    level[t] = a;
    slope[t] = b;
    if (t === n || t < start) continue;
    const error = e[t]! - a - DAMPING * b;
    if (t < until) loss += Math.abs(error);
    a += DAMPING * b + alpha * error;
    b = DAMPING * b + alpha * beta * error;
  }
  return { level, slope, gain: alpha, loss };
};

/** The best of a few gains for the values from `start`, judged before `until`; without slopes unless `isTrended`. */
export const smoothed = (
  e: Float64Array,
  start: number,
  until: number,
  isTrended: boolean,
): Levels => {
  const pairs: readonly (readonly [number, number])[] = isTrended
    ? GAINS
    : ALPHAS.map((alpha) => [alpha, 0] as const);
  return pairs
    .map(([alpha, beta]) => smooth(e, start, until, alpha, beta))
    .reduce((best, next) => (next.loss < best.loss ? next : best));
};

/** phi + phi^2 + ... + phi^h of the damping. */
export const dampedSteps = (h: number): number => (DAMPING * (1 - DAMPING ** h)) / (1 - DAMPING);

export interface Autoregression {
  readonly mean: number;
  /** [order] */
  readonly coefficients: Float64Array;
}

/** Yule-Walker by Levinson's recursion over e[start .. until). */
export const autoregression = (e: Float64Array, start: number, until: number): Autoregression => {
  const count = until - start;
  const order = Math.max(0, Math.min(ORDER, Math.floor(count / 6)));
  let mean = 0;
  for (let t = start; t < until; t++) mean += e[t]! / Math.max(1, count);
  const r = new Float64Array(order + 1);
  for (let lag = 0; lag <= order; lag++) {
    let sum = 0;
    for (let t = start + lag; t < until; t++) sum += (e[t]! - mean) * (e[t - lag]! - mean);
    r[lag] = sum;
  }
  let a = new Float64Array(order);
  let error = r[0]! * (1 + 1e-6) + 1e-12;
  for (let k = 0; k < order; k++) {
    let reflection = r[k + 1]!;
    for (let j = 0; j < k; j++) reflection -= a[j]! * r[k - j]!;
    reflection /= error;
    const next = a.slice();
    next[k] = reflection;
    for (let j = 0; j < k; j++) next[j] = a[j]! - reflection * a[k - 1 - j]!;
    a = next;
    error *= 1 - reflection * reflection;
  }
  return { mean, coefficients: a };
};

/** The `horizon` values after e[.. end), of which at least the order's number is known or the mean stands in. */
export const autoregress = (
  { mean, coefficients }: Autoregression,
  e: Float64Array,
  start: number,
  end: number,
  horizon: number,
): Float64Array => {
  const order = coefficients.length;
  const path = new Float64Array(order + horizon);
  for (let j = 0; j < order; j++) {
    const t = end - order + j;
    path[j] = t >= start ? e[t]! - mean : 0;
  }
  for (let h = 0; h < horizon; h++) {
    let value = 0;
    for (let j = 0; j < order; j++) value += coefficients[j]! * path[order + h - 1 - j]!;
    path[order + h] = value;
  }
  return path.subarray(order).map((value) => value + mean);
};
