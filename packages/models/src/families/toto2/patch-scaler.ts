/** Toto 2.0's scaler (model.py, PatchedCausalStdScaler and backfill_short_patches), on plain arrays. */
import { causalMoments } from '../../nn/causal-moments.ts';

/** What standardises each patch of one variate, float32. */
export interface PatchStatistics {
  readonly loc: Float32Array;
  readonly scale: Float32Array;
}

const MINIMUM_SCALE = 1e-6;

/** Mean and deviation of the first `count` observed values. */
const firstStatistics = (
  values: ArrayLike<number>,
  observed: ArrayLike<number>,
  count: number,
): { loc: number; scale: number } => {
  const first: number[] = [];
  for (let i = 0; i < values.length && first.length < count; i++) {
    if (observed[i]) first.push(values[i]!);
  }
  const loc = first.reduce((a, b) => a + b, 0) / Math.max(first.length, 1);
  const squares = first.reduce((sum, value) => sum + (value - loc) ** 2, 0);
  const scale = Math.sqrt(squares / Math.max(first.length - 1, 1));
  return { loc, scale: Math.max(scale, MINIMUM_SCALE) };
};

/**
 * Location and scale of each patch of one variate: mean and deviation of all that was observed up to its
 * end. Patches before `fallbackCount` observed values take the statistics of those first values instead.
 *
 * @param values a whole number of patches
 * @param fallbackCount 0 for no such exception
 */
export const patchStatistics = (
  values: ArrayLike<number>,
  observed: ArrayLike<number>,
  patchSize: number,
  fallbackCount = 0,
): PatchStatistics => {
  const { mean, variance, count } = causalMoments(values, observed, patchSize);
  const loc = Float32Array.from(mean);
  const scale = Float32Array.from(variance, (v) => Math.max(Math.sqrt(v), MINIMUM_SCALE));
  if (fallbackCount > 0) {
    const first = firstStatistics(values, observed, fallbackCount);
    const short = count.findIndex((seen) => seen >= fallbackCount);
    const end = short < 0 ? count.length : short;
    loc.fill(first.loc, 0, end);
    scale.fill(first.scale, 0, end);
  }
  return { loc, scale };
};
