/** Toto 1.0's scaler (toto, model/scaler.py, CausalPatchStdMeanScaler), on plain arrays. */
import { type Moments, NO_MOMENTS, observe, varianceOf } from '../../nn/causal-moments.ts';
import type { Config } from './config.ts';

/** Added to variances; the least scale as well, which its root never meets. */
const MINIMUM = 0.1;

/** What standardises one patch, in float32's precision. */
export interface PatchScale {
  readonly loc: number;
  readonly scale: number;
}

/** Where the scales of a row may lie. */
export interface ScaleBounds {
  readonly low: number;
  readonly high: number;
}

/** Powers of ten around the deviation of the whole context; a roll-out keeps them. */
export const scaleBounds = (
  context: Float32Array,
  observed: Uint8Array,
  c: Config,
): ScaleBounds | undefined => {
  if (!c.stabilize_with_global) return undefined;
  const { count, mean } = observe(NO_MOMENTS, context, observed);
  let squares = 0;
  for (let i = 0; i < context.length; i++) if (observed[i]) squares += (context[i]! - mean) ** 2;
  const scale = Math.sqrt(squares / Math.max(count, 1) + MINIMUM);
  const reach = 10 ** c.scale_factor_exponent;
  return { low: Math.max(MINIMUM, scale / reach), high: scale * reach };
};

/** Location and scale of a patch from the moments of all that was observed up to its end. */
export const patchScale = (moments: Moments, bounds: ScaleBounds | undefined): PatchScale => {
  const scale = Math.sqrt(varianceOf(moments) + MINIMUM);
  const bounded = bounds ? Math.min(Math.max(scale, bounds.low), bounds.high) : scale;
  return { loc: Math.fround(moments.mean), scale: Math.fround(bounded) };
};

/** (x - loc) / scale, for values that are missing too: their zeros are scaled as any other. */
export const standardized = (values: Float32Array, { loc, scale }: PatchScale): Float32Array =>
  values.map((value) => Math.fround(value - loc) / scale);
