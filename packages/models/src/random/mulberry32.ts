/**
 * Random words by mulberry32 (Tommy Ettinger, public domain), whose whole state is one seed of 32 bits.
 *
 * @returns a source of whole numbers in [0, 2^32)
 * @example
 * const next = mulberry32(7);
 * const uniform = next() / 2 ** 32; // in [0, 1)
 */
export const mulberry32 = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
};
