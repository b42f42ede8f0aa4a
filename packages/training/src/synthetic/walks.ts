/** Random walks with heavy tails, drift, GARCH(1,1) variances (Bollerslev 1986) and jumps; half of them geometric. */
import type { Generator } from './generator.ts';

export const walks: Generator = (random, length) => {
  const freedom = random.logBetween(2.5, 30);
  const drift = random.chance(0.5) ? random.between(-0.05, 0.05) : 0;
  const a = random.between(0.03, 0.15);
  const persistence = random.between(0.9, 0.995);
  const b = persistence - a;
  const jumps = new Map<number, number>();
  const count = random.poisson(1.5);
  for (let k = 0; k < count; k++) {
    jumps.set(random.integer(0, length - 1), random.normal(0, 8));
  }
  // Some walks are pulled back: what looks like a walk often is one only for a while.
  const pull = random.chance(0.3) ? random.logBetween(0.003, 0.3) : 0;
  const values = new Float64Array(length);
  let variance = 1;
  let last = 0;
  let level = 0;
  for (let t = 0; t < length; t++) {
    variance = Math.min(50, 1 - persistence + a * last * last + b * variance);
    last = Math.sqrt(variance) * random.student(freedom);
    level += drift + last - pull * level + (jumps.get(t) ?? 0);
    values[t] = level;
  }
  if (random.chance(0.5)) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    const reach = random.logBetween(0.05, 1.5);
    for (let t = 0; t < length; t++) values[t] = Math.exp((values[t]! / largest) * reach);
  }
  const noise = random.chance(0.4) ? random.logBetween(0.1, 3) : 0;
  const isPlain = noise === 0;
  const size = isPlain ? 0 : noise * Math.abs(values[length - 1]! - values[0]!) * length ** -0.5;
  for (let t = 0; t < length && !isPlain; t++) values[t]! += random.normal(0, size);
  return { values, periods: [] };
};
