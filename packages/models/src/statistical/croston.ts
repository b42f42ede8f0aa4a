/**
 * Intermittent demand (Croston, 1972; with the correction of Syntetos, 2001, exact also where every period has a demand): sizes of demands and
 * the intervals between them are smoothed apart. One period's demand is 0 with the probability that none
 * comes, and otherwise one of the sizes seen, the recent ones more likely: its quantiles are never negative
 * and keep the zeros.
 */
import type { History, Prediction } from './history.ts';

const ALPHA = 0.1;
/** Weight of a size against the size seen one demand later. */
const MEMORY = 0.97;

export const croston = ({ values, zero, isNonNegative }: History, horizon: number): Prediction => {
  const sizes: number[] = [];
  let size = 0;
  let interval = 1;
  let since = 1;
  for (const value of values) {
    if (Math.abs(value - zero) < 1e-9) {
      since++;
      continue;
    }
    const demand = value - zero;
    size = sizes.length === 0 ? demand : size + ALPHA * (demand - size);
    interval = sizes.length === 0 ? since : interval + ALPHA * (since - interval);
    sizes.push(demand);
    since = 1;
  }
  const rate = sizes.length === 0 ? 0 : ((1 - ALPHA / 2) * size) / (interval - ALPHA / 2);
  const probability = sizes.length === 0 ? 0 : Math.min(1, 1 / interval);
  const mean = new Float64Array(horizon).fill(rate + zero);
  const explanation = { demand_size: size, demand_interval: interval, demands: sizes.length };
  const quantileAt = demandQuantile(sizes, probability);
  return {
    mean,
    quantile: (level) => {
      const value = quantileAt(level);
      return new Float64Array(horizon).fill((isNonNegative ? Math.max(0, value) : value) + zero);
    },
    explanation,
  };
};

/** Quantiles of one period's demand: 0 or, with `probability`, a size (recency-weighted steps). */
export const demandQuantile = (
  sizes: readonly number[],
  probability: number,
): ((level: number) => number) => {
  const weighted = sizes.map((size, i) => ({ size, weight: MEMORY ** (sizes.length - 1 - i) }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const steps = [
    ...weighted.map(({ size, weight }) => ({ size, mass: (probability * weight) / total })),
    { size: 0, mass: 1 - probability },
  ].sort((a, b) => a.size - b.size);
  return (level) => {
    let below = 0;
    for (const { size, mass } of steps) {
      below += mass;
      if (below >= level - 1e-12) return size;
    }
    return steps[steps.length - 1]!.size;
  };
};
