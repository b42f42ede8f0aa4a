import { randomSource } from './random-source.ts';

/**
 * A source of standard normal numbers for one series, the same whatever it is batched with; each call fills
 * another array.
 *
 * @example
 * const draw = gaussianNoise(0, Float32Array.of(1, 2, 3));
 * const first = draw(4);
 */
export const gaussianNoise = (
  seed: number,
  series: Float32Array,
): ((count: number) => Float32Array) => {
  const source = randomSource(seed, series);
  return (count) => Float32Array.from({ length: count }, () => source.normal());
};
