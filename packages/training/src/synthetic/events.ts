/**
 * Machine-made signals: layers of rhythms with envelopes, traffic of bursts and dips over slow waves, noise whose size
 * swells, fractal noise. Rates are those of sounds, with 1024 steps to the second.
 */
import type { Generator } from './generator.ts';
import { standardize } from './generator.ts';
import type { Random } from './random.ts';

const SECOND = 1024;

const brown = (random: Random, length: number, keep = 0.999): Float64Array => {
  const values = new Float64Array(length);
  let x = 0;
  for (let t = 0; t < length; t++) {
    x = keep * x + random.normal();
    values[t] = x;
  }
  return standardize(values);
};

/** Adds size * exp(-k / decay) from each event on, with a short attack. */
const addEvents = (
  values: Float64Array,
  random: Random,
  gap: () => number,
  size: () => number,
  decay: number,
): void => {
  for (let t = gap(); t < values.length; t += Math.max(1, gap())) {
    const from = Math.floor(t);
    const height = size();
    const reach = Math.min(values.length - from, Math.ceil(5 * decay));
    for (let k = 0; k < reach; k++) {
      values[from + k]! += height * Math.exp(-k / decay) * (k === 0 ? random.between(0.5, 1) : 1);
    }
  }
};

const rhythm = (random: Random, length: number): { values: Float64Array; period: number } => {
  const values = new Float64Array(length);
  const tempo = random.between(2, 8);
  const layers = random.integer(3, 5);
  for (let k = 0; k < layers; k++) {
    const gap = SECOND / (tempo * random.pick([1, 2, 3, 4, 6, 8]));
    const height = random.between(0.2, 0.5) * (random.chance(0.8) ? 1 : -1);
    const decay = Math.min(3 * gap, random.between(0.05, 0.3) * SECOND * 0.3);
    addEvents(
      values,
      random,
      () => gap,
      () => height,
      Math.max(1, decay),
    );
  }
  for (let t = 0; t < length; t++) values[t]! += random.normal(0, 0.03);
  return { values, period: Math.round(SECOND / tempo) };
};

const traffic = (random: Random, length: number): Float64Array => {
  const slow = SECOND / random.between(0.2, 1);
  const values = Float64Array.from({ length }, (_, t) => 0.4 * Math.sin((2 * Math.PI * t) / slow));
  const burst = SECOND / random.between(3, 12);
  const dip = SECOND * random.between(1, 3);
  addEvents(
    values,
    random,
    () => burst * random.between(0.3, 1.7),
    () => random.between(0.1, 0.8),
    random.between(5, 100),
  );
  addEvents(
    values,
    random,
    () => dip * random.between(0.5, 1.5),
    () => -random.between(0.2, 0.6),
    random.between(100, 600),
  );
  for (let t = 0; t < length; t++) values[t]! += random.normal(0, 0.05);
  return values;
};

const volatility = (random: Random, length: number): Float64Array => {
  const walk = brown(random, length, 0.99);
  const period = SECOND / random.between(1, 5);
  const slow = SECOND / random.between(0.1, 0.5);
  const values = walk.map((value, t) => {
    const size = 0.1 + 0.7 * Math.abs(Math.sin((Math.PI * t) / period));
    return value * size + 0.3 * Math.sin((2 * Math.PI * t) / slow);
  });
  addEvents(
    values,
    random,
    () => SECOND * random.between(0.3, 1),
    () => random.normal(),
    30,
  );
  return values;
};

const fractal = (random: Random, length: number): Float64Array => {
  const values = new Float64Array(length);
  const levels = random.integer(3, 6);
  const gain = random.between(0.5, 0.8);
  let keep = random.between(0.3, 0.9);
  for (let i = 0; i < levels; i++) {
    const part = brown(random, length, keep);
    for (let t = 0; t < length; t++) values[t]! += gain ** (levels - i) * part[t]!;
    keep = 1 - (1 - keep) / 3;
  }
  return values;
};

export const events: Generator = (random, length) => {
  switch (random.integer(0, 3)) {
    case 0: {
      const { values, period } = rhythm(random, length);
      return { values, periods: 2 * period <= length ? [period] : [] };
    }
    case 1:
      return { values: traffic(random, length), periods: [] };
    case 2:
      return { values: volatility(random, length), periods: [] };
    default:
      return { values: fractal(random, length), periods: [] };
  }
};
