/** Sines, saw teeth and square waves with slow modulation: the plainest cycles, at any period. */
import type { Generator } from './generator.ts';
import type { Random } from './random.ts';

type Wave = (cycles: number) => number;

const drawWave = (random: Random): Wave => {
  const duty = random.between(0.1, 0.9);
  const isRising = random.chance(0.5);
  const kind = random.uniform();
  if (kind < 0.5) return (cycles) => Math.sin(2 * Math.PI * cycles);
  const fraction = (cycles: number): number => cycles - Math.floor(cycles);
  if (kind < 0.8) return (cycles) => (isRising ? 1 : -1) * (2 * fraction(cycles) - 1);
  return (cycles) => (fraction(cycles) < duty ? 1 : -1);
};

export const waveforms: Generator = (random, length) => {
  const values = new Float64Array(length);
  const periods: number[] = [];
  const count = random.integer(1, 3);
  for (let k = 0; k < count; k++) {
    const drawn = random.logBetween(3, Math.max(4, Math.min(800, length / 2)));
    const period = random.chance(0.7) ? Math.round(drawn) : drawn;
    periods.push(Math.round(period));
    const wave = drawWave(random);
    const size = random.between(0.5, 3);
    const start = random.uniform();
    const swell = random.chance(0.3) ? random.between(0, 0.5) : 0;
    const swellPeriod = period * random.between(5, 10);
    const sway = random.chance(0.1) ? random.between(0, 0.1) : 0;
    const swayPeriod = period * random.between(8, 15);
    for (let t = 0; t < length; t++) {
      const amplitude = size * (1 + swell * Math.sin((2 * Math.PI * t) / swellPeriod));
      const cycles = t / period + start + sway * Math.sin((2 * Math.PI * t) / swayPeriod);
      values[t]! += amplitude * wave(cycles);
    }
  }
  const slope = random.chance(0.5) ? random.between(-3, 3) / length : 0;
  const noise = random.chance(0.7) ? random.logBetween(0.02, 1) : 0;
  for (let t = 0; t < length; t++) values[t]! += slope * t + random.normal(0, noise);
  return { values, periods: [...new Set(periods)].sort((a, b) => a - b) };
};
