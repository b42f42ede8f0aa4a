/** Quantiles between the trained levels, and of weighted values (chronos/utils.py). */

/** A value as (1 - weight) of the one below and weight of the one above. */
interface Blend {
  readonly below: number;
  readonly above: number;
  readonly weight: number;
}

/**
 * Where `asked` lies between ascending levels: the fan is flat outside of them. Equal levels are a step,
 * whose upper value counts.
 */
const blendAt = (levels: ArrayLike<number>, asked: number): Blend => {
  const last = levels.length - 1;
  let above = 0;
  while (above <= last && levels[above]! <= asked) above++;
  if (above === 0) return { below: 0, above: 0, weight: 0 };
  if (above > last) return { below: last, above: last, weight: 0 };
  const below = above - 1;
  const weight = (asked - levels[below]!) / (levels[above]! - levels[below]!);
  return { below, above, weight };
};

/** Rows of values at the trained levels -> rows at the asked ones; values are not sorted. */
export const interpolateLevels = (
  rows: readonly Float32Array[],
  trained: readonly number[],
  asked: readonly number[],
): Float32Array[] => {
  const places = asked.map((level) => trained.findIndex((known) => Math.abs(known - level) < 1e-9));
  if (places.every((place) => place >= 0)) return places.map((place) => rows[place]!);
  const order = trained.map((_, i) => i).sort((a, b) => trained[a]! - trained[b]!);
  const sorted = order.map((i) => trained[i]!);
  return asked.map((level) => {
    const { below, above, weight } = blendAt(sorted, level);
    const [low, high] = [rows[order[below]!]!, rows[order[above]!]!];
    return low.map((value, step) => value + weight * (high[step]! - value));
  });
};

/** Share of the distribution that each level stands for: half of the gap between its neighbours. */
export const levelMasses = (levels: readonly number[]): number[] => {
  const widths = levels.map((_, i) => (levels[i + 1] ?? 1) - (levels[i - 1] ?? 0));
  const total = widths.reduce((sum, width) => sum + width, 0);
  return widths.map((width) => width / total);
};

/** Writes the quantiles of weighted values at `asked` into `out`. */
export const weightedQuantiles = (
  values: Float32Array,
  weights: readonly number[],
  asked: readonly number[],
  out: Float32Array,
): void => {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const cumulative = new Float64Array(order.length);
  let sum = 0;
  order.forEach((at, i) => {
    sum += weights[at]!;
    cumulative[i] = Math.min(sum, 1);
  });
  asked.forEach((level, i) => {
    const { below, above, weight } = blendAt(cumulative, level);
    const low = values[order[below]!]!;
    out[i] = low + weight * (values[order[above]!]! - low);
  });
};
