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

const gaps = (levels: Float32Array): Float32Array =>
  levels.map((_, i) => (levels[i + 1] ?? 1) - (levels[i - 1] ?? 0));

/** Divided by their sum. */
const normalized = (weights: Float32Array): Float32Array => {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / Math.fround(sum));
};

/**
 * Share of the distribution that each level stands for: half of the gap between its neighbours. They are
 * the neighbours in the list, as in the reference; where a list in disorder gives a share that is not
 * positive, which the reference refuses, the neighbours are those in order.
 */
export const levelMasses = (trained: readonly number[]): Float32Array => {
  const levels = Float32Array.from(trained);
  const listed = gaps(levels);
  const ascending = levels.toSorted();
  const ordered = gaps(ascending);
  const isSound = listed.every((width) => width > 0);
  return normalized(isSound ? listed : levels.map((level) => ordered[ascending.indexOf(level)]!));
};

/** The share of quantile q of path u, [paths * trained] */
export const pathMasses = (paths: readonly number[], trained: readonly number[]): Float32Array => {
  const [outer, inner] = [levelMasses(paths), levelMasses(trained)];
  return normalized(
    Float32Array.from(
      { length: outer.length * inner.length },
      (_, i) => outer[Math.floor(i / inner.length)]! * inner[i % inner.length]!,
    ),
  );
};

/** Ascending, NaN behind all. */
const byValue = (a: number, b: number): number => {
  if (a < b || (Number.isNaN(b) && !Number.isNaN(a))) return -1;
  return a > b || (Number.isNaN(a) && !Number.isNaN(b)) ? 1 : 0;
};

/**
 * Writes the quantiles of weighted values at `asked` into `out`. Weights, their running sums and the place
 * between two values are float32, as there: a quantile is read off a slope of one value's weight, which
 * magnifies their rounding by its reciprocal.
 */
export const weightedQuantiles = (
  values: Float32Array,
  weights: Float32Array,
  asked: readonly number[],
  out: Float32Array,
): void => {
  const order = Array.from(values, (_, i) => i).sort((a, b) => byValue(values[a]!, values[b]!));
  const cumulative = new Float32Array(order.length);
  let sum = 0;
  order.forEach((at, i) => {
    sum += weights[at]!;
    cumulative[i] = Math.min(sum, 1);
  });
  asked.forEach((level, i) => {
    const { below, above, weight } = blendAt(cumulative, Math.fround(level));
    const low = values[order[below]!]!;
    out[i] = low + Math.fround(weight) * Math.fround(values[order[above]!]! - low);
  });
};
