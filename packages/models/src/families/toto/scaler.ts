/** Toto 1.0's scalers (toto, model/scaler.py), on plain arrays. Published models have CausalPatchStdMeanScaler. */
import { type Moments, NO_MOMENTS, observe, varianceOf } from '../../nn/causal-moments.ts';
import { CAUSAL_SCALER, type Config, WHOLE_SCALER } from './config.ts';

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

/** Added to the variance of a whole context (StdMeanScaler). */
const WHOLE_MINIMUM = 1e-3;

/** Mean and deviation of all that is observed, over its count. */
const wholeScale = (context: Float32Array, observed: Uint8Array): PatchScale => {
  const { count, sum } = observe(NO_MOMENTS, context, observed);
  const mean = sum / Math.max(count, 1);
  let squares = 0;
  for (let i = 0; i < context.length; i++) if (observed[i]) squares += (context[i]! - mean) ** 2;
  const scale = Math.sqrt(squares / Math.max(count, 1) + WHOLE_MINIMUM);
  return { loc: Math.fround(mean), scale: Math.fround(scale) };
};

/** What standardises the steps of a patch: one for all of them, or one for each. */
export type PatchScales = readonly PatchScale[];

export const scaleAt = (scales: PatchScales, step: number): PatchScale =>
  scales[step] ?? scales[0]!;

/** Takes in a patch: the moments after it, and what standardises it and the forecast of the next. */
export type ObservePatch = (
  moments: Moments,
  values: Float32Array,
  observed?: Uint8Array,
) => { readonly moments: Moments; readonly scales: PatchScales };

const stepScales: ObservePatch = (moments, values, observed) => {
  let after = moments;
  const scales = Array.from(values, (_, i) => {
    after = observe(after, values.subarray(i, i + 1), observed?.subarray(i, i + 1));
    return patchScale(after, undefined);
  });
  return { moments: after, scales };
};

/** How the patches of a row are scaled: by what was observed up to their ends, up to each step, or by the whole context. */
export const patchObserver = (
  context: Float32Array,
  observed: Uint8Array,
  c: Config,
): ObservePatch => {
  if (c.scaler_cls === CAUSAL_SCALER) return stepScales;
  if (c.scaler_cls === WHOLE_SCALER) {
    const scales = [wholeScale(context, observed)];
    return (moments) => ({ moments, scales });
  }
  const bounds = scaleBounds(context, observed, c);
  return (moments, values, known) => {
    const after = observe(moments, values, known);
    return { moments: after, scales: [patchScale(after, bounds)] };
  };
};

/** (x - loc) / scale, for values that are missing too: their zeros are scaled as any other. */
export const standardized = (values: Float32Array, scales: PatchScales): Float32Array =>
  values.map((value, i) => {
    const { loc, scale } = scaleAt(scales, i);
    return Math.fround(value - loc) / scale;
  });
