/**
 * A bank of Gaussian processes (the prior of Mamba4Cast and TempoPFN): sums and products of Matern, linear and
 * periodic kernels with observation noise. Matern processes run as state-space recursions of order nu + 1/2.
 */
import { drawIndex, drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';
import { addWave } from './waves.ts';

/** e^-z I_j(z) of the periodic kernel with length 0.5 (z = 4), doubled for j > 0. */
const SHARP = [0.207, 0.3576, 0.235, 0.1222, 0.0522, 0.0187, 0.0057];
const SMOOTH = [0.4658, 0.4158, 0.0999, 0.0163, 0.002];

/** Matern process of unit variance; `order` 1, 2, 3 for nu = 1/2, 3/2, 5/2, as a chain of equal filters. */
export const matern = (
  random: Random,
  order: number,
  decay: number,
  length: number,
): Float64Array => {
  const states = new Float64Array(order);
  const values = new Float64Array(length);
  const keep = Math.exp(-decay);
  const warmUp = Math.min(4 * length, Math.ceil(4 / decay));
  let squares = 0;
  for (let t = -warmUp; t < length; t++) {
    let drive = random.normal();
    for (let k = 0; k < order; k++) {
      states[k] = keep * states[k]! + (1 - keep) * drive;
      drive = states[k]!;
    }
    if (t >= 0) values[t] = drive;
  }
  // Variance of the chain's impulse response, so that the process has variance 1.
  const impulse = new Float64Array(order);
  for (let t = 0; t < Math.min(20_000, 20 / decay); t++) {
    let drive = t === 0 ? 1 : 0;
    for (let k = 0; k < order; k++) {
      impulse[k] = keep * impulse[k]! + (1 - keep) * drive;
      drive = impulse[k]!;
    }
    squares += drive * drive;
  }
  const size = 1 / Math.sqrt(squares);
  return values.map((value) => value * size);
};

const periodic = (random: Random, period: number, length: number): Float64Array => {
  const sum = new Float64Array(length);
  const powers = random.chance(0.5) ? SHARP : SMOOTH;
  powers.forEach((power, j) => {
    if (j > period / 2) return;
    const size = Math.sqrt(power);
    addWave(sum, (2 * Math.PI * j) / period, size * random.normal(), size * random.normal());
  });
  return sum;
};

const drawFactor = (random: Random, periods: readonly number[], length: number): Float64Array => {
  switch (drawIndex(random, [1.5, 1, 5])) {
    case 0: {
      const reach = random.between(0.1, 5) * length * random.pick([0.02, 0.1, 0.5]);
      const order = random.integer(1, 3);
      return matern(random, order, Math.sqrt(2 * order - 1) / Math.max(2, reach), length);
    }
    case 1: {
      const slope = random.normal();
      const level = random.normal();
      return Float64Array.from({ length }, (_, t) => level + (slope * t) / length);
    }
    default: {
      const own = periods.length > 0 && random.chance(0.5);
      const mean = random.pick([4, 5, 7, 21, 24, 30, 60, 120]);
      const period = own ? random.pick(periods) : Math.max(3, random.normal(mean, mean ** 0.6));
      return periodic(random, period, length);
    }
  }
};

export const gaussianBank: Generator = (random, length) => {
  const periods = drawPeriods(random, length);
  const values = drawFactor(random, periods, length);
  const more = random.integer(0, 5);
  for (let k = 0; k < more; k++) {
    const part = drawFactor(random, periods, length);
    const isProduct = random.chance(0.4);
    for (let t = 0; t < length; t++) {
      values[t] = isProduct ? values[t]! * part[t]! : values[t]! + part[t]!;
    }
  }
  const slope = random.chance(0.5) ? random.normal(0, 1 / length) : 0;
  const noise = [0.1, 0.2, 0.7][drawIndex(random, [0.3, 0.3, 0.4])]! * random.between(0.05, 1);
  for (let t = 0; t < length; t++) values[t]! += slope * t + random.normal(0, noise);
  return { values, periods };
};
