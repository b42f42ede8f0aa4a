/**
 * Uniform numbers in [0, 1) that depend on a seed and on the series alone: a series draws the same ones
 * whatever it is batched with.
 */

/** FNV-1a over the bits of the values, mixed with the seed. */
const hashOf = (seed: number, values: Float32Array): number => {
  let hash = 0x811c9dc5 ^ seed;
  for (const word of new Uint32Array(values.slice().buffer)) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};

/** The first `count` numbers of mulberry32 (Tommy Ettinger, public domain), with the 24 bits of float32. */
export const uniformNumbers = (seed: number, series: Float32Array, count: number): Float32Array => {
  let state = hashOf(seed, series);
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 8) / 2 ** 24;
  });
};
