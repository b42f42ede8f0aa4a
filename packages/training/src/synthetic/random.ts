/** Random numbers of a seed: the same stream on every machine, so that every synthetic series can be made again. */

export interface Random {
  /** In (0, 1). */
  uniform(): number;
  /** In (low, high). */
  between(low: number, high: number): number;
  /** Uniform in the logarithm; both bounds above 0. */
  logBetween(low: number, high: number): number;
  /** Whole number, both ends included. */
  integer(low: number, high: number): number;
  normal(mean?: number, deviation?: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Mean shape * scale (Marsaglia and Tsang 2000). */
  gamma(shape: number, scale?: number): number;
  poisson(mean: number): number;
  /** Student's t of variance 1 where it has one. */
  student(freedom: number): number;
}

/** Words of sfc32 (Chris Doty-Humphrey, PractRand; public domain). */
const wordsOf = (seed: number, stream: number): (() => number) => {
  let a = seed | 0;
  let b = stream | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
};

const normalsOf = (uniform: () => number): (() => number) => {
  let spare = Number.NaN;
  return () => {
    if (!Number.isNaN(spare)) {
      const kept = spare;
      spare = Number.NaN;
      return kept;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const stretch = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * stretch;
      return x * stretch;
    }
  };
};

const gammaOf = (shape: number, uniform: () => number, normal: () => number): number => {
  if (shape < 1) return gammaOf(shape + 1, uniform, normal) * uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
};

/** Counts by products of uniforms; large means by the normal approximation. */
const poissonOf = (mean: number, uniform: () => number, normal: () => number): number => {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let product = uniform();
  let count = 0;
  while (product > limit) {
    product *= uniform();
    count++;
  }
  return count;
};

/**
 * The stream `stream` of a seed.
 *
 * @example
 * const random = createRandom(1, 7);
 * random.normal();
 */
export const createRandom = (seed: number, stream = 0): Random => {
  const words = wordsOf(seed, stream);
  const uniform = (): number => (words() + 0.5) / 4294967296;
  const normal = normalsOf(uniform);
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    logBetween: (low, high) => low * (high / low) ** uniform(),
    integer: (low, high) => low + Math.floor((high - low + 1) * uniform()),
    normal: (mean = 0, deviation = 1) => mean + deviation * normal(),
    chance: (probability) => uniform() < probability,
    pick: (items) => items[Math.floor(items.length * uniform())]!,
    gamma: (shape, scale = 1) => scale * gammaOf(shape, uniform, normal),
    poisson: (mean) => poissonOf(mean, uniform, normal),
    student: (freedom) => {
      const unit = freedom > 2 ? Math.sqrt((freedom - 2) / freedom) : 1;
      return (unit * normal()) / Math.sqrt(gammaOf(freedom / 2, uniform, normal) * (2 / freedom));
    },
  };
};
