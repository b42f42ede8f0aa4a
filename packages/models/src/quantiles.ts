/**
 * Quantiles at levels that a model was not trained for.
 *
 * If every asked level is a trained one, its row is taken as it is: crossing quantiles stay crossed.
 * Otherwise all asked levels come from the sorted values with both ends doubled, by linear interpolation at
 * rank level * (Q + 1), which assumes the trained levels i / (Q + 1) as the reference does whatever they are
 * (chronos_bolt.py, `predict_quantiles`). Beyond the outermost level the fan stays flat.
 *
 * @param rows  Q arrays of horizon values, in the order of `trained`
 * @returns one array of horizon values for each asked level
 */
export const interpolatedQuantiles = (
  rows: readonly Float32Array[],
  trained: readonly number[],
  asked: readonly number[],
): Float32Array[] => {
  const places = asked.map((level) => trained.findIndex((known) => Math.abs(known - level) < 1e-9));
  if (places.every((place) => place >= 0))
    return places.map((place) => Float32Array.from(rows[place]!));
  const horizon = rows[0]?.length ?? 0;
  const out = asked.map(() => new Float32Array(horizon));
  const values = new Float32Array(trained.length + 2);
  for (let h = 0; h < horizon; h++) {
    rows.forEach((row, i) => {
      values[i + 1] = row[h]!;
    });
    values[0] = rows[0]![h]!;
    values[trained.length + 1] = rows[trained.length - 1]![h]!;
    values.sort();
    asked.forEach((level, i) => {
      const rank = level * (trained.length + 1);
      const below = Math.floor(rank);
      const above = Math.min(below + 1, trained.length + 1);
      out[i]![h] = values[below]! + (rank - below) * (values[above]! - values[below]!);
    });
  }
  return out;
};

/** The quantile of ascending values at rank level * (n - 1), interpolated linearly (torch.quantile). */
export const linearQuantile = (ascending: ArrayLike<number>, level: number): number => {
  const rank = level * (ascending.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below]! + (rank - below) * (ascending[above]! - ascending[below]!);
};

/** Keeps divisions and logarithms of neighbouring levels finite (GluonTS' own constant). */
const TOLERANCE = 1e-8;
const TAILS = [0.1, 0.9] as const;

/** How to reach a level from two rows: weight_a * row a + weight_b * row b. */
type Blend = readonly (readonly [row: number, weight: number])[];

/** base + slope * log(ratio), where slope spreads two rows over the logarithm of their own ratio. */
const tailBlend = (near: number, far: number, ratio: number, ownRatio: number): Blend => {
  const share = Math.log(ratio + TOLERANCE) / Math.log(ownRatio + TOLERANCE);
  return [
    [near, 1 - share],
    [far, share],
  ];
};

const blendAt = (levels: readonly number[], level: number): Blend => {
  const last = levels.length - 1;
  const same = levels.findIndex((known) => Math.abs(known - level) < 1e-9);
  if (same >= 0 || last === 0) return [[Math.max(same, 0), 1]];
  const above = (q: number): number => 1 - q + TOLERANCE;
  const below = (q: number): number => q + TOLERANCE;
  const [low, second] = [levels[0]!, levels[1]!];
  const [high, next] = [levels[last]!, levels[last - 1]!];
  if (level <= Math.max(low, Math.min(second, TAILS[0]))) {
    return tailBlend(1, 0, below(level) / below(second), below(low) / below(second));
  }
  if (level >= Math.min(high, Math.max(next, TAILS[1]))) {
    return tailBlend(last - 1, last, above(next) / above(level), above(next) / above(high));
  }
  const right = levels.findIndex((known) => known > level);
  const width = levels[right]! - levels[right - 1]! + TOLERANCE;
  return [
    [right - 1, (levels[right]! - level) / width],
    [right, (level - levels[right - 1]!) / width],
  ];
};

/**
 * Quantiles as GluonTS' QuantileForecast gives them: trained levels as they are, levels between by linear
 * interpolation, levels beyond on exponential tails through the two outermost ones.
 *
 * @param rows    one array of horizon values for each trained level
 * @param trained ascending levels
 */
export const quantilesWithTails = (
  rows: readonly ArrayLike<number>[],
  trained: readonly number[],
  asked: readonly number[],
): Float32Array[] =>
  asked.map((level) => {
    const blend = blendAt(trained, level);
    return Float32Array.from({ length: rows[0]?.length ?? 0 }, (_, h) =>
      blend.reduce((sum, [row, weight]) => sum + weight * rows[row]![h]!, 0),
    );
  });
