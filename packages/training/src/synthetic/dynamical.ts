/**
 * Held out of training, for validation across priors: Lorenz' and Van der Pol's equations, the logistic map, and the
 * length of a queue with a daily load.
 */
import type { Generator } from './generator.ts';
import { standardize } from './generator.ts';
import type { Random } from './random.ts';

const lorenz = (random: Random, length: number): Float64Array => {
  const step = random.logBetween(0.002, 0.02);
  let [x, y, z] = [random.normal(), random.normal(), 20 + random.normal()];
  const values = new Float64Array(length);
  for (let t = -500; t < length; t++) {
    const [dx, dy, dz] = [10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z];
    x += step * dx;
    y += step * dy;
    z += step * dz;
    if (t >= 0) values[t] = x;
  }
  return values;
};

const vanDerPol = (random: Random, length: number): Float64Array => {
  const mu = random.between(0.5, 5);
  const step = random.logBetween(0.02, 0.2) / 4;
  let [x, y] = [random.normal(), random.normal()];
  const values = new Float64Array(length);
  for (let t = 0; t < length; t++) {
    for (let k = 0; k < 4; k++) {
      const dy = mu * (1 - x * x) * y - x;
      x += step * y;
      y += step * dy;
    }
    values[t] = x;
  }
  return values;
};

const logisticMap = (random: Random, length: number): Float64Array => {
  const rate = random.between(3.5, 4);
  const keep = random.between(0.5, 0.98);
  let x = random.between(0.1, 0.9);
  let smooth = 0.5;
  return Float64Array.from({ length }, () => {
    x = rate * x * (1 - x);
    smooth = keep * smooth + (1 - keep) * x;
    return smooth;
  });
};

const queue = (random: Random, length: number): Float64Array => {
  const load = random.between(0.5, 1.05);
  const depth = random.between(0, 0.6);
  const served = random.logBetween(2, 30);
  let waiting = 0;
  return Float64Array.from({ length }, (_, t) => {
    const arriving = served * load * (1 + depth * Math.sin((2 * Math.PI * t) / 24));
    waiting = Math.max(0, waiting + random.poisson(Math.max(0, arriving)) - random.poisson(served));
    return waiting;
  });
};

export const dynamical: Generator = (random, length) => {
  const kind = random.integer(0, 3);
  if (kind === 3) return { values: queue(random, length), periods: [24] };
  const law = [lorenz, vanDerPol, logisticMap][kind]!;
  const values = standardize(law(random, length));
  const noise = random.logBetween(0.005, 0.3);
  for (let t = 0; t < length; t++) values[t]! += random.normal(0, noise);
  return { values, periods: [] };
};
