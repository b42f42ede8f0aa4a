import { mulberry32 } from './mulberry32.ts';
import { seriesSeed } from './series-seed.ts';

/**
 * The first `count` uniform numbers in [0, 1) of a seed and a series, with the 24 bits of float32; the same ones
 * whatever the series is batched with.
 */
export const uniformNumbers = (seed: number, series: Float32Array, count: number): Float32Array => {
  const next = mulberry32(seriesSeed(seed, series));
  return Float32Array.from({ length: count }, () => (next() >>> 8) / 2 ** 24);
};
