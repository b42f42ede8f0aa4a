import type { Diffusion } from './diffusion.ts';

const DEFAULT_ALPHA = 0.2;

/**
 * Exponentially weighted level and variance of the one-step errors:
 * e = x - level; level += alpha e; var = alpha e^2 + (1 - alpha) var.
 */
export const ewma = (
  values: readonly number[],
  varianceFloor: number,
  alpha = DEFAULT_ALPHA,
): Diffusion => {
  let level = values[0]!;
  let variance = 0;
  for (const value of values) {
    const error = value - level;
    level = alpha * value + (1 - alpha) * level;
    variance = alpha * error * error + (1 - alpha) * variance;
  }
  const sigma = Math.sqrt(Math.max(variance, varianceFloor));
  return { level, sigmaAt: (step) => sigma * Math.sqrt(Math.max(step, 1)) };
};
