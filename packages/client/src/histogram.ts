/** Histograms of Prometheus: cumulative counts below upper bounds. */
import type { Sample } from './exposition.ts';

export interface Histogram {
  /** Upper bounds, ascending; the last one is infinite. */
  readonly bounds: readonly number[];
  /** Observations at or below each bound. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** The histogram over all label sets that `accept` lets through. */
export const histogramOf = (
  samples: readonly Sample[],
  name: string,
  accept: (labels: Sample['labels']) => boolean = () => true,
): Histogram => {
  const buckets = new Map<number, number>();
  let [sum, count] = [0, 0];
  for (const sample of samples) {
    if (!accept(sample.labels)) continue;
    if (sample.name === `${name}_sum`) sum += sample.value;
    if (sample.name === `${name}_count`) count += sample.value;
    if (sample.name !== `${name}_bucket`) continue;
    const { le = '' } = sample.labels;
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  const bounds = [...buckets.keys()].toSorted((a, b) => a - b);
  return { bounds, counts: bounds.map((bound) => buckets.get(bound)!), sum, count };
};

/** What was observed after `before`; all of it when the daemon began anew in between. */
export const since = (now: Histogram, before: Histogram): Histogram =>
  now.count < before.count || before.bounds.length !== now.bounds.length
    ? now
    : {
        bounds: now.bounds,
        counts: now.counts.map((count, i) => count - before.counts[i]!),
        sum: now.sum - before.sum,
        count: now.count - before.count,
      };

/**
 * The quantile, interpolated within its bucket as `histogram_quantile` of Prometheus does; undefined
 * without observations. Above the last finite bound, that bound.
 */
export const quantileOf = ({ bounds, counts }: Histogram, level: number): number | undefined => {
  const total = counts.at(-1) ?? 0;
  if (total === 0) return undefined;
  const rank = level * total;
  const bucket = counts.findIndex((count) => count >= rank);
  const upper = bounds[bucket]!;
  if (!Number.isFinite(upper)) return bounds.at(-2);
  const lower = bucket === 0 ? 0 : bounds[bucket - 1]!;
  const before = bucket === 0 ? 0 : counts[bucket - 1]!;
  const within = counts[bucket]! - before;
  return within === 0 ? upper : lower + ((upper - lower) * (rank - before)) / within;
};
