/** Counters, gauges and histograms of a run by their dotted names. A metric without a value is absent. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
}

export interface HistogramSample extends Sample {
  readonly count: number;
  readonly sum: number;
  /** The latest values, at most `KEPT`. */
  readonly values: readonly number[];
  /** Values at or below each bound of `BOUNDS_MS`. */
  readonly buckets: readonly number[];
}

/** Upper bounds of the buckets, in milliseconds. */
export const BOUNDS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 45, 60, 100, 250, 350, 500, 800, 1000, 2500, 5000, 12_000,
];
const KEPT = 4096;

interface Histogram {
  count: number;
  sum: number;
  readonly values: number[];
  readonly buckets: number[];
}

const keyOf = (name: string, labels: Labels): string => `${name} ${JSON.stringify(labels)}`;

export class MetricRegistry {
  readonly #samples = new Map<string, Sample>();
  readonly #counters = new Map<string, number>();
  readonly #gauges = new Map<string, number>();
  readonly #histograms = new Map<string, Histogram>();

  count(name: string, by = 1, labels: Labels = {}): void {
    const key = this.#keep(name, labels);
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + by);
  }

  /** A value that is not finite takes the metric away: what is not known is absent. */
  set(name: string, value: number, labels: Labels = {}): void {
    const key = this.#keep(name, labels);
    if (Number.isFinite(value)) this.#gauges.set(key, value);
    else this.#gauges.delete(key);
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    const key = this.#keep(name, labels);
    const known = this.#histograms.get(key) ?? {
      count: 0,
      sum: 0,
      values: [],
      buckets: BOUNDS_MS.map(() => 0),
    };
    known.count++;
    known.sum += value;
    if (known.values.length === KEPT) known.values.shift();
    known.values.push(value);
    BOUNDS_MS.forEach((bound, i) => {
      if (value <= bound) known.buckets[i]!++;
    });
    this.#histograms.set(key, known);
  }

  counters(): readonly (Sample & { readonly value: number })[] {
    return this.#list(this.#counters, (value) => ({ value }));
  }

  gauges(): readonly (Sample & { readonly value: number })[] {
    return this.#list(this.#gauges, (value) => ({ value }));
  }

  histograms(): readonly HistogramSample[] {
    return this.#list(this.#histograms, (histogram) => ({ ...histogram }));
  }

  /** A counter's or gauge's value without labels; undefined when it has none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const key = keyOf(name, labels);
    return this.#counters.get(key) ?? this.#gauges.get(key);
  }

  #keep(name: string, labels: Labels): string {
    const key = keyOf(name, labels);
    if (!this.#samples.has(key)) this.#samples.set(key, { name, labels });
    return key;
  }

  #list<V, T>(values: ReadonlyMap<string, V>, of: (value: V) => T): (Sample & T)[] {
    return [...values].map(([key, value]) => ({ ...this.#samples.get(key)!, ...of(value) }));
  }
}
