/** Seeded random series for tests and benchmarks. */

export interface Simulator {
  /** In [0, 1): the generator of Tommy Ettinger's mulberry32. */
  readonly uniform: () => number;
  readonly normal: () => number;
}

export const simulator = (seed: number): Simulator => {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
};
