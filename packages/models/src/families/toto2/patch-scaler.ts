/** Toto 2.0's scaler (model.py, PatchedCausalStdScaler and backfill_short_patches), on plain arrays. */
import { NO_MOMENTS, observe, varianceOf } from '../../nn/causal-moments.ts';

/** What standardises each patch of one variate, float32. */
export interface PatchStatistics {
  readonly loc: Float32Array;
  readonly scale: Float32Array;
}

const MINIMUM_SCALE = 1e-6;

/** Mean and deviation of the first `count` observed values. */
const firstStatistics = (
  values: Float32Array,
  observed: Uint8Array,
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
  values: Float32Array,
  observed: Uint8Array,
  patchSize: number,
  fallbackCount = 0,
): PatchStatistics => {
  const patches = values.length / patchSize;
  const loc = new Float32Array(patches);
  const scale = new Float32Array(patches);
  let moments = NO_MOMENTS;
  let short = 0;
  for (let patch = 0; patch < patches; patch++) {
    const [from, to] = [patch * patchSize, (patch + 1) * patchSize];
    moments = observe(moments, values.subarray(from, to), observed.subarray(from, to));
    if (moments.count < fallbackCount) short++;
    loc[patch] = moments.mean;
    scale[patch] = Math.max(Math.sqrt(varianceOf(moments)), MINIMUM_SCALE);
  }
  if (short > 0) {
    const first = firstStatistics(values, observed, fallbackCount);
    loc.fill(first.loc, 0, short);
    scale.fill(first.scale, 0, short);
  }
  return { loc, scale };
};
