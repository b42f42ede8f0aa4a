/**
 * Random numbers that depend on a seed and on the series alone: a series draws the same ones whatever it is
 * batched with.
 */

/** FNV-1a over the bits of the values, mixed with the seed. */
const hashOf = (seed: number, values: Float32Array): number => {
  let hash = 0x811c9dc5 ^ seed;
  for (const word of new Uint32Array(Float32Array.from(values).buffer)) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};

/** Uniform numbers in (0, 1): mulberry32 (Tommy Ettinger, public domain). */
const uniforms = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
};

export interface RandomSource {
  /** In (0, 1). */
  uniform(): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
}

/** A source for one series. */
export const randomSource = (seed: number, series: Float32Array): RandomSource => {
  const uniform = uniforms(hashOf(seed, series));
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
  const next = uniforms(hashOf(seed, series));
  return Array.from({ length: count }, () => {
    const word = Math.floor(next() * 4294967296) | 0;
    return randomSource(word, new Float32Array(0));
  });
};
