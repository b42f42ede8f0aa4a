/**
 * What happens to a series after its law: mixtures, regimes, shocks, amplitude, censoring, smoothing, coarser
 * resolution, rounding, floors (after the cascades of TempoPFN and TiRex). Nothing here reads a later point to change
 * an earlier one's law, but for shapes that span the run as trends do.
 */
import { deviationOf, drawIndex, meanOf, type SyntheticSeries } from './generator.ts';
import type { Random } from './random.ts';

type Change = (random: Random, values: Float64Array, periods: readonly number[]) => void;

/** One to three cuts; each part is scaled about its mean and shifted. */
const regimes: Change = (random, values) => {
  const deviation = deviationOf(values);
  const mean = meanOf(values);
  const cuts = Array.from({ length: random.integer(1, 3) }, () =>
    random.integer(1, values.length - 1),
  ).sort((a, b) => a - b);
  for (const cut of cuts) {
    const scale = random.between(0.8, 1.25);
    const shift = random.normal(0, 0.3 * deviation);
    for (let t = cut; t < values.length; t++) {
      values[t] = mean + (values[t]! - mean) * scale + shift;
    }
  }
};

/** A jump that decays, from its point on. */
const shock: Change = (random, values) => {
  const at = random.integer(0, values.length - 1);
  const size = random.between(0.5, 2) * deviationOf(values) * (random.chance(0.5) ? 1 : -1);
  const decay = random.between(0.03, 0.25) * values.length;
  for (let t = at; t < values.length; t++) values[t]! += size * Math.exp(-(t - at) / decay);
};

/** The distance from the mean swells and shrinks along straight lines. */
const amplitude: Change = (random, values) => {
  const mean = meanOf(values);
  const knots = Array.from({ length: random.integer(3, 7) }, () => random.between(0.5, 1.8));
  for (let t = 0; t < values.length; t++) {
    const place = (t / values.length) * (knots.length - 1);
    const below = Math.floor(place);
    const factor = knots[below]! + (knots[below + 1]! - knots[below]!) * (place - below);
    values[t] = mean + (values[t]! - mean) * factor;
  }
};

const quantileOf = (values: Float64Array, q: number): number =>
  values.slice().sort()[Math.floor(q * (values.length - 1))]!;

const censor: Change = (random, values) => {
  const isUpper = random.chance(0.5);
  const limit = quantileOf(values, isUpper ? random.between(0.7, 0.98) : random.between(0.02, 0.4));
  for (let t = 0; t < values.length; t++) {
    values[t] = isUpper ? Math.min(limit, values[t]!) : Math.max(limit, values[t]!);
  }
};

const quantize: Change = (random, values) => {
  const unit = (deviationOf(values) * 4) / random.logBetween(4, 100) + 1e-12;
  for (let t = 0; t < values.length; t++) values[t] = Math.round(values[t]! / unit) * unit;
};

/** Exponential smoothing, as meters with inertia do. */
const smoothing: Change = (random, values) => {
  const gain = random.between(0.1, 0.8);
  for (let t = 1; t < values.length; t++)
    values[t] = values[t - 1]! + gain * (values[t]! - values[t - 1]!);
};

const differences: Change = (_, values) => {
  for (let t = values.length - 1; t > 0; t--) values[t]! -= values[t - 1]!;
  values[0] = values[1] ?? 0;
};

const accumulation: Change = (_, values) => {
  const mean = meanOf(values);
  for (let t = 1; t < values.length; t++) values[t] = values[t - 1]! + (values[t]! - mean);
};

const noise: Change = (random, values) => {
  const size = random.logBetween(0.005, 0.3) * deviationOf(values);
  const freedom = random.logBetween(3, 60);
  for (let t = 0; t < values.length; t++) values[t]! += size * random.student(freedom);
};

/** Single wild values and short stretches that stand still: what sensors do. */
const faults: Change = (random, values) => {
  const deviation = deviationOf(values);
  const count = random.poisson(2);
  for (let k = 0; k < count; k++) {
    const at = random.integer(0, values.length - 1);
    if (random.chance(0.5)) {
      values[at]! += random.normal(0, 6 * deviation);
      continue;
    }
    const length = Math.ceil(random.logBetween(2, 30));
    for (let t = at; t < Math.min(values.length, at + length); t++) values[t] = values[at]!;
  }
};

/** Days off: whole cycles at a lower level. */
const quietCycles: Change = (random, values, periods) => {
  const [period] = periods;
  if (period === undefined || period < 4) return;
  const factor = random.between(0.3, 0.95);
  const mean = meanOf(values);
  for (let from = 0; from < values.length; from += period) {
    if (!random.chance(0.05)) continue;
    for (let t = from; t < Math.min(values.length, from + period); t++) {
      values[t] = mean + (values[t]! - mean) * factor;
    }
  }
};

const CHANGES: readonly (readonly [weight: number, change: Change])[] = [
  [1, regimes],
  [0.7, shock],
  [1, amplitude],
  [0.5, censor],
  [0.7, quantize],
  [0.6, smoothing],
  [0.2, differences],
  [0.2, accumulation],
  [2, noise],
  [0.8, faults],
  [0.5, quietCycles],
];

/** Turned around in time or sign. */
const flip = (random: Random, values: Float64Array): void => {
  if (random.chance(0.15)) values.reverse();
  if (random.chance(0.3)) for (let t = 0; t < values.length; t++) values[t] = -values[t]!;
};

/** Level, floor and rounding: what units of measurement bring. */
const finish = (random: Random, values: Float64Array): void => {
  const deviation = deviationOf(values) + 1e-9;
  const kind = drawIndex(random, [0.35, 0.15, 0.35, 0.15]);
  if (kind === 1) {
    const shift = random.between(0, 1.5) * deviation - meanOf(values);
    for (let t = 0; t < values.length; t++) values[t] = Math.max(0, values[t]! + shift);
  } else if (kind === 2) {
    let least = Number.POSITIVE_INFINITY;
    for (const value of values) least = Math.min(least, value);
    const shift = random.logBetween(0.01, 20) * deviation - least;
    for (let t = 0; t < values.length; t++) values[t]! += shift;
  } else if (kind === 3) {
    const shift = random.logBetween(1, 1000) * deviation;
    for (let t = 0; t < values.length; t++) values[t]! += shift;
  }
  const unit = random.logBetween(0.1, 1000) / deviation;
  const isRounded = random.chance(0.2);
  for (let t = 0; t < values.length; t++) {
    values[t] = isRounded ? Math.round(values[t]! * unit) : values[t]! * unit;
  }
};

/** Applies the tail in place; intermittent counts keep their zeros and whole numbers mostly. */
export const augment = (
  random: Random,
  { values, periods }: SyntheticSeries,
  isCount: boolean,
): void => {
  if (isCount && random.chance(0.8)) return;
  flip(random, values);
  if (random.chance(0.6)) {
    const count = random.integer(1, 3);
    for (let k = 0; k < count; k++) {
      const weights = CHANGES.map(([weight]) => weight);
      CHANGES[drawIndex(random, weights)]![1](random, values, periods);
    }
  }
  finish(random, values);
};

/** Means, sums, last or largest values of groups of `factor` points; periods that stay whole are kept. */
export const coarsened = (
  random: Random,
  { values, periods }: SyntheticSeries,
  factor: number,
): SyntheticSeries => {
  const kind = drawIndex(random, [0.6, 0.25, 0.15]);
  const length = Math.floor(values.length / factor);
  const coarse = Float64Array.from({ length }, (_, t) => {
    const part = values.subarray(t * factor, (t + 1) * factor);
    if (kind === 0) return meanOf(part);
    return kind === 1 ? part[factor - 1]! : part.reduce((most, value) => Math.max(most, value));
  });
  const whole = periods.filter((period) => period % factor === 0 && period >= 2 * factor);
  return { values: coarse, periods: whole.map((period) => period / factor) };
};

/** TSMixup (Ansari et al. 2024): a convex sum of series in their own units, weights Dirichlet. */
export const mixed = (random: Random, parts: readonly SyntheticSeries[]): SyntheticSeries => {
  const alpha = random.logBetween(0.1, 5);
  const weights = parts.map(() => random.gamma(alpha) + 1e-9);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const values = new Float64Array(parts[0]!.values.length);
  parts.forEach(({ values: own }, i) => {
    const scale = weights[i]! / total / (deviationOf(own) + 1e-9);
    for (let t = 0; t < values.length; t++) values[t]! += scale * own[t]!;
  });
  const periods = [...new Set(parts.flatMap((part) => part.periods))].sort((a, b) => a - b);
  return { values, periods };
};
