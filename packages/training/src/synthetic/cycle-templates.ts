/**
 * Days, weeks and years as people and the sun make them: a shape of the day, factors of the weekdays, a slow year,
 * amplitudes that wander from cycle to cycle, phases that jitter, holidays that look like weekends.
 */
import { drawIndex, type Generator } from './generator.ts';
import type { Random } from './random.ts';

interface Cycles {
  readonly weight: number;
  readonly period: number;
  /** Cycles of the next longer season, 1 for none. */
  readonly group: number;
}

const CYCLES: readonly Cycles[] = [
  { weight: 5, period: 24, group: 7 },
  { weight: 2, period: 48, group: 7 },
  { weight: 3, period: 96, group: 7 },
  { weight: 2, period: 144, group: 7 },
  { weight: 3, period: 288, group: 7 },
  { weight: 1, period: 360, group: 1 },
  { weight: 0.5, period: 1440, group: 1 },
  { weight: 1, period: 168, group: 1 },
  { weight: 0.5, period: 672, group: 1 },
  { weight: 3, period: 7, group: 52 },
  { weight: 1.5, period: 12, group: 1 },
  { weight: 1, period: 52, group: 1 },
  { weight: 1, period: 12, group: 4 },
];

const SHAPES = ['bumps', 'solar', 'rush', 'square', 'rough'] as const;

const bump = (x: number, center: number, width: number): number => {
  const apart = Math.abs(((x - center + 1.5) % 1) - 0.5);
  return apart < width ? 0.5 + 0.5 * Math.cos((Math.PI * apart) / width) : 0;
};

/** A function of the phase in [0, 1) with values mostly in [0, 1]. */
const drawShape = (random: Random, period: number): ((x: number) => number) => {
  const kind = period < 12 ? 'rough' : SHAPES[drawIndex(random, [4, 2, 2, 1.5, 1])]!;
  const start = random.uniform();
  switch (kind) {
    case 'solar': {
      const share = random.between(0.3, 0.7);
      const power = random.between(0.7, 2);
      return (x) => {
        const y = (x + start) % 1;
        return y < share ? Math.sin((Math.PI * y) / share) ** power : 0;
      };
    }
    case 'square': {
      const share = random.between(0.1, 0.9);
      const high = random.between(0.5, 1);
      return (x) => ((x + start) % 1 < share ? high : 0);
    }
    case 'rough': {
      const levels = Array.from({ length: Math.min(period, 12) }, () => random.uniform());
      return (x) => levels[Math.floor(((x + start) % 1) * levels.length)]!;
    }
    default: {
      const count = kind === 'rush' ? 2 : random.integer(1, 3);
      const bumps = Array.from({ length: count }, (_, i) => ({
        center: kind === 'rush' ? start + 0.38 * i : random.uniform(),
        width: random.between(0.05, 0.4),
        height: random.between(0.3, 1),
      }));
      return (x) => bumps.reduce((s, b) => s + b.height * bump(x, b.center, b.width), 0);
    }
  }
};

/** Factors of the cycles within their group: weekends apart, others near 1. */
const drawFactors = (random: Random, group: number): readonly number[] => {
  const weekend = random.between(0.3, 1.2);
  const offset = random.integer(0, 6);
  const spread = random.between(0, 0.1);
  const phase = random.uniform();
  const depth = random.between(0, 0.5);
  return Array.from({ length: group }, (_, i) =>
    group === 7
      ? ((i + offset) % 7 < 2 ? weekend : 1) + random.normal(0, spread)
      : 1 + depth * Math.sin(2 * Math.PI * (i / group + phase)),
  );
};

interface Amplitude {
  next(): number;
}

/** exp of an AR(1) across cycles. */
const wanderingAmplitude = (random: Random): Amplitude => {
  const keep = random.between(0, 0.98);
  const size = random.logBetween(0.01, 0.4) * Math.sqrt(1 - keep * keep);
  let state = 0;
  return {
    next: () => {
      state = keep * state + random.normal(0, size);
      return Math.exp(state);
    },
  };
};

export const cycleTemplates: Generator = (random, length) => {
  const fitting = CYCLES.filter(({ period }) => 3 * period <= length);
  if (fitting.length === 0) {
    const flat = Float64Array.from({ length }, () => 1 + random.normal(0, 0.1));
    return { values: flat, periods: [] };
  }
  const { period, group } =
    fitting[
      drawIndex(
        random,
        fitting.map(({ weight }) => weight),
      )
    ]!;
  const shape = drawShape(random, period);
  const other = random.chance(0.3) ? drawShape(random, period) : shape;
  const factors = drawFactors(random, group);
  const amplitude = wanderingAmplitude(random);
  const jitter = random.chance(0.5) ? random.between(0, 0.03) : 0;
  const every = random.integer(30, 120);
  const floor = random.between(0, 1.5);
  const keep = random.chance(0.7) ? random.between(0, 0.98) : 0;
  const noise = random.logBetween(0.003, 0.4);
  const isProportional = random.chance(0.5);
  const weekend = factors.indexOf(Math.min(...factors));
  const year = random.between(0, 0.5);
  const yearPhase = random.uniform();
  const yearSteps = (period === 7 ? 1 : period) * 365;
  const values = new Float64Array(length);
  const begin = random.integer(0, period - 1);
  let size = amplitude.next();
  let shift = 0;
  let day = 0;
  let error = 0;
  for (let t = 0; t < length; t++) {
    const phase = (t + begin) % period;
    if (phase === 0) {
      size = amplitude.next();
      shift = random.normal(0, jitter);
      day++;
    }
    const place = day % every === every - 1 ? weekend : day % group;
    const x = (phase / period + shift + 1) % 1;
    const own = place === weekend ? other(x) : shape(x);
    const slow = 1 + year * Math.sin(2 * Math.PI * (t / yearSteps + yearPhase));
    const value = floor + own * factors[place]! * size;
    error = keep * error + random.normal(0, noise * Math.sqrt(1 - keep * keep));
    values[t] = slow * (isProportional ? value * (1 + error) : value + error);
  }
  return {
    values,
    periods: group > 1 && period * group <= length ? [period, period * group] : [period],
  };
};
