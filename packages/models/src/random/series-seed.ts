/**
 * A seed of 32 bits for one series, so that it draws the same numbers whatever it is batched with: FNV-1a over the
 * bits of its values, mixed with the seed of the request.
 */
export const seriesSeed = (seed: number, values: Float32Array): number => {
  let hash = 0x811c9dc5 ^ seed;
  for (const word of new Uint32Array(values.slice().buffer)) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};
