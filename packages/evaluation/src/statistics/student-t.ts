/** Student's t: tail probabilities and quantiles, by the incomplete beta function. */
import { incompleteBeta, logBeta } from '@tollama/models/probability/special-functions';

/**
 * Probability that |T| exceeds |t|.
 *
 * @example
 * twoSidedP(2.228138852, 10); // 0.05
 */
export const twoSidedP = (t: number, degrees: number): number => {
  const half = degrees / 2;
  return incompleteBeta(degrees / (degrees + t * t), half, 0.5, logBeta(half, 0.5));
};

const BISECTIONS = 200;

/** t that |T| exceeds with probability `alpha`: 12.706 for 0.05 and one degree of freedom. */
export const criticalT = (alpha: number, degrees: number): number => {
  let low = 0;
  let high = 1;
  while (twoSidedP(high, degrees) > alpha && high < 1e300) high *= 2;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, degrees) > alpha) low = middle;
    else high = middle;
  }
  return high;
};
