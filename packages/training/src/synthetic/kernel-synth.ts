/**
 * KernelSynth (Ansari et al. 2024, "Chronos", section 4.2): draws from a Gaussian process whose kernel is a random
 * tree of sums and products. No matrix is built: products are multiplied out, and each product is sampled by its
 * spectral measure, which is the convolution of its factors' (Rahimi and Recht 2007).
 */
import { drawIndex, drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';
import { addWave } from './waves.ts';

export type Kernel =
  | { readonly kind: 'periodic'; readonly period: number }
  | { readonly kind: 'linear'; readonly offset: number }
  | { readonly kind: 'rbf'; readonly length: number }
  | { readonly kind: 'rationalQuadratic'; readonly alpha: number }
  | { readonly kind: 'white'; readonly variance: number }
  | { readonly kind: 'constant' };

/** Frequencies drawn for one product. */
const FEATURES = 24;
const MOST_PRODUCTS = 6;
/** e^-1 I_j(1), doubled for j > 0: the power of each harmonic of exp(-2 sin^2(pi d / p)). */
const HARMONICS = [0.4658, 0.4158, 0.0999, 0.0163, 0.002];

const drawKernel = (random: Random, periods: readonly number[], length: number): Kernel => {
  switch (drawIndex(random, [21, 3, 3, 3, 2, 1])) {
    case 0: {
      const own = periods.length > 0 && random.chance(0.6);
      const period = own ? random.pick(periods) : random.logBetween(3, Math.max(4, length / 2));
      return { kind: 'periodic', period };
    }
    case 1:
      return { kind: 'linear', offset: random.pick([0, 1, 10]) };
    case 2:
      return { kind: 'rbf', length: random.pick([0.1, 1, 10]) };
    case 3:
      return { kind: 'rationalQuadratic', alpha: random.pick([0.1, 1, 10]) };
    case 4:
      return { kind: 'white', variance: random.pick([0.1, 1]) };
    default:
      return { kind: 'constant' };
  }
};

/** One angular frequency, in radians a step, from the kernel's spectral measure. */
const drawFrequency = (random: Random, kernel: Kernel, length: number): number => {
  switch (kernel.kind) {
    case 'periodic': {
      const harmonic = drawIndex(random, HARMONICS);
      return ((random.chance(0.5) ? 1 : -1) * harmonic * 2 * Math.PI) / kernel.period;
    }
    case 'rbf':
      return random.normal() / kernel.length / length;
    case 'rationalQuadratic':
      return (random.normal() * Math.sqrt(random.gamma(kernel.alpha, 1 / kernel.alpha))) / length;
    default:
      return 0;
  }
};

/** A draw from a product of stationary kernels, of variance 1. */
export const sampleStationary = (
  random: Random,
  factors: readonly Kernel[],
  length: number,
): Float64Array => {
  const sum = new Float64Array(length);
  const [first] = factors;
  if (factors.length === 1 && first?.kind === 'periodic') {
    HARMONICS.forEach((power, j) => {
      const size = Math.sqrt(power);
      const frequency = (2 * Math.PI * j) / first.period;
      addWave(sum, frequency, size * random.normal(), size * random.normal());
    });
    return sum;
  }
  const count = factors.some(({ kind }) => kind !== 'constant') ? FEATURES : 1;
  const size = Math.sqrt(1 / count);
  for (let k = 0; k < count; k++) {
    const frequency = factors.reduce((w, kernel) => w + drawFrequency(random, kernel, length), 0);
    addWave(sum, frequency, size * random.normal(), size * random.normal());
  }
  return sum;
};

/** A draw from a product: linear factors by k (s^2 + x x') = s f1 + x f2, noise as noise of the same variance. */
const sampleProduct = (
  random: Random,
  product: readonly Kernel[],
  length: number,
): Float64Array => {
  const at = product.findIndex(({ kind }) => kind === 'linear');
  const linear = product[at];
  if (linear?.kind === 'linear') {
    const rest = product.filter((_, i) => i !== at);
    const slope = sampleProduct(random, rest, length);
    const level = linear.offset === 0 ? undefined : sampleProduct(random, rest, length);
    return slope.map(
      (value, t) => (value * t) / (length - 1) + (level ? linear.offset * level[t]! : 0),
    );
  }
  const noises = product.filter(({ kind }) => kind === 'white');
  if (noises.length === 0) return sampleStationary(random, product, length);
  const variance = noises.reduce(
    (v, noise) => v * (noise.kind === 'white' ? noise.variance : 1),
    1,
  );
  return Float64Array.from({ length }, () => random.normal(0, Math.sqrt(variance)));
};

/** Sums of products of a random tree over 1 to 5 kernels. */
const drawProducts = (
  random: Random,
  periods: readonly number[],
  length: number,
): readonly (readonly Kernel[])[] => {
  let products: readonly (readonly Kernel[])[] = [];
  const count = random.integer(1, 5);
  for (let k = 0; k < count; k++) {
    const kernel = drawKernel(random, periods, length);
    products =
      k === 0 || random.chance(0.5)
        ? [...products, [kernel]]
        : products.map((product) => [...product, kernel]);
  }
  return products.slice(0, MOST_PRODUCTS);
};

export const kernelSynth: Generator = (random, length) => {
  const periods = drawPeriods(random, length);
  const values = new Float64Array(length);
  const used = new Set<number>();
  for (const product of drawProducts(random, periods, length)) {
    const part = sampleProduct(random, product, length);
    for (let t = 0; t < length; t++) values[t]! += part[t]!;
    for (const kernel of product) {
      if (kernel.kind === 'periodic' && periods.includes(kernel.period)) used.add(kernel.period);
    }
  }
  return { values, periods: [...used].sort((a, b) => a - b) };
};
