/** Coefficients of P. J. Acklam's rational approximation of the inverse normal distribution; error below 1.2e-9. */
const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const B = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
];
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];

const LOWER_TAIL = 0.02425;

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

const tail = (level: number): number => {
  const q = Math.sqrt(-2 * Math.log(level));
  return polynomial(C, q) / polynomial([...D, 1], q);
};

/** The value that a standard normal variable stays below with the given probability in (0, 1). */
export const normalQuantile = (level: number): number => {
  if (level < LOWER_TAIL) return tail(level);
  if (level > 1 - LOWER_TAIL) return -tail(1 - level);
  const q = level - 0.5;
  const r = q * q;
  return (polynomial(A, r) * q) / polynomial([...B, 1], r);
};

/** The probability that a standard normal variable stays below x (Abramowitz and Stegun 7.1.26, error below 2e-7). */
export const normalProbability = (x: number): number => {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const series = polynomial([1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592], t);
  const upper = (series * t * Math.exp((-x * x) / 2)) / 2;
  return x > 0 ? 1 - upper : upper;
};
