/** What a forecast says about its sample paths [samples][horizon]. */
import { linearQuantile } from './quantiles.ts';

/** The mean of the paths at each step. */
export const meanOfPaths = (paths: readonly Float32Array[]): Float32Array => {
  const sums = new Float64Array(paths[0]?.length ?? 0);
  for (const path of paths) {
    for (const [h, value] of path.entries()) sums[h]! += value;
  }
  return Float32Array.from(sums, (sum) => sum / paths.length);
};

/** The values of all paths at one step, ascending. */
const sortedAt = (paths: readonly Float32Array[], h: number): Float32Array =>
  Float32Array.from(paths, (path) => path[h]!).sort();

/** The middle value at each step, the lower one of two (torch.median). */
export const lowerMedianOfPaths = (paths: readonly Float32Array[]): Float32Array =>
  Float32Array.from(
    { length: paths[0]?.length ?? 0 },
    (_, h) => sortedAt(paths, h)[(paths.length - 1) >> 1]!,
  );

/** Empirical quantiles at each step, linear between the ordered values (numpy.quantile). */
export const quantilesOfPaths = (
  paths: readonly Float32Array[],
  levels: readonly number[],
): Float32Array[] => {
  const horizon = paths[0]?.length ?? 0;
  const quantiles = levels.map(() => new Float32Array(horizon));
  for (let h = 0; h < horizon; h++) {
    const values = sortedAt(paths, h);
    levels.forEach((level, j) => {
      quantiles[j]![h] = linearQuantile(values, level);
    });
  }
  return quantiles;
};

/** Half to even, as numpy rounds. */
const roundHalfEven = (value: number): number => {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
};

/** The path's value whose rank is nearest to each level (gluonts, SampleForecast.quantile). */
export const nearestQuantilesOfPaths = (
  paths: readonly Float32Array[],
  levels: readonly number[],
): Float32Array[] => {
  const quantiles = levels.map(() => new Float32Array(paths[0]?.length ?? 0));
  for (let h = 0; h < (paths[0]?.length ?? 0); h++) {
    const values = sortedAt(paths, h);
    levels.forEach((level, j) => {
      quantiles[j]![h] = values[roundHalfEven(level * (values.length - 1))]!;
    });
  }
  return quantiles;
};
