/** Draws from the gamma distribution and the two that are made of it. */
import type { RandomSource } from '../random/random-source.ts';

/**
 * A draw from the gamma distribution of unit scale and of a shape above 0 (Marsaglia and Tsang 2000, "A simple method
 * for generating gamma variables"); 0 of the shape 0, NaN of one that is not finite.
 */
export const drawGamma = (shape: number, source: RandomSource): number => {
  // No draw would ever be accepted.
  if (!Number.isFinite(shape)) return Number.NaN;
  const { uniform, normal } = source;
  if (shape < 1) return drawGamma(shape + 1, source) * uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
};
