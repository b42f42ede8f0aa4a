/**
 * A series as a regression reads it: means along the phases of its season, over windows, and of how far points
 * were from the earlier means of their phase - each in constant time from running sums, and each from points
 * before a given end only, so that any end serves as a forecast origin.
 */

/** Latest cycles whose mean is the base of a forecast; without a season, latest points. */
const CYCLES = 4;
const POINTS = 8;
/** The same for the long run. */
const LONG_CYCLES = 20;
const LONG_POINTS = 200;
/** Phases up to a season over this away are neighbours: years of 52 weeks wander, and so do days. */
const NEIGHBOURS = 13;
/** Long seasons whose analogues are averaged. */
const ANALOGUES = 3;
/** Numbers that `sizes` writes. */
export const SIZES = 3;

/** sums[i] = y[i] + sums[i - period] */
const phaseSums = (y: Float64Array, period: number): Float64Array => {
  const sums = y.slice();
  for (let i = period; i < y.length; i++) sums[i]! += sums[i - period]!;
  return sums;
};

/** sums[i] = y[0] + ... + y[i - 1] */
const prefixSums = (y: Float64Array): Float64Array => {
  const sums = new Float64Array(y.length + 1);
  for (let i = 0; i < y.length; i++) sums[i + 1] = sums[i]! + y[i]!;
  return sums;
};

/** Lengths of the windows whose means are features, short to long. */
const windowsFor = (period: number, length: number): number[] => {
  const wanted =
    period === 1
      ? [1, 3, 20, 60]
      : [
          1,
          Math.max(2, Math.round(period / 12)),
          Math.max(3, Math.round(period / 3)),
          period,
          4 * period,
        ];
  return wanted.filter((window, i) => i === 0 || window <= length / 4);
};

export class Past {
  readonly y: Float64Array;
  /** The season, 1 without one. */
  readonly period: number;
  /** A longer season beside it, 0 without one. */
  readonly long: number;
  readonly windows: readonly number[];
  /** Number of features. */
  readonly width: number;
  /** The first end that has enough before it to forecast from. */
  readonly start: number;
  readonly #cycles: number;
  readonly #longCycles: number;
  readonly #isNested: boolean;
  readonly #around: number;
  readonly #values: Float64Array;
  readonly #phases: Float64Array;
  readonly #deviations: Float64Array;
  readonly #sizes: Float64Array;
  readonly #sizePhases: Float64Array;

  constructor(y: Float64Array, period: number, long: number) {
    const n = y.length;
    this.y = y;
    this.period = period;
    this.long = long;
    const third = Math.floor(n / period / 3);
    const half = Math.floor(n / period / 2);
    this.#cycles = Math.max(1, Math.min(period === 1 ? POINTS : CYCLES, third));
    this.#longCycles = Math.max(
      this.#cycles,
      Math.min(period === 1 ? LONG_POINTS : LONG_CYCLES, half),
    );
    this.#isNested = long % period === 0;
    this.windows = windowsFor(period, n);
    this.#around = Math.floor(period / NEIGHBOURS);
    this.width = this.windows.length + 4 + (this.#around > 0 ? 1 : 0) + (long > 0 ? 2 : 0);
    this.start = Math.min(n - 1, Math.max(period * (this.#cycles + 1), long > 0 ? long + 1 : 0, 1));
    this.#phases = phaseSums(y, period);
    const deviations = new Float64Array(n);
    for (let i = period; i < n; i++) {
      deviations[i] = y[i]! - this.#phaseMean(i - period, this.#cycles, this.#phases);
    }
    const sizes = deviations.map(Math.abs);
    this.#values = prefixSums(y);
    this.#deviations = prefixSums(deviations);
    this.#sizes = prefixSums(sizes);
    this.#sizePhases = phaseSums(sizes, period);
  }

  /** Index of the feature that is 1 throughout: the drift from the base. */
  get driftFeature(): number {
    return this.windows.length + (this.#around > 0 ? 4 : 3);
  }

  /** Index of the deviation over the last whole season; -1 where there is none. */
  get seasonFeature(): number {
    return this.period > 1 ? this.windows.indexOf(this.period) : -1;
  }

  /** Mean at i, i - period, ... over `cycles`, or as many as there are. */
  #phaseMean(i: number, cycles: number, sums: Float64Array): number {
    const before = i - cycles * this.period;
    if (before >= 0) return (sums[i]! - sums[before]!) / cycles;
    return sums[i]! / (Math.floor(i / this.period) + 1);
  }

  /** Mean over the long run of the phases around that of i, which lies before `end`. */
  #smoothMean(end: number, i: number): number {
    let sum = 0;
    let count = 0;
    const apart = Math.ceil(this.#around / 3);
    for (let j = i - this.#around; j <= i + this.#around; j += apart) {
      const known = j < end ? j : j - this.period;
      if (known < 0) continue;
      sum += this.#phaseMean(known, this.#longCycles, this.#phases);
      count++;
    }
    return sum / count;
  }

  /** Mean of the last `window` points before `end`. */
  #windowMean(sums: Float64Array, end: number, window: number): number {
    const from = end > window ? end - window : 0;
    return (sums[end]! - sums[from]!) / (end - from);
  }

  /** The latest point before `end` at the phase of the target, step h (from 1). */
  #latestSame(end: number, h: number, period: number): number {
    return Math.max(0, end + h - 1 - period * Math.ceil(h / period));
  }

  /** What the latest cycles had at the target's phase, on the mean. */
  base(end: number, h: number): number {
    return this.#phaseMean(this.#latestSame(end, h, this.period), this.#cycles, this.#phases);
  }

  /** Writes the [width] features of the target h steps after `end` points, less its base, to row[at], row[at + step], ... */
  features(end: number, h: number, base: number, row: Float64Array, at = 0, step = 1): void {
    const { period, windows } = this;
    const sums = period === 1 ? this.#values : this.#deviations;
    const offset = period === 1 ? base : 0;
    for (let k = 0; k < windows.length; k++) {
      row[at] = this.#windowMean(sums, end, windows[k]!) - offset;
      at += step;
    }
    const same = this.#latestSame(end, h, period);
    row[at] = this.y[same]! - base;
    at += step;
    row[at] = this.#phaseMean(same, this.#longCycles, this.#phases) - base;
    at += step;
    if (this.#around > 0) {
      row[at] = this.#smoothMean(end, same) - base;
      at += step;
    }
    row[at] = this.#windowMean(this.#values, end, period * this.#longCycles) - base;
    at += step;
    row[at] = 1;
    at += step;
    if (this.long === 0) return;
    row[at] = this.#isNested
      ? this.y[this.#latestSame(end, h, this.long)]! - base
      : this.#analogue(end, h, Math.max(1, Math.round(this.long / 100)));
    row[at + step] = this.#analogue(end, h, 0);
  }

  /** How far bases were off, whole long seasons ago, at the same step and up to `around` points beside it. */
  #analogue(end: number, h: number, around: number): number {
    const back = this.long * Math.ceil(h / this.long);
    let sum = 0;
    let count = 0;
    for (let cycle = 0; cycle < ANALOGUES; cycle++) {
      const then = end - back - cycle * this.long;
      if (then - around < 2 * this.period) break;
      for (let j = -around; j <= around; j++) {
        const target = then + j + h - 1;
        if (target >= end) continue;
        sum += this.y[target]! - this.base(then + j, h);
        count++;
      }
    }
    return count > 0 ? sum / count : 0;
  }

  /**
   * Writes what the size of an error may depend on: a constant, usual deviations at the phase, recent ones, to
   * row[at], row[at + step], ...
   */
  sizes(end: number, h: number, row: Float64Array, at = 0, step = 1): void {
    const same = this.#latestSame(end, h, this.period);
    row[at] = 1;
    row[at + step] = this.#phaseMean(same, this.#longCycles, this.#sizePhases);
    row[at + 2 * step] = this.#windowMean(this.#sizes, end, Math.max(8, this.period));
  }
}
