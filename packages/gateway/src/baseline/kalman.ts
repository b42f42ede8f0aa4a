import type { Diffusion } from './diffusion.ts';

/** Sample variance (n - 1, at least 1), not below the floor. */
const varianceOf = (values: readonly number[], floor: number): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.max(squares / Math.max(values.length - 1, 1), floor);
};

/**
 * The local level model: process variance from the differences, measurement variance from the levels, first
 * value as the start with covariance 1. h steps ahead the variance is P + (h - 1) q.
 */
export const kalman = (values: readonly number[], varianceFloor: number): Diffusion => {
  const differences = values.slice(1).map((value, i) => value - values[i]!);
  const process = differences.length > 0 ? varianceOf(differences, varianceFloor) : varianceFloor;
  const measurement = varianceOf(values, varianceFloor);
  let level = values[0]!;
  let covariance = 1;
  for (const value of values.slice(1)) {
    covariance += process;
    const gain = covariance / (covariance + measurement);
    level += gain * (value - level);
    covariance *= 1 - gain;
  }
  return {
    level,
    sigmaAt: (step) =>
      Math.sqrt(Math.max(covariance + Math.max(step - 1, 0) * process, varianceFloor)),
  };
};
