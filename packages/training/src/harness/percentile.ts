/** Distribution of what was measured. An empty list has no percentile: null, never 0. */

/** Linear interpolation at rank p (n - 1), p in 0 to 1. */
export const percentile = (values: readonly number[], p: number): number | null => {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const low = sorted[Math.floor(rank)]!;
  const high = sorted[Math.ceil(rank)]!;
  return low + (high - low) * (rank - Math.floor(rank));
};

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

export interface Histogram {
  readonly unit: string;
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
}

export const histogram = (values: readonly number[], unit = 'ms'): Histogram => ({
  unit,
  count: values.length,
  p50: percentile(values, 0.5),
  p90: percentile(values, 0.9),
  p95: percentile(values, 0.95),
  p99: percentile(values, 0.99),
  min: percentile(values, 0),
  max: percentile(values, 1),
  mean: mean(values),
});
