/** Means of a series along the phases of its season and over windows, each in constant time and from the past only. */

export class Phases {
  readonly y: Float64Array;
  /** Season length, 1 without one. */
  readonly period: number;
  readonly #along: Float64Array;
  readonly #prefix: Float64Array;

  constructor(y: Float64Array, period: number) {
    const n = y.length;
    const along = y.slice();
    for (let i = period; i < n; i++) along[i]! += along[i - period]!;
    const prefix = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) prefix[i + 1] = prefix[i]! + y[i]!;
    this.y = y;
    this.period = period;
    this.#along = along;
    this.#prefix = prefix;
  }

  /** Mean at i, i - period, ... over `cycles` of them, or as many as there are. */
  phaseMean(i: number, cycles: number): number {
    const before = i - cycles * this.period;
    if (before >= 0) return (this.#along[i]! - this.#along[before]!) / cycles;
    return this.#along[i]! / (Math.floor(i / this.period) + 1);
  }

  /** Mean of the last `window` points before `end`, or of as many as there are. */
  windowMean(end: number, window: number): number {
    const from = end > window ? end - window : 0;
    return end > from ? (this.#prefix[end]! - this.#prefix[from]!) / (end - from) : 0;
  }

  /** The latest point before `end` at the phase of step h (from 1); 0 where the history is shorter than a season. */
  latestSame(end: number, h: number): number {
    return Math.max(0, end + h - 1 - this.period * Math.ceil(h / this.period));
  }
}
