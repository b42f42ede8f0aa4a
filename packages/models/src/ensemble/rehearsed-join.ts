/**
 * Two or more forecasters joined by what they did on the same series' own past: each forecasts from earlier origins,
 * weights fall with the loss there and lean on a prior where little was seen, and quantiles are averaged level by
 * level (which keeps the sharpness of the members). One factor a stretch of the horizon corrects the spread.
 */
import { TollamaError } from '@tollama/core/errors';

/** Nine quantiles, deciles 1 to 9: [levels][horizon]. */
export type Deciles = readonly ArrayLike<number>[];

export const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

export interface JoinMember {
  readonly name: string;
  /** Weight before any evidence. */
  readonly prior: number;
  readonly forecast: (past: Float64Array, horizon: number) => Promise<Deciles>;
}

export interface JoinSettings {
  /** Most origins that are rehearsed. */
  readonly origins: number;
  /** How fast weights fall with the relative loss. */
  readonly sharpness: number;
  /** Origins' worth of trust in the prior. */
  readonly caution: number;
}

export const JOIN_SETTINGS: JoinSettings = { origins: 2, sharpness: 12, caution: 0.5 };

/** First steps of the stretches that have weights of their own. */
const STRETCHES = [1, 9, 49, 193] as const;
const DISCOUNT = 0.8;
const LEAST_WEIGHT = 0.05;
const FACTORS = [0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3, 1.5] as const;
const FACTOR_CAUTION = 3;
/** Forecasts farther than this many ranges of the history from it are not believed. */
const FARTHEST_RANGES = 20;

export interface Joined {
  readonly deciles: readonly Float64Array[];
  readonly explanation: Readonly<Record<string, unknown>>;
}

const stretchOf = (step: number): number => {
  let stretch = 0;
  while (stretch + 1 < STRETCHES.length && step >= STRETCHES[stretch + 1]!) stretch++;
  return stretch;
};

const pinball = (deciles: Deciles, h: number, y: number): number => {
  let loss = 0;
  for (let q = 0; q < DECILES.length; q++) {
    const off = y - deciles[q]![h]!;
    loss += Math.max(DECILES[q]! * off, (DECILES[q]! - 1) * off);
  }
  return loss / DECILES.length;
};

interface Rehearsal {
  readonly end: number;
  readonly trust: number;
  /** [members] */
  readonly forecasts: readonly Deciles[];
}

/** Origins back from the end, half a rehearsed horizon apart, in the second half of the history. */
export const joinOrigins = (
  n: number,
  horizon: number,
  most: number,
): { origins: readonly number[]; steps: number } => {
  const steps = Math.min(horizon, Math.floor(n / 4));
  const origins: number[] = [];
  for (let k = 0; k < most && steps > 0; k++) {
    const end = n - steps - k * Math.max(1, Math.ceil(steps / 2));
    if (end < Math.max(8, n / 2)) break;
    origins.push(end);
  }
  return { origins, steps };
};

const isBelievable = (deciles: Deciles, past: Float64Array): boolean => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of past) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const reach = FARTHEST_RANGES * (high - low) + 1e-9;
  return deciles.every((row) =>
    Array.prototype.every.call(
      row,
      (value: number) => value >= low - reach && value <= high + reach,
    ),
  );
};

/** [stretches][members]: discounted losses; and [stretches] the trust that was summed. */
const lossesOf = (
  values: Float64Array,
  rehearsals: readonly Rehearsal[],
  steps: number,
  count: number,
): { losses: Float64Array[]; trust: Float64Array } => {
  const losses = STRETCHES.map(() => new Float64Array(count));
  const trust = new Float64Array(STRETCHES.length);
  for (const { end, trust: own, forecasts } of rehearsals) {
    const seen = new Set<number>();
    for (let h = 0; h < steps; h++) {
      const stretch = stretchOf(h + 1);
      seen.add(stretch);
      forecasts.forEach((deciles, m) => {
        losses[stretch]![m]! += own * pinball(deciles, h, values[end + h]!);
      });
    }
    for (const stretch of seen) trust[stretch]! += own;
  }
  return { losses, trust };
};

const normalized = (weights: readonly number[]): number[] => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
};

const weightsOf = (
  losses: Float64Array,
  trust: number,
  priors: readonly number[],
  { sharpness, caution }: JoinSettings,
): readonly number[] => {
  const prior = normalized(priors);
  const least = Math.min(...losses.filter((_, m) => prior[m]! > 0));
  if (trust === 0 || !(least > 0)) return prior;
  const raw = prior.map((p, m) => p * Math.exp(-sharpness * (losses[m]! / least - 1)));
  const told = normalized(raw);
  const mixed = told.map((w, m) => (trust * w + caution * prior[m]!) / (trust + caution));
  return normalized(mixed.map((w) => (w < LEAST_WEIGHT ? 0 : w)));
};

const averaged = (
  forecasts: readonly Deciles[],
  weights: readonly number[],
  h: number,
): number[] => {
  const fan = DECILES.map((_, q) =>
    forecasts.reduce(
      (sum, deciles, m) => sum + (weights[m]! > 0 ? weights[m]! * deciles[q]![h]! : 0),
      0,
    ),
  );
  return fan.sort((a, b) => a - b);
};

/** The factor on the spread that would have been best, drawn towards 1. */
const spreadFactor = (
  values: Float64Array,
  rehearsals: readonly Rehearsal[],
  weights: readonly number[],
  steps: readonly number[],
  trust: number,
): number => {
  if (steps.length === 0 || trust === 0) return 1;
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  for (const factor of FACTORS) {
    let loss = 0;
    for (const { end, trust: own, forecasts } of rehearsals) {
      for (const h of steps) {
        const fan = averaged(forecasts, weights, h);
        const rows = fan.map((value) => [fan[4]! + factor * (value - fan[4]!)]);
        loss += own * pinball(rows, 0, values[end + h]!);
      }
    }
    if (loss < least) {
      least = loss;
      best = factor;
    }
  }
  return Math.exp((Math.log(best) * trust) / (trust + FACTOR_CAUTION));
};

const rehearse = async (
  values: Float64Array,
  members: readonly JoinMember[],
  horizon: number,
  most: number,
): Promise<{ rehearsals: Rehearsal[]; steps: number }> => {
  const { origins, steps } = joinOrigins(values.length, horizon, most);
  const rehearsals: Rehearsal[] = [];
  for (const [k, end] of origins.entries()) {
    const past = values.subarray(0, end);
    const forecasts: Deciles[] = [];
    for (const member of members) forecasts.push(await member.forecast(past, steps));
    rehearsals.push({ end, trust: DISCOUNT ** k, forecasts });
  }
  return { rehearsals, steps };
};

/** How the members are joined over one stretch. */
interface Table {
  readonly weights: readonly number[];
  readonly factor: number;
}

/** What the rehearsals told: losses [stretches][members] and trust [stretches]. */
interface Evidence {
  readonly values: Float64Array;
  readonly rehearsals: readonly Rehearsal[];
  readonly steps: number;
  readonly losses: readonly Float64Array[];
  readonly trust: Float64Array;
}

const tablesOf = (
  { values, rehearsals, steps, losses, trust }: Evidence,
  priors: readonly number[],
  horizon: number,
  settings: JoinSettings,
): Table[] => {
  const reach = steps > 0 ? stretchOf(steps) : 0;
  const share = Math.min(1, steps / horizon);
  return STRETCHES.map((_, stretch) => {
    // Stretches that no rehearsal reached take the last that one did.
    const from = Math.min(stretch, reach);
    const believed = trust[from]! * (stretch > reach ? share : 1);
    const weights = weightsOf(losses[from]!, believed, priors, settings);
    const own = Array.from({ length: steps }, (_, h) => h).filter((h) => stretchOf(h + 1) === from);
    // A few steps tell of the spread what all of them would.
    const sample = own.filter((_, i) => i % Math.ceil(own.length / 24) === 0);
    return { weights, factor: spreadFactor(values, rehearsals, weights, sample, believed) };
  });
};

/** [deciles][horizon] */
const joinedDeciles = (
  forecasts: readonly Deciles[],
  tables: readonly Table[],
  horizon: number,
): Float64Array[] => {
  const deciles = DECILES.map(() => new Float64Array(horizon));
  for (let h = 0; h < horizon; h++) {
    const { weights, factor } = tables[stretchOf(h + 1)]!;
    const fan = averaged(forecasts, weights, h);
    fan.forEach((value, q) => {
      deciles[q]![h] = fan[4]! + factor * (value - fan[4]!);
    });
  }
  return deciles;
};

const explanationOf = (
  { rehearsals, losses, trust }: Evidence,
  tables: readonly Table[],
  names: readonly string[],
  horizon: number,
): Joined['explanation'] => ({
  origins: rehearsals.length,
  stretches: STRETCHES.filter((first) => first <= horizon).map((from, i) => ({
    from,
    spread: tables[i]!.factor,
    weights: Object.fromEntries(names.map((name, m) => [name, tables[i]!.weights[m]!])),
    ...(trust[i]! > 0 && {
      losses: Object.fromEntries(names.map((name, m) => [name, losses[i]![m]! / trust[i]!])),
    }),
  })),
});

/**
 * Forecasts `horizon` steps after finite values.
 *
 * @throws TollamaError INTERNAL without members
 */
export const joinForecasts = async (
  values: Float64Array,
  horizon: number,
  members: readonly JoinMember[],
  settings: JoinSettings = JOIN_SETTINGS,
): Promise<Joined> => {
  if (members.length === 0) throw new TollamaError('INTERNAL', 'a join needs members');
  const { rehearsals, steps } = await rehearse(values, members, horizon, settings.origins);
  const forecasts: Deciles[] = [];
  for (const member of members) forecasts.push(await member.forecast(values, horizon));
  const believed = forecasts.map((deciles) => isBelievable(deciles, values));
  const priors = members.map(({ prior }, m) =>
    believed[m] || !believed.some(Boolean) ? prior : 0,
  );
  const seen = lossesOf(values, rehearsals, steps, members.length);
  const evidence = { values, rehearsals, steps, ...seen };
  const tables = tablesOf(evidence, priors, horizon, settings);
  const names = members.map(({ name }) => name);
  return {
    deciles: joinedDeciles(forecasts, tables, horizon),
    explanation: explanationOf(evidence, tables, names, horizon),
  };
};
