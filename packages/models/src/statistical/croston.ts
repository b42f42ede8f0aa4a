/**
 * Intermittent demand (Croston, 1972; with the correction of Syntetos, 2001, exact also where every period has a
 * demand): sizes of demands and the intervals between them are smoothed apart. One period's demand is 0 with the
 * probability that none comes, and otherwise one of the sizes seen, the recent ones more likely: its quantiles are
 * never negative and keep the zeros.
 */
import type { History, Prediction } from './history.ts';

const ALPHA = 0.1;
/** Weights of a period's demand against the next one's, the first of them preferred. */
const MEMORIES = [0.91, 0.97, 0.99, 1];

/** The mean demand of a period, the same at each step; quantiles of one period's demand. */
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
  const mean = new Float64Array(horizon).fill(rate + zero);
  const explanation = { demand_size: size, demand_interval: interval, demands: sizes.length };
  const memory = memoryOf(values, zero);
  const recent = values.subarray(Math.max(0, values.length - Math.ceil(20 / (1.001 - memory))));
  const quantileAt = demandQuantile(recent, zero, memory);
  return {
    mean,
    quantile: (level) => {
      const value = quantileAt(level);
      return new Float64Array(horizon).fill(isNonNegative ? Math.max(zero, value) : value);
    },
    explanation,
  };
};

/**
 * Quantiles of one period's demand: recency-weighted steps of what was seen, and the share of periods without demand
 * once more.
 */
export const demandQuantile = (
  values: Float64Array,
  zero: number,
  memory: number,
): ((level: number) => number) => {
  const steps = Array.from(values, (value, t) => ({
    value,
    mass: memory ** (values.length - 1 - t),
  }));
  const zeros = values.reduce((count, value) => count + Number(Math.abs(value - zero) < 1e-9), 0);
  steps.push({ value: zero, mass: zeros / values.length });
  steps.sort((a, b) => a.value - b.value);
  const total = steps.reduce((sum, { mass }) => sum + mass, 0);
  return (level) => {
    let below = 0;
    for (const { value, mass } of steps) {
      below += mass / total;
      if (below >= level - 1e-12) return value;
    }
    return steps[steps.length - 1]!.value;
  };
};

/** The memory whose smoothed chance of a demand foresees demands best; needs a long history to leave the first. */
const memoryOf = (values: Float64Array, zero: number): number => {
  if (values.length < 60) return MEMORIES[0]!;
  const losses = MEMORIES.map((memory) => {
    let chance = 0.5;
    let weight = 1;
    let loss = 0;
    for (const value of values) {
      const demand = Math.abs(value - zero) < 1e-9 ? 0 : 1;
      loss += (demand - chance) ** 2;
      weight = weight * memory + 1;
      chance += (demand - chance) / weight;
    }
    return loss;
  });
  const least = Math.min(...losses);
  return MEMORIES[losses.findIndex((loss) => loss <= 1.005 * least)]!;
};
