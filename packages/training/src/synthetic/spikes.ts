/** Levels with spikes: regular, in bursts or at random, built up or sudden, flat-topped or pointed, over quiet noise. */
import { drawIndex, type Generator } from './generator.ts';
import type { Random } from './random.ts';

const PLANS = ['regular', 'patchy', 'random'] as const;

/** Positions of the spikes; and the gap between them where it is regular. */
const drawEvents = (random: Random, length: number): { events: number[]; period: number } => {
  const gap = Math.round(random.logBetween(6, Math.max(8, Math.min(300, length / 4))));
  const plan = PLANS[drawIndex(random, [0.5, 0.35, 0.15])]!;
  const events: number[] = [];
  let isOn = true;
  for (let t = random.integer(0, gap - 1); t < length; t += gap) {
    if (plan === 'patchy' && random.chance(0.15)) isOn = !isOn;
    if (plan === 'patchy' && !isOn) continue;
    events.push(plan === 'random' ? random.integer(0, length - 1) : t);
    if (random.chance(0.05)) events.push(Math.min(length - 1, t + random.integer(1, 5)));
  }
  return { events, period: plan === 'regular' ? gap : 0 };
};

/** The spike's shape from its event on. */
const drawShape = (random: Random): ((k: number) => number) => {
  const rise = random.integer(0, 3);
  const plateau = random.chance(0.3) ? random.integer(1, 20) : 0;
  const decay = random.chance(0.5) ? random.logBetween(0.2, 30) : 0;
  return (k) => {
    if (k < rise) return (k + 1) / (rise + 1);
    if (k <= rise + plateau) return 1;
    return decay > 0 ? Math.exp(-(k - rise - plateau) / decay) : 0;
  };
};

const REACH = 120;

export const spikes: Generator = (random, length) => {
  const base = random.between(-100, 100);
  const { events, period } = drawEvents(random, length);
  const shape = drawShape(random);
  const sign = random.chance(0.7) ? 1 : -1;
  const usual = random.between(10, 50);
  const keep = random.chance(0.5) ? 0.99 : 0;
  const noise = random.logBetween(0.005, 0.3) * usual;
  const values = new Float64Array(length);
  let error = 0;
  for (let t = 0; t < length; t++) {
    error = keep * error + random.normal(0, noise * Math.sqrt(1 - keep * keep));
    values[t] = base + error;
  }
  let size = usual;
  for (const event of events) {
    size = 0.7 * size + 0.3 * usual + 0.2 * usual * random.normal();
    size = Math.min(3 * usual, Math.max(0.1 * usual, size));
    for (let k = 0; k < REACH && event + k < length; k++) {
      const part = shape(k);
      if (part < 1e-3) break;
      values[event + k]! += sign * size * part;
    }
  }
  return { values, periods: period > 1 ? [period] : [] };
};
