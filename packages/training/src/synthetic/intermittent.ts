/**
 * Intermittent counts: demand comes and goes as a two-state Markov chain, its sizes are one plus a negative binomial,
 * its rates follow a season; products are launched and die.
 */
import { drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';

/** Mean `mean`, variance mean + mean^2 / dispersion. */
const negativeBinomial = (random: Random, mean: number, dispersion: number): number =>
  random.poisson(random.gamma(dispersion, mean / dispersion));

const rateAt = (random: Random, length: number, periods: readonly number[]) => {
  const [period] = periods;
  const depth = period && random.chance(0.6) ? random.between(0, 0.9) : 0;
  const phase = random.uniform();
  const growth = random.normal(0, 0.5);
  const launch = random.chance(0.2) ? random.between(0, 0.5) * length : 0;
  const death = random.chance(0.1) ? random.between(0.6, 1.2) * length : Number.POSITIVE_INFINITY;
  return (t: number): number => {
    if (t < launch) return 0.05 + (0.5 * t) / launch;
    const wave = 1 + depth * Math.sin(2 * Math.PI * (t / (period ?? 1) + phase));
    return wave * Math.exp((growth * t) / length) * (t > death ? Math.exp((death - t) / 10) : 1);
  };
};

export const intermittent: Generator = (random, length) => {
  const periods = drawPeriods(random, length).slice(0, 1);
  const rate = rateAt(random, length, periods);
  const gap = random.logBetween(1.2, 20);
  const stay = random.between(0, 0.6);
  const mean = random.logBetween(0.1, 30);
  const dispersion = random.logBetween(0.2, 10);
  const values = new Float64Array(length);
  let isOn = random.chance(1 / gap);
  for (let t = 0; t < length; t++) {
    const r = rate(t);
    const chance = isOn ? Math.max(stay, 1 / gap) : 1 / gap;
    isOn = random.chance(Math.min(1, chance * r));
    values[t] = isOn ? 1 + negativeBinomial(random, mean * Math.min(3, r), dispersion) : 0;
  }
  return { values, periods };
};
