/**
 * Seasonal ARIMA with fractional differencing from stable poles, with a slow envelope and count-like observation
 * (after SarSim0: poles uniform in a disk, so that every draw is stationary before it is integrated).
 */
import { drawIndex, type Generator } from './generator.ts';
import type { Random } from './random.ts';

const BURN_IN = 200;
const FRACTIONAL = 100;
const LIMIT = 1e6;
/** Slow cycles as multiples of fast ones. */
const FAST = [4, 5, 7, 12, 24, 24, 24, 48, 96, 144, 288] as const;
const SLOW = [7, 7, 5, 12, 4, 52] as const;

/** Coefficients c of 1 - sum c[i] B^(i+1), from conjugate pairs of poles within `radius`. */
export const drawPolynomial = (random: Random, order: number, radius: number): number[] => {
  let polynomial = [1];
  const times = (factor: readonly number[]): void => {
    const product = new Array<number>(polynomial.length + factor.length - 1).fill(0);
    polynomial.forEach((a, i) => {
      factor.forEach((b, j) => {
        product[i + j]! += a * b;
      });
    });
    polynomial = product;
  };
  let left = order;
  while (left > 0) {
    const r = radius * Math.sqrt(random.uniform());
    if (left === 1) times([1, -r * (random.chance(0.7) ? 1 : -1)]);
    else times([1, -2 * r * Math.cos(random.between(0, 2 * Math.PI)), r * r]);
    left -= Math.min(2, left);
  }
  return polynomial.slice(1).map((c) => -c);
};

/** y[t] = e[t] + sum a[i] y[t - step (i+1)], in place. */
const autoregress = (y: Float64Array, a: readonly number[], step: number): void => {
  for (let i = 0; i < a.length; i++) if (!Number.isFinite(a[i]!)) return;
  for (let t = 0; t < y.length; t++) {
    let value = y[t]!;
    for (let i = 0; i < a.length; i++) {
      const lag = t - step * (i + 1);
      if (lag < 0) break;
      value += a[i]! * y[lag]!;
    }
    y[t] = Math.max(-LIMIT, Math.min(LIMIT, value));
  }
};

/** y[t] = e[t] - sum b[i] e[t - step (i+1)], in place. */
const moveAverage = (y: Float64Array, b: readonly number[], step: number): void => {
  for (let t = y.length - 1; t >= 0; t--) {
    let value = y[t]!;
    for (let i = 0; i < b.length; i++) {
      const lag = t - step * (i + 1);
      if (lag < 0) break;
      value -= b[i]! * y[lag]!;
    }
    y[t] = value;
  }
};

/** (1 - B)^-d by its first coefficients, in place. */
const integrateFractionally = (y: Float64Array, d: number): void => {
  const b = new Float64Array(FRACTIONAL);
  b[0] = 1;
  for (let k = 1; k < FRACTIONAL; k++) b[k] = (b[k - 1]! * (k - 1 + d)) / k;
  for (let t = y.length - 1; t >= 0; t--) {
    let value = 0;
    for (let k = Math.min(t, FRACTIONAL - 1); k >= 0; k--) value += b[k]! * y[t - k]!;
    y[t] = value;
  }
};

const drawSarima = (random: Random, length: number, period: number): Float64Array => {
  const y = Float64Array.from({ length: length + BURN_IN }, () => random.normal());
  const isSeasonal = period > 1;
  const hasRegular = random.chance(0.5);
  moveAverage(y, drawPolynomial(random, random.integer(0, 3), 0.9), 1);
  if (isSeasonal) moveAverage(y, drawPolynomial(random, random.integer(0, 2), 0.9), period);
  if (hasRegular || !isSeasonal)
    autoregress(y, drawPolynomial(random, random.integer(0, 6), 0.95), 1);
  if (isSeasonal && !hasRegular)
    autoregress(y, drawPolynomial(random, random.integer(0, 2), 0.5), period);
  if (random.chance(0.5)) integrateFractionally(y, random.uniform());
  else if (random.chance(0.4)) autoregress(y, [1], 1);
  // Seasonal integration as a strong pull to the last cycle: a season that walks.
  if (isSeasonal && random.chance(0.8)) {
    const start = Float64Array.from({ length: period }, () => random.normal(0, 4));
    for (let t = 0; t < period; t++) y[t]! += start[t]!;
    autoregress(y, [random.chance(0.5) ? 1 : random.between(0.9, 1)], period);
  }
  return y.slice(BURN_IN);
};

const ranged = (y: Float64Array): Float64Array => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of y) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return y.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
};

/** Observations of a rate in (0, 1]: none, Poisson, generalised gamma or log-normal. */
const observed = (random: Random, y: Float64Array): Float64Array => {
  const kind = drawIndex(random, [0.5, 0.18, 0.18, 0.14]);
  if (kind === 0) return y;
  const rates = ranged(y);
  const base = kind === 3 ? random.logBetween(0.1, 5) : random.logBetween(0.1, 100);
  const shape = random.logBetween(1, 50);
  const power = random.between(0.5, 1.5);
  const spread = random.logBetween(0.1, 1.5);
  return rates.map((rate) => {
    const mean = base * rate + 0.01;
    if (kind === 1) return random.poisson(mean);
    if (kind === 2) return random.gamma(shape, mean / shape) ** power;
    return mean * Math.exp(random.normal(-0.5 * spread * spread, spread));
  });
};

export const sarima: Generator = (random, length) => {
  const fitting = FAST.filter((period) => 3 * period <= length);
  const fast = fitting.length > 0 && random.chance(0.75) ? random.pick(fitting) : 1;
  const values = drawSarima(random, length, fast);
  const periods = fast > 1 ? [fast] : [];
  const slow = fast * random.pick(SLOW);
  if (fast > 1 && random.chance(0.5) && 1.5 * slow < length) {
    const envelope = ranged(drawSarima(random, length, slow));
    const weight = random.uniform();
    const isAdditive = random.chance(0.5);
    const size = Math.max(1e-9, Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / length));
    for (let t = 0; t < length; t++) {
      const e = 2 * envelope[t]! - 1;
      values[t] = isAdditive ? values[t]! + 2 * weight * size * e : values[t]! * (1 + weight * e);
    }
    periods.push(slow);
  }
  return { values: observed(random, values), periods };
};
