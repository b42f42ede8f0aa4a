/** Functions of probability theory in float64, to about twelve digits. */

/** Below this, ln(gamma) climbs by its recurrence to where Stirling's series is exact enough. */
const STIRLING_FROM = 10;
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360] as const;

/** ln(gamma(x)) for x > 0 (Abramowitz & Stegun 6.1.15, 6.1.41). */
export const logGamma = (x: number): number => {
  let shift = 1;
  let at = x;
  for (; at < STIRLING_FROM; at++) shift *= at;
  const square = 1 / (at * at);
  const series = STIRLING.reduceRight((sum, coefficient) => sum * square + coefficient, 0) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - Math.log(shift);
};

const TINY = 1e-300;
const PRECISION = 1e-15;
const MAX_TERMS = 10_000;

const awayFromZero = (x: number): number => (Math.abs(x) < TINY ? TINY : x);

/**
 * The continued fraction 1 + n(1) / (1 + n(2) / (1 + ...)) by Lentz's method, inverted, for numerators
 * n(i) whose fraction converges.
 */
const invertedFraction = (numerator: (i: number) => number): number => {
  let c = 1;
  let d = awayFromZero(1 + numerator(1));
  d = 1 / d;
  let value = d;
  for (let i = 2; i < MAX_TERMS; i++) {
    const n = numerator(i);
    d = 1 / awayFromZero(1 + n * d);
    c = awayFromZero(1 + n / c);
    value *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return value;
};

/**
 * The regularised incomplete beta function I_x(a, b) (DLMF 8.17.22).
 *
 * @param logBeta ln B(a, b), given since many x share it
 */
export const incompleteBeta = (x: number, a: number, b: number, logBeta: number): number => {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean; the other one is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a, logBeta);
  const fraction = invertedFraction((i) => {
    const m = Math.floor(i / 2);
    if (i === 1) return (-(a + b) * x) / (a + 1);
    return i % 2 === 0
      ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
      : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
  });
  return (Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta) * fraction) / a;
};

/** ln B(a, b) */
export const logBeta = (a: number, b: number): number =>
  logGamma(a) + logGamma(b) - logGamma(a + b);

/** Where the series of the normal distribution gives way to the fraction of its tail. */
const NORMAL_TAIL = 3.5;

/** Density of the standard normal distribution. */
export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** The standard normal distribution function (Abramowitz & Stegun 26.2.11, 26.2.14). */
export const normalCdf = (x: number): number => {
  const size = Math.abs(x);
  if (size > 40) return x > 0 ? 1 : 0;
  if (size > NORMAL_TAIL) {
    const square = 1 / (size * size);
    const tail = (normalDensity(size) / size) * invertedFraction((i) => i * square);
    return x > 0 ? 1 - tail : tail;
  }
  let term = x;
  let sum = x;
  for (let i = 3; Math.abs(term) > PRECISION * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
};
