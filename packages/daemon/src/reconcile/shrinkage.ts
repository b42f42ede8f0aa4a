/**
 * The covariance of forecast errors, shrunk towards its diagonal (Schaefer & Strimmer 2005, as MinT by
 * Wickramasuriya, Athanasopoulos & Hyndman 2019 uses it).
 */
import { mean } from '../analysis/observed.ts';
import type { Matrix } from './cholesky.ts';

export interface Shrunk {
  readonly covariance: Matrix;
  /** 0: the sample's own covariance, 1: its diagonal. */
  readonly intensity: number;
}

/** errors [series][observations], at least two observations */
export const shrunkCovariance = (errors: readonly ArrayLike<number>[]): Shrunk => {
  const n = errors.length;
  const count = errors[0]!.length;
  const centered = errors.map((row) => {
    const center = mean(row);
    return Float64Array.from(row, (value) => value - center);
  });
  const variances = centered.map((row) => row.reduce((sum, x) => sum + x * x, 0) / (count - 1));
  const largest = Math.max(...variances);
  // A series that was always met exactly must not have all the say.
  const floor = largest > 0 ? 1e-6 * largest : 1;
  const deviations = variances.map((variance) => Math.sqrt(Math.max(variance, floor)));
  const scaled = centered.map((row, i) => row.map((x) => x / deviations[i]!));
  const covariance = Array.from({ length: n }, () => new Float64Array(n));
  let uncertain = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let t = 0; t < count; t++) sum += scaled[i]![t]! * scaled[j]![t]!;
      const average = sum / count;
      let spread = 0;
      for (let t = 0; t < count; t++) {
        spread += (scaled[i]![t]! * scaled[j]![t]! - average) ** 2;
      }
      uncertain += (count / (count - 1) ** 3) * spread;
      const correlation = sum / (count - 1);
      squares += correlation * correlation;
      covariance[i]![j] = correlation;
    }
  }
  const intensity = squares > 0 ? Math.min(1, Math.max(0, uncertain / squares)) : 1;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = (1 - intensity) * covariance[i]![j]! * deviations[i]! * deviations[j]!;
      covariance[i]![j] = value;
      covariance[j]![i] = value;
    }
    covariance[i]![i] = deviations[i]! ** 2;
  }
  return { covariance, intensity };
};
