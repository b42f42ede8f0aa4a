/**
 * Standard normal numbers that depend on a seed and on the series alone: a series draws the same noise
 * whatever it is batched with.
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

/**
 * A source of standard normal numbers (Box and Muller 1958) for one series; each call fills another array.
 *
 * @example
 * const draw = gaussianNoise(0, Float32Array.of(1, 2, 3));
 * const first = draw(4);
 */
export const gaussianNoise = (
  seed: number,
  series: Float32Array,
): ((count: number) => Float32Array) => {
  const uniform = uniforms(hashOf(seed, series));
  return (count) => {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(uniform()));
      const angle = 2 * Math.PI * uniform();
      out[i] = radius * Math.cos(angle);
      if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  };
};
