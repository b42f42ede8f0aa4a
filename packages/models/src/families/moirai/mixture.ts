/** A mixture of distributions at one point of the horizon. */
import type { Distribution } from './components.ts';

export interface Part {
  readonly weight: number;
  readonly isDiscrete: boolean;
  readonly distribution: Distribution;
}

/** The mean of the mixture. */
export const mixtureMean = (parts: readonly Part[]): number =>
  parts.reduce((sum, { weight, distribution }) => sum + weight * distribution.mean, 0);

/** ln of the density at z; parts whose support does not reach z drop out. */
export const mixtureLogDensity = (parts: readonly Part[], z: number): number => {
  const logs = parts.map(
    ({ weight, distribution }) => Math.log(weight) + distribution.logDensity(z),
  );
  const largest = Math.max(...logs);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
};

const cdfOf = (parts: readonly Part[], z: number): number =>
  parts.reduce((sum, { weight, distribution }) => sum + weight * distribution.cdf(z), 0);

/** Relative width at which a bracket counts as a number. */
const PRECISION = 1e-10;
const MAX_STEPS = 200;
const FURTHEST = 1e300;

/** Bits of a quantile after the first. */
const BITS = 33;
const MOST_GRID_STEPS = 100;

/** Distance of neighbouring quantiles just above |z|, a power of two. */
const spacingAt = (size: number): number => 2 ** (Math.floor(Math.log2(Math.max(1, size))) - BITS);

const neighbour = (z: number, direction: 1 | -1): number => {
  const isOutward = z * direction >= 0;
  // Inward from a power of two, the grid is finer.
  const spacing = spacingAt(isOutward ? Math.abs(z) : Math.abs(z) * (1 - Number.EPSILON));
  return z + direction * spacing;
};

/**
 * The first point of a grid at which the function reaches the level, from a point nearby. The grid is the same for all
 * levels, so that a higher level never has a lower quantile, whatever way the search came.
 */
const firstOnGrid = (
  parts: readonly Part[],
  level: number,
  { near, low, high }: { readonly near: number; readonly low: number; readonly high: number },
): number => {
  const spacing = spacingAt(Math.abs(near));
  let z = Math.min(high, Math.max(low, Math.round(near / spacing) * spacing));
  let left = MOST_GRID_STEPS;
  while (z < high && left-- > 0 && cdfOf(parts, z) < level) z = Math.min(high, neighbour(z, 1));
  while (z > low && left-- > 0) {
    const below = Math.max(low, neighbour(z, -1));
    if (cdfOf(parts, below) < level) break;
    z = below;
  }
  return z;
};

const solve = (parts: readonly Part[], level: number, low: number, high: number): number =>
  firstOnGrid(parts, level, { near: approach(parts, level, low, high), low, high });

/**
 * Where a continuous increasing function reaches a level between low and high: Newton's method as long as
 * it closes in, else by halves.
 */
const approach = (parts: readonly Part[], level: number, low: number, high: number): number => {
  let z = 0.5 * (low + high);
  for (
    let step = 0;
    step < MAX_STEPS && high - low > PRECISION * Math.max(1, Math.abs(z));
    step++
  ) {
    const excess = cdfOf(parts, z) - level;
    if (excess < 0) low = z;
    else high = z;
    const slope = parts.reduce(
      (sum, { weight, distribution }) => sum + weight * Math.exp(distribution.logDensity(z)),
      0,
    );
    const next = z - excess / slope;
    const isInside = next > low && next < high;
    // Every third step halves the bracket, for functions with a steep step.
    if (isInside && Math.abs(next - z) <= PRECISION * Math.max(1, Math.abs(z))) return next;
    z = isInside && step % 3 !== 2 ? next : 0.5 * (low + high);
  }
  return z;
};

/** The first whole number >= 0 behind which the mixture passes the level. */
const stepOf = (continuous: readonly Part[], discrete: readonly Part[], level: number): number => {
  const passes = (k: number): boolean => cdfOf(continuous, k + 1) + cdfOf(discrete, k) >= level;
  let high = 0;
  while (!passes(high) && high < FURTHEST) high = 2 * high + 1;
  let low = Math.floor(high / 2);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // Beyond 2^53 there may be no whole number between the two.
    if (middle >= high || (middle === low && middle + 1 === low)) return high;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
};

/** The smallest z with F(z) >= level where F is continuous on (-Infinity, high]. */
const below = (parts: readonly Part[], level: number, high: number): number => {
  let reach = 1;
  while (cdfOf(parts, high - reach) > level && reach < FURTHEST) reach *= 2;
  return solve(parts, level, high - reach, high);
};

/** The smallest z whose distribution function is at least `level`, in (0, 1); NaN where a parameter is. */
export const mixtureQuantile = (parts: readonly Part[], level: number): number => {
  // At 1, for some distributions begin above 0.
  if (Number.isNaN(cdfOf(parts, 1))) return Number.NaN;
  const discrete = parts.filter(({ isDiscrete }) => isDiscrete);
  const continuous = parts.filter(({ isDiscrete }) => !isDiscrete);
  if (discrete.length === 0) {
    let high = 1;
    while (cdfOf(continuous, high) < level && high < FURTHEST) high *= 2;
    return below(continuous, level, high);
  }
  if (cdfOf(continuous, 0) >= level) return below(continuous, level, 0);
  const k = stepOf(continuous, discrete, level);
  const counted = cdfOf(discrete, k);
  if (cdfOf(continuous, k) + counted >= level) return k;
  return solve(continuous, level - counted, k, k + 1);
};
