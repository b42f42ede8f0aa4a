/** Counts: draws from the Poisson and the negative binomial distribution. */

import type { RandomSource } from '../random/random-source.ts';
import { drawGamma } from './gamma.ts';
import { logGamma } from './special-functions.ts';

/** Below, waiting times are counted. */
const FEW = 10;

/** Counts waiting times until they are over (Knuth). */
const drawFew = (rate: number, { uniform }: RandomSource): number => {
  const end = Math.exp(-rate);
  let count = 0;
  for (let left = uniform(); left > end; left *= uniform()) count++;
  return count;
};

/** Transformed rejection with squeeze, PTRS (Hörmann 1993), for rates of 10 and more. */
const drawMany = (rate: number, { uniform }: RandomSource): number => {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const enough = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= enough) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const bound = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (bound <= k * Math.log(rate) - rate - logGamma(k + 1)) return k;
  }
};

/** A draw from the Poisson distribution; a rate that is not finite comes back as it is. */
export const drawPoisson = (rate: number, source: RandomSource): number => {
  if (!Number.isFinite(rate)) return rate;
  return rate < FEW ? drawFew(rate, source) : drawMany(rate, source);
};

/** The counts before `count` failures, where ln(p / (1 - p)) of a success is `logits`: their mean is count * e^logits. */
export interface NegativeBinomial {
  readonly count: number;
  readonly logits: number;
}

/** A draw, from the Poisson distribution whose rate is drawn from a gamma distribution. */
export const drawNegativeBinomial = (
  { count, logits }: NegativeBinomial,
  source: RandomSource,
): number => drawPoisson(drawGamma(count, source) * Math.exp(logits), source);
