/** Random numbers from a seed: the same on every machine. */

/** Uniform numbers in [0, 1): mulberry32, whose state is one 32-bit integer. */
export const uniformFrom = (seed: number): (() => number) => {
  // Large seeds differ in their high half too.
  let state = (Math.trunc(seed) ^ Math.trunc(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Standard normal numbers by the method of Box and Muller. */
export const normalFrom =
  (uniform: () => number): (() => number) =>
  () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
