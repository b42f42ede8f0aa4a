/** Student's t distribution: draws and densities. */
import type { RandomSource } from '../random/random-source.ts';
import { drawGamma } from './gamma.ts';
import { logGamma } from './special-functions.ts';

/** A draw with location 0 and scale 1, for 2 or more degrees of freedom; NaN for none that are finite. */
export const drawStudentT = (df: number, source: RandomSource): number => {
  // No draw would ever be accepted.
  if (!Number.isFinite(df)) return Number.NaN;
  const z = source.normal();
  return z / Math.sqrt(drawGamma(df / 2, source) / (df / 2));
};

export interface StudentT {
  readonly df: number;
  readonly loc: number;
  readonly scale: number;
}

/** The logarithm of the density at x. */
export const studentTLogDensity = (x: number, { df, loc, scale }: StudentT): number => {
  const z = (x - loc) / scale;
  const norm = logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * Math.log(df * Math.PI);
  return norm - Math.log(scale) - ((df + 1) / 2) * Math.log1p((z * z) / df);
};
