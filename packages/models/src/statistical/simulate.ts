/** Seeded random series for tests and benchmarks. */
import { mulberry32 } from '../random/mulberry32.ts';

export interface Simulator {
  /** In [0, 1). */
  readonly uniform: () => number;
  readonly normal: () => number;
}

/** Uniform and standard normal numbers (Box and Muller 1958) of a seed. */
export const simulator = (seed: number): Simulator => {
  const next = mulberry32(seed);
  const uniform = (): number => next() / 2 ** 32;
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
};
