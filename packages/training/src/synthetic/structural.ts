/**
 * Structural state space (Harvey 1989): damped local trend, seasons of harmonics with wandering coefficients or of
 * dummies, observation noise; as it is or as an exponential. The prior of economic and operational data.
 */
import { drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';

/** Deviation of a disturbance; off in three draws of ten. */
const drawSize = (random: Random, low: number, high: number): number =>
  random.chance(0.3) ? 0 : random.logBetween(low, high);

/** Harmonics whose pair of coefficients turns and takes a disturbance each step. */
const addHarmonics = (random: Random, sum: Float64Array, period: number, size: number): void => {
  const count = random.integer(1, Math.max(1, Math.min(6, Math.floor(period / 2))));
  const wander = drawSize(random, 1e-3, 0.05) * size;
  for (let j = 1; j <= count; j++) {
    const [turnCos, turnSin] = [
      Math.cos((2 * Math.PI * j) / period),
      Math.sin((2 * Math.PI * j) / period),
    ];
    let a = random.normal(0, size / j);
    let b = random.normal(0, size / j);
    for (let t = 0; t < sum.length; t++) {
      sum[t]! += a;
      const next = a * turnCos + b * turnSin;
      b = b * turnCos - a * turnSin;
      a = next;
      if (wander === 0) continue;
      a += random.normal(0, wander / j);
      b += random.normal(0, wander / j);
    }
  }
};

/** A level for each phase of the season, each of which walks on its own. */
const addDummies = (random: Random, sum: Float64Array, period: number, size: number): void => {
  const phases = Float64Array.from({ length: period }, () => random.normal(0, size));
  const wander = drawSize(random, 1e-3, 0.3) * size;
  for (let t = 0; t < sum.length; t++) {
    const phase = t % period;
    sum[t]! += phases[phase]!;
    phases[phase]! += random.normal(0, wander);
  }
};

const addTrend = (random: Random, sum: Float64Array): void => {
  const levelSize = drawSize(random, 1e-3, 0.5);
  const slopeSize = drawSize(random, 1e-4, 0.05);
  const damping = random.chance(0.5) ? 1 : random.between(0.8, 0.99);
  const phi = slopeSize > 0.01 ? Math.min(damping, 0.99) : damping;
  let level = random.normal(0, 2);
  let slope = random.chance(0.5) ? random.normal(0, 2 / sum.length) : 0;
  const steady = phi < 1 ? 0 : slope;
  for (let t = 0; t < sum.length; t++) {
    sum[t]! += level;
    level += slope + random.normal(0, levelSize);
    slope = (phi < 1 ? phi * slope : steady + (slope - steady)) + random.normal(0, slopeSize);
  }
};

export const structural: Generator = (random, length) => {
  const values = new Float64Array(length);
  addTrend(random, values);
  const drawn = random.chance(0.8) ? drawPeriods(random, length).slice(0, 2) : [];
  const periods = drawn.filter((_, i) => i === 0 || random.chance(0.5));
  for (const period of periods) {
    const size = random.logBetween(0.2, 3);
    if (period <= 60 && random.chance(0.5)) addDummies(random, values, period, size);
    else addHarmonics(random, values, period, size);
  }
  const noise = drawSize(random, 0.01, 1);
  const freedom = random.logBetween(3, 100);
  const isExponential = random.chance(0.4);
  let largest = 1e-9;
  for (let t = 0; t < length; t++) {
    values[t]! += noise * random.student(freedom);
    largest = Math.max(largest, Math.abs(values[t]!));
  }
  if (isExponential) {
    const reach = Math.min(random.logBetween(0.1, 4), largest);
    for (let t = 0; t < length; t++) values[t] = Math.exp((values[t]! / largest) * reach);
  }
  return { values, periods };
};
