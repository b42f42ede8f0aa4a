/** What the network is told of a series as a whole: its recent course, its cycle, how regular it is. */
import type { Anchors } from './anchors.ts';
import type { Rehearsal } from './rehearsal.ts';

/** Longest contexts of the training: longer ones count as this. */
export const LONGEST_TRAINED = 3000;
const RECENT = 32;
const POOLED = 16;
const CYCLES = 16;
const PHASES = 24;
const ERRORS = 16;
const LAGS = [1, 2, 3, 4, 5, 6, 7, 8, 12, 24] as const;
const STATISTICS = 28;
export const CONTEXT_FEATURES =
  RECENT + POOLED + CYCLES + PHASES + ERRORS + LAGS.length + 3 + STATISTICS;

export interface Described {
  readonly anchors: Anchors;
  readonly rehearsal: Rehearsal;
  /** Usual error of the last season's value, in the units of the series. */
  readonly unit: number;
  /** Where the raw 0 lies, and whether raw values are whole and never negative. */
  readonly zero: number;
  readonly isNonNegative: boolean;
  readonly isWhole: boolean;
}

const squash = (value: number): number => Math.asinh(Number.isFinite(value) ? value : 0);

const correlation = (e: Float64Array, start: number, lag: number, mean: number): number => {
  let own = 1e-12;
  let cross = 0;
  for (let t = start; t < e.length; t++) {
    const a = e[t]! - mean;
    own += a * a;
    if (t >= start + lag) cross += a * (e[t - lag]! - mean);
  }
  return cross / own;
};

/** Means of the last POOLED stretches before the recent points, each a twelfth of a cycle or more. */
const pooled = ({ anchors, unit }: Described, out: Float32Array, at: number): void => {
  const { phases } = anchors;
  const width = Math.max(4, Math.ceil(phases.period / 6));
  const now = phases.windowMean(phases.y.length, Math.max(width, phases.period));
  for (let k = 0; k < POOLED; k++) {
    const end = phases.y.length - k * width;
    out[at + k] = end > width ? squash((phases.windowMean(end, width) - now) / unit) : 0;
  }
};

const cycleLevels = ({ anchors, unit }: Described, out: Float32Array, at: number): void => {
  const { phases } = anchors;
  const width = Math.max(phases.period, 8);
  const now = phases.windowMean(phases.y.length, width);
  for (let k = 1; k <= CYCLES; k++) {
    const end = phases.y.length - k * width;
    out[at + k - 1] = end > 0 ? squash((phases.windowMean(end, width) - now) / unit) : 0;
  }
};

/** The mean cycle from the next phase on, at 24 places, around its mean. */
const cycleShape = ({ anchors, unit }: Described, out: Float32Array, at: number): void => {
  const { phases } = anchors;
  const n = phases.y.length;
  if (phases.period === 1) return;
  const level = phases.windowMean(n, 20 * phases.period);
  for (let k = 0; k < PHASES; k++) {
    const h = 1 + Math.floor((k * phases.period) / PHASES);
    out[at + k] = squash((anchors.seasonal(n, h) - level) / unit);
  }
};

interface Moments {
  readonly zeros: number;
  readonly repeats: number;
  readonly size: number;
  readonly old: number;
  readonly recent: number;
  readonly fourth: number;
}

/** Statistics of values and steps; `recent` over the last quarter of the steps, `old` over the first. */
const momentsOf = (y: Float64Array, zero: number): Moments => {
  const n = y.length;
  const sums = { zeros: 0, repeats: 0, size: 0, old: 0, recent: 0, square: 1e-12, fourth: 0 };
  for (let t = 0; t < n; t++) {
    if (Math.abs(y[t]! - zero) < 1e-9) sums.zeros++;
    if (t === 0) continue;
    const step = Math.abs(y[t]! - y[t - 1]!);
    if (step < 1e-9) sums.repeats++;
    sums.size += step;
    if (4 * t < n) sums.old += step;
    if (4 * t >= 3 * n) sums.recent += step;
    sums.square += step * step;
    sums.fourth += step ** 4;
  }
  const steps = Math.max(1, n - 1);
  return {
    zeros: sums.zeros / n,
    repeats: sums.repeats / steps,
    size: sums.size / steps,
    old: (4 * sums.old) / steps,
    recent: (4 * sums.recent) / steps,
    fourth: (steps * sums.fourth) / sums.square ** 2,
  };
};

const ratio = (a: number, b: number): number =>
  Math.max(-5, Math.min(5, Math.log((a + 1e-6) / (b + 1e-6))));

const statistics = (described: Described): number[] => {
  const { anchors, rehearsal, unit, zero, isNonNegative, isWhole } = described;
  const { phases, seasons, level } = anchors;
  const n = phases.y.length;
  const told = Math.min(n, LONGEST_TRAINED);
  const moments = momentsOf(phases.y, zero);
  const e = anchors.deviations;
  let deviation = 0;
  for (let t = anchors.start; t < n; t++) deviation += Math.abs(e[t]!);
  deviation /= Math.max(1, n - anchors.start);
  const coefficients = anchors.autoregression.coefficients;
  return [
    Math.log(told) / 4 - 1,
    seasons.period > 1 ? 1 : 0,
    Math.log(seasons.period) / 3,
    seasons.long > 0 ? 1 : 0,
    Math.log(Math.max(1, seasons.long)) / 4,
    seasons.long > 0 ? ratio(told, seasons.long) : 0,
    ratio(told, seasons.period) / 2,
    moments.zeros,
    moments.repeats,
    isNonNegative ? 1 : 0,
    isWhole ? 1 : 0,
    ratio(moments.size, unit),
    ratio(moments.recent, moments.size),
    ratio(moments.old, moments.size),
    Math.log1p(Math.min(1e6, moments.fourth)) / 3,
    Math.log(level.gain),
    ratio(unit, 1),
    ratio(deviation, unit),
    squash((phases.windowMean(n, phases.period) - zero) / unit) / 3,
    ...Array.from({ length: 4 }, (_, i) => Math.max(-3, Math.min(3, coefficients[i] ?? 0))),
    ratio(Math.exp(rehearsal.mixture[0]!), unit),
    ratio(Math.exp(rehearsal.mixture[2]!), unit),
    ratio(Math.exp(rehearsal.mixture[4]!), unit),
    ratio(Math.exp(rehearsal.mixture[6]!), unit),
    Math.log1p(rehearsal.counts.reduce((sum, count) => sum + count, 0)) / 5,
  ];
};

/** [CONTEXT_FEATURES] */
export const contextFeatures = (described: Described): Float32Array => {
  const { anchors, rehearsal, unit } = described;
  const out = new Float32Array(CONTEXT_FEATURES);
  const e = anchors.deviations;
  const n = e.length;
  const level = anchors.level.level[n]!;
  for (let k = 0; k < RECENT; k++) {
    const t = n - 1 - k;
    out[k] = t >= anchors.start ? squash((e[t]! - level) / unit) : 0;
  }
  let at = RECENT;
  pooled(described, out, at);
  at += POOLED;
  cycleLevels(described, out, at);
  at += CYCLES;
  cycleShape(described, out, at);
  at += PHASES;
  const size = Math.exp(rehearsal.mixture[0]!);
  for (let k = 0; k < ERRORS; k++) out[at + k] = squash((rehearsal.latest[k] ?? 0) / size);
  at += ERRORS;
  const { period, long } = anchors.seasons;
  const mean = anchors.autoregression.mean;
  for (const lag of [...LAGS, Math.max(1, period >> 1), period, long || period]) {
    out[at++] = lag < n ? correlation(e, anchors.start, lag, mean) : 0;
  }
  out.set(statistics(described), at);
  return out;
};
