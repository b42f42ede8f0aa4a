/**
 * The model that runs when none is named: it lets the others forecast the end of the history from several
 * earlier origins (rolling-origin evaluation), and combines the quantiles of those that did well, each with a
 * weight that falls with its loss. What was tried, how it scored and what it weighs is told.
 */
import { autoEts } from './auto-ets.ts';
import { croston } from './croston.ts';
import { ewma } from './ewma.ts';
import type { History, Prediction, StatisticalModel } from './history.ts';
import { mstl } from './mstl.ts';
import { drift, naive, seasonalNaive } from './naive.ts';
import { theta } from './theta.ts';

const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9];
const MOST_ORIGINS = 4;
/** A member's weight is its loss to this power. */
const SHARPNESS = -4;
/** Members whose weight would be below this are left out. */
const LEAST_WEIGHT = 0.05;

interface Member {
  readonly name: string;
  readonly model: StatisticalModel;
}

/** Members that make sense for the history. */
const membersFor = (history: History): readonly Member[] => {
  const { values, zero, isNonNegative, seasons } = history;
  const zeros = values.reduce((count, value) => count + Number(Math.abs(value - zero) < 1e-9), 0);
  const members: Member[] = [{ name: 'ewma', model: ewma }];
  if (isNonNegative && zeros > 0.3 * values.length && zeros < values.length) {
    members.push({ name: 'croston', model: croston });
  }
  if (values.length < 3) return [{ name: 'naive', model: naive }];
  members.push({ name: 'theta', model: theta }, { name: 'auto-ets', model: autoEts });
  if (seasons.some((length) => length < values.length)) {
    members.push({ name: 'seasonal-naive', model: seasonalNaive }, { name: 'mstl', model: mstl });
  } else if (values.length < 1000) {
    members.push({ name: 'drift', model: drift });
  }
  return members;
};

/** Lengths of the history at which the members are asked, the latest first. */
const originsOf = (history: History, horizon: number): number[] => {
  const n = history.values.length;
  const shortest = Math.max(
    4,
    ...history.seasons.map((length) => 2 * length).filter((s) => 2 * s < n),
  );
  const reach = Math.min(horizon, Math.max(1, Math.floor(n / 4)));
  const origins: number[] = [];
  for (let origin = n - reach; origin >= shortest && origins.length < MOST_ORIGINS; origin -= reach)
    origins.push(origin);
  return origins;
};

/** Sum of the quantile losses of a prediction against what came. */
const lossOf = (prediction: Prediction, actual: Float64Array): number => {
  let loss = 0;
  for (const level of LEVELS) {
    const path = prediction.quantile(level);
    for (let h = 0; h < actual.length; h++) {
      const miss = actual[h]! - path[h]!;
      loss += miss >= 0 ? level * miss : (level - 1) * miss;
    }
  }
  return (2 * loss) / (LEVELS.length * actual.length);
};

const weightsOf = (losses: readonly number[]): number[] => {
  const least = Math.min(...losses);
  const raw = losses.map((loss) => (loss > 0 ? (loss / least) ** SHARPNESS : 1));
  const safe = raw.map((weight) => (Number.isFinite(weight) ? weight : 0));
  const total = safe.reduce((a, b) => a + b, 0) || 1;
  const kept = safe.map((weight) => (weight / total >= LEAST_WEIGHT ? weight : 0));
  const sum = kept.reduce((a, b) => a + b, 0) || 1;
  return kept.map((weight) => weight / sum);
};

export const auto = (history: History, horizon: number): Prediction => {
  const members = membersFor(history);
  const origins = originsOf(history, horizon);
  const losses = members.map(({ model }) => {
    let loss = 0;
    for (const origin of origins) {
      const past = { ...history, values: history.values.subarray(0, origin) };
      const actual = history.values.subarray(
        origin,
        Math.min(history.values.length, origin + horizon),
      );
      loss += lossOf(model(past, actual.length), actual) / origins.length;
    }
    return loss;
  });
  const weights = origins.length > 0 ? weightsOf(losses) : members.map(() => 1 / members.length);
  const chosen = members.flatMap(({ name, model }, k) =>
    weights[k]! > 0 ? [{ name, weight: weights[k]!, prediction: model(history, horizon) }] : [],
  );
  const mix = (pathOf: (prediction: Prediction) => Float64Array): Float64Array => {
    const paths = chosen.map(({ prediction }) => pathOf(prediction));
    return new Float64Array(horizon).map((_, h) =>
      chosen.reduce((sum, { weight }, k) => sum + weight * paths[k]![h]!, 0),
    );
  };
  return {
    mean: mix(({ mean }) => mean),
    quantile: (level) => mix(({ quantile }) => quantile(level)),
    explanation: {
      chosen: chosen.reduce((a, b) => (b.weight > a.weight ? b : a)).name,
      why:
        origins.length > 0
          ? `lowest quantile loss over ${origins.length} earlier origins`
          : 'the history is too short to compare models on it',
      members: chosen.map(({ name, weight, prediction }) => ({
        name,
        weight,
        ...prediction.explanation,
      })),
      scores: Object.fromEntries(members.map(({ name }, k) => [name, losses[k]])),
    },
  };
};
