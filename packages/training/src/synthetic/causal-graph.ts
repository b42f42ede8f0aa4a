/**
 * CauKer (Xie et al. 2025): a directed graph whose roots are kernel draws with structured means and whose other nodes
 * are functions of lagged parents; one node is the series.
 */
import type { Generator } from './generator.ts';
import { standardize } from './generator.ts';
import { kernelSynth } from './kernel-synth.ts';
import type { Random } from './random.ts';

const NODES = 6;

/** A mean added to a root: a line, an exponential, or point anomalies. */
const addMean = (random: Random, values: Float64Array): void => {
  const n = values.length;
  const a = random.between(-1, 1);
  const b = random.between(-1, 1);
  const kind = random.integer(0, 3);
  if (kind === 1) for (let t = 0; t < n; t++) values[t]! += (3 * a * t) / n + b;
  if (kind === 2) {
    for (let t = 0; t < n; t++) values[t]! += (1 + 0.5 * a) * Math.exp((b * t) / n);
  }
  if (kind === 3) {
    const count = random.integer(1, 5);
    for (let k = 0; k < count; k++) values[random.integer(0, n - 1)]! += random.between(-5, 5);
  }
};

const drawFunction = (random: Random): ((x: number) => number) => {
  const slope = random.between(0.5, 2);
  const offset = random.between(-1, 1);
  const modulus = random.between(1, 5);
  const leak = random.between(0.01, 0.3);
  switch (random.integer(0, 5)) {
    case 0:
      return (x) => slope * x + offset;
    case 1:
      return (x) => Math.max(0, x);
    case 2:
      return (x) => 1 / (1 + Math.exp(-x));
    case 3:
      return Math.sin;
    case 4:
      return (x) => x - modulus * Math.floor(x / modulus);
    default:
      return (x) => (x > 0 ? x : leak * x);
  }
};

export const causalGraph: Generator = (random, length) => {
  const nodes: Float64Array[] = [];
  const periods = new Set<number>();
  const roots = random.integer(1, 2);
  for (let k = 0; k < roots; k++) {
    const root = kernelSynth(random, length);
    root.periods.forEach((period) => {
      periods.add(period);
    });
    standardize(root.values);
    addMean(random, root.values);
    nodes.push(root.values);
  }
  const last = random.integer(roots, NODES - 1);
  while (nodes.length <= last) {
    const parents = Array.from({ length: random.integer(1, 3) }, () => ({
      values: random.pick(nodes),
      weight: random.normal(),
      lag: random.integer(0, 24),
    }));
    const bias = random.normal();
    const act = drawFunction(random);
    nodes.push(
      Float64Array.from({ length }, (_, t) =>
        act(
          parents.reduce(
            (sum, { values, weight, lag }) => sum + weight * values[Math.max(0, t - lag)]!,
            bias,
          ),
        ),
      ),
    );
  }
  const values = standardize(nodes[last]!);
  const noise = random.chance(0.7) ? random.logBetween(0.01, 0.3) : 0;
  for (let t = 0; t < length; t++) values[t]! += random.normal(0, noise);
  return { values, periods: [...periods].sort((a, b) => a - b) };
};
