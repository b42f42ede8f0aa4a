/**
 * Random numbers that depend on a seed and on the series alone: a series draws the same ones whatever it is
 * batched with.
 */
import { mulberry32 } from './mulberry32.ts';
import { seriesSeed } from './series-seed.ts';

/** Uniform numbers in (0, 1). */
const uniforms = (seed: number): (() => number) => {
  const next = mulberry32(seed);
  return () => (next() + 0.5) / 2 ** 32;
};

export interface RandomSource {
  /** In (0, 1). */
  uniform(): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
}

/** A source that depends on the seed and on the series alone. */
export const randomSource = (seed: number, series: Float32Array): RandomSource => {
  const uniform = uniforms(seriesSeed(seed, series));
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal };
};

/** Sources for several paths of one series, each of which goes its own way. */
export const randomSources = (
  seed: number,
  series: Float32Array,
  count: number,
): readonly RandomSource[] => {
  const next = uniforms(seriesSeed(seed, series));
  return Array.from({ length: count }, () => {
    const word = Math.floor(next() * 4294967296) | 0;
    return randomSource(word, new Float32Array(0));
  });
};
