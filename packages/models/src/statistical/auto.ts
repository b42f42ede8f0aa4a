/**
 * The model that runs when none is named. Several models forecast the end of the history from earlier origins
 * (rolling-origin evaluation); their medians are combined with weights that fall with their errors there, and around
 * the combination stands the spread of those whose errors were measured and not assumed. What was tried, how it
 * scored and what it weighs is told.
 */
import { autoEts } from './auto-ets.ts';
import { croston } from './croston.ts';
import type { History, Prediction, StatisticalModel } from './history.ts';
import { isMultiplicative, ofLogarithms } from './logarithms.ts';
import { mstl } from './mstl.ts';
import { drift, naive } from './naive.ts';
import {
  fitRegression,
  MOST_SAMPLES,
  type Regression,
  recentPast,
  regressAt,
} from './regression.ts';
import { theta } from './theta.ts';

/** Up to this many points all models are tried, at more origins. */
const SHORT = 300;
const ORIGINS = { short: 4, long: 2 } as const;
const REHEARSAL_SAMPLES = 150;
/** Weights fall with this power of the error. */
const SHARPNESS = 2;
/** Members that would weigh less are left out. */
const LEAST_WEIGHT = 0.05;
/** Share of zeros from which demand counts as intermittent. */
const MANY_ZEROS = 0.4;

interface Member {
  readonly name: string;
  /** Weight before any evidence. */
  readonly prior: number;
  /** How much its spread is to be trusted. */
  readonly trust: number;
  /** Forecasts from the first `end` points. */
  readonly forecast: (end: number, horizon: number) => Prediction;
}

interface Rehearsal {
  readonly origins: readonly number[];
  readonly steps: number;
}

/** Origins at which members are compared, the latest first, all in the second half of the history. */
const rehearsalOf = (history: History, horizon: number): Rehearsal => {
  const n = history.values.length;
  const steps = Math.min(horizon, Math.max(1, Math.floor(n / 8)));
  const most = n <= SHORT ? ORIGINS.short : ORIGINS.long;
  const origins: number[] = [];
  for (let end = n - steps; end >= Math.max(4, n / 2) && origins.length < most; end -= steps) {
    origins.push(end);
  }
  return { origins, steps };
};

const plain = (history: History, name: string, model: StatisticalModel, prior: number): Member => ({
  name,
  prior,
  trust: history.values.length <= SHORT ? prior : 0,
  forecast: (end, horizon) =>
    model({ ...history, values: history.values.subarray(0, end) }, horizon),
});

/** Learns once for all origins of the rehearsal, from what lies before them, and once for the forecast. */
const regression = (history: History, horizon: number, { origins }: Rehearsal): Member => {
  const n = history.values.length;
  const past = recentPast(history, horizon);
  const cut = n - past.y.length;
  let rehearsed: Regression | undefined;
  return {
    name: 'regression',
    prior: 1,
    trust: 3,
    forecast: (end, steps) => {
      if (end === n) {
        return regressAt(fitRegression(past, steps, n - cut, MOST_SAMPLES), n - cut, steps);
      }
      const earliest = origins[origins.length - 1]! - cut;
      rehearsed ??= fitRegression(past, steps, earliest, REHEARSAL_SAMPLES);
      return regressAt(rehearsed, end - cut, steps);
    },
  };
};

const isIntermittent = ({ values, zero, isNonNegative, seasons }: History): boolean => {
  if (!isNonNegative || seasons.length > 0) return false;
  let zeros = 0;
  for (const value of values) zeros += Math.abs(value - zero) < 1e-9 ? 1 : 0;
  return zeros > MANY_ZEROS * values.length && zeros < values.length;
};

/** Models that make sense for the history. */
const membersFor = (history: History, horizon: number, rehearsal: Rehearsal): readonly Member[] => {
  const n = history.values.length;
  if (n < 4) return [plain(history, 'naive', naive, 1)];
  if (isIntermittent(history)) return [plain(history, 'croston', croston, 1)];
  const period = history.seasons.find((length) => 3 * length <= n) ?? 1;
  const isLearnable = n >= 3 * period + (period > 1 ? 8 : 18);
  const isSeasonal = history.seasons.some((length) => 2 * length <= n);
  const members: Member[] = [];
  if (isLearnable) members.push(regression(history, horizon, rehearsal));
  if (isSeasonal) members.push(plain(history, 'mstl', mstl, 0.7));
  if (!isSeasonal || n <= SHORT) {
    members.push(plain(history, 'auto-ets', autoEts, isSeasonal ? 0.3 : 0.7));
  }
  if (n <= SHORT) {
    members.push(plain(history, 'theta', theta, 0.3));
    if (isMultiplicative(history)) {
      const [name, model] = isSeasonal
        ? (['mstl', mstl] as const)
        : (['auto-ets', autoEts] as const);
      members.push(plain(history, `${name} of logarithms`, ofLogarithms(model), 0.3));
    }
  }
  if (!isLearnable) members.push(plain(history, 'drift', drift, 0.2));
  return members;
};

/** Mean absolute error of the median over the rehearsal. */
const errorOf = (
  { forecast }: Member,
  { values }: History,
  { origins, steps }: Rehearsal,
): number => {
  let sum = 0;
  for (const origin of origins) {
    const path = forecast(origin, steps).quantile(0.5);
    for (let h = 0; h < steps; h++) sum += Math.abs(values[origin + h]! - path[h]!);
  }
  return sum / (origins.length * steps);
};

const normalized = (weights: readonly number[]): number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
};

const weightsOf = (members: readonly Member[], errors: readonly number[]): number[] => {
  const least = Math.min(...errors);
  const raw = normalized(
    members.map(({ prior }, k) => {
      if (errors[k] === least) return prior;
      return least > 0 ? prior * (least / errors[k]!) ** SHARPNESS : 0;
    }),
  );
  return normalized(raw.map((weight) => (weight >= LEAST_WEIGHT ? weight : 0)));
};

/** Sum of paths [horizon] by their shares. */
const mix = (paths: readonly Float64Array[], shares: readonly number[]): Float64Array =>
  paths[0]!.map((_, h) => paths.reduce((sum, path, k) => sum + shares[k]! * path[h]!, 0));

const combine = (
  predictions: readonly Prediction[],
  weights: readonly number[],
  trusts: readonly number[],
  explanation: Readonly<Record<string, unknown>>,
): Prediction => {
  const medians = predictions.map(({ quantile }) => quantile(0.5));
  const center = mix(medians, weights);
  const middle = mix(medians, trusts);
  const moved = (path: Float64Array): Float64Array =>
    path.map((value, h) => value - middle[h]! + center[h]!);
  return {
    mean: mix(
      predictions.map(({ mean }) => mean),
      weights,
    ),
    quantile: (level) =>
      moved(
        mix(
          predictions.map(({ quantile }) => quantile(level)),
          trusts,
        ),
      ),
    explanation,
  };
};

/** The combination of all members that weigh enough; one member alone where no other suits. */
export const auto = (history: History, horizon: number): Prediction => {
  const n = history.values.length;
  const rehearsal = rehearsalOf(history, horizon);
  const members = membersFor(history, horizon, rehearsal);
  const isCompared = members.length > 1 && rehearsal.origins.length > 0;
  const errors = members.map((member) => (isCompared ? errorOf(member, history, rehearsal) : 0));
  const weights = weightsOf(members, errors);
  const chosen = members
    .map((member, k) => ({ ...member, weight: weights[k]! }))
    .filter(({ weight }) => weight > 0);
  const predictions = chosen.map(({ forecast }) => forecast(n, horizon));
  const first = chosen.reduce((a, b) => (b.weight > a.weight ? b : a));
  const explanation = {
    chosen: first.name,
    why: reasonOf(members.length, isCompared, rehearsal),
    members: chosen.map(({ name, weight }, k) => ({
      ...predictions[k]!.explanation,
      name,
      weight,
    })),
    ...(isCompared ? { scores: scoresOf(members, errors, history) } : {}),
  };
  const trusts = normalized(chosen.map(({ trust, weight }) => trust * weight));
  return combine(
    predictions,
    chosen.map(({ weight }) => weight),
    trusts,
    explanation,
  );
};

const reasonOf = (count: number, isCompared: boolean, { origins, steps }: Rehearsal): string => {
  if (count === 1) return 'the only model that suits such a history';
  if (!isCompared) return 'the history is too short to compare models on it';
  const times = origins.length === 1 ? 'once' : `from ${origins.length} earlier origins`;
  return `least mean absolute error when the last points were forecast ${times}, ${steps} steps each; weights fall with its square`;
};

/** Mean absolute errors of the rehearsal in the series' units. */
const scoresOf = (
  members: readonly Member[],
  errors: readonly number[],
  { scale }: History,
): Readonly<Record<string, number>> =>
  Object.fromEntries(members.map(({ name }, k) => [name, errors[k]! * scale]));
