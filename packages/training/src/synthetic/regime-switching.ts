/**
 * Ornstein-Uhlenbeck processes that switch between a calm and a wild regime, around means that move: trends of several
 * shapes, smoothed level shifts, drifting seasons (the heaviest source of TempoPFN's final mix).
 */
import { drawIndex, drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';

interface Regime {
  readonly pull: number;
  readonly mean: number;
  readonly size: number;
  readonly stay: number;
}

const STEP = 0.01;
const KINDS = ['none', 'linear', 'exponential', 'logistic', 'sine', 'pieces', 'quadratic'] as const;

/** A path over the run, of size about `size` at its end. */
const drawTrend = (random: Random, length: number, size: number): Float64Array => {
  const kind = KINDS[drawIndex(random, [0.3, 0.15, 0.15, 0.1, 0.15, 0.1, 0.05])]!;
  const height = random.normal(0, size);
  const middle = random.between(0.2, 0.8);
  const steep = random.between(5, 30);
  const period = random.between(0.1, 0.5);
  const knots = Array.from({ length: 5 }, () => random.normal(0, size));
  const shape = (x: number): number => {
    switch (kind) {
      case 'none':
        return 0;
      case 'linear':
        return height * x;
      case 'exponential':
        return (height * Math.expm1(2 * x)) / Math.expm1(2);
      case 'logistic':
        return height / (1 + Math.exp(-steep * (x - middle)));
      case 'sine':
        return height * Math.sin((2 * Math.PI * x) / period + middle);
      case 'quadratic':
        return height * (x - middle) ** 2 * 4;
      case 'pieces': {
        const place = Math.min(3.999, 4 * x);
        const at = Math.floor(place);
        return knots[at]! + (knots[at + 1]! - knots[at]!) * (place - at);
      }
    }
  };
  return Float64Array.from({ length }, (_, t) => shape(t / length));
};

const addShifts = (random: Random, mean: Float64Array): void => {
  const count = random.integer(0, 2);
  for (let k = 0; k < count; k++) {
    const at = random.between(0, mean.length);
    const size = random.between(1, 5) * (random.chance(0.5) ? 1 : -1);
    const width = random.logBetween(0.5, 30);
    for (let t = 0; t < mean.length; t++) mean[t]! += size / (1 + Math.exp(-(t - at) / width));
  }
};

const addSeasons = (random: Random, mean: Float64Array, periods: readonly number[]): void => {
  for (const period of periods.slice(0, 2)) {
    const length = period * random.between(0.99, 1.01);
    const size = random.between(0.5, 3);
    const drift = random.normal(0, 0.3);
    const phase = random.between(0, 2 * Math.PI);
    for (let t = 0; t < mean.length; t++) {
      const amplitude = size * (1 + (drift * t) / mean.length);
      mean[t]! += amplitude * Math.sin((2 * Math.PI * t) / length + phase);
    }
  }
};

export const regimeSwitching: Generator = (random, length) => {
  const calm: Regime = {
    pull: random.between(1, 5),
    mean: random.normal(-2, 1),
    size: 0.3 * Math.exp(random.normal(0, 0.3)),
    stay: random.between(0.85, 0.999),
  };
  const wild: Regime = {
    pull: random.between(0.05, 0.5),
    mean: random.normal(2, 1),
    size: 1.5 * Math.exp(random.normal(0, 0.5)),
    stay: random.between(0.85, 0.999),
  };
  const mean = random.chance(0.7) ? drawTrend(random, length, 4) : new Float64Array(length);
  if (random.chance(0.5)) addShifts(random, mean);
  const periods = random.chance(0.6) ? drawPeriods(random, length) : [];
  addSeasons(random, mean, periods);
  // The cited law moves in hundredths; faster clocks let short histories see more of it.
  const step = STEP * random.logBetween(1, 30);
  const values = new Float64Array(length);
  const noise = random.between(0, 0.1);
  let isWild = random.chance(0.5);
  let x = random.normal();
  for (let t = 0; t < length; t++) {
    const { pull, mean: center, size, stay } = isWild ? wild : calm;
    x += Math.min(1, pull * step) * (center - x) + size * Math.sqrt(step) * random.normal();
    values[t] = x + mean[t]! + random.normal(0, noise);
    if (!random.chance(stay)) isWild = !isWild;
  }
  return { values, periods };
};
