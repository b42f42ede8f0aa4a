/** Models over many configurations: geometric means relative to a baseline, and mean ranks. */
import { TollamaError } from '@tollama/core/errors';

export interface Score {
  readonly mase: number;
  readonly crps: number;
}

/** model -> configuration -> score */
export type ScoreTable = Readonly<Record<string, Readonly<Record<string, Score>>>>;

export interface Standing extends Score {
  readonly model: string;
  /** Mean rank over configurations; ties share the average. */
  readonly maseRank: number;
  readonly crpsRank: number;
}

/**
 * Geometric mean of ratios.
 *
 * @throws TollamaError INVALID_REQUEST for a ratio that is not positive and finite
 */
export const geometricMean = (ratios: readonly number[], what = 'ratios'): number => {
  let sum = 0;
  for (const ratio of ratios) {
    if (!(ratio > 0 && Number.isFinite(ratio))) {
      throw new TollamaError('INVALID_REQUEST', `${what}: ${ratio} has no geometric mean`, {
        hint: 'scores must be positive and finite; leave the configuration out',
      });
    }
    sum += Math.log(ratio);
  }
  return Math.exp(sum / ratios.length);
};

/** Ranks from 1, ascending; equal values share their average rank. */
export const averageRanks = (values: readonly number[]): number[] =>
  values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Standings over the configurations that all models have, the best CRPS first.
 *
 * @throws TollamaError INVALID_REQUEST without the baseline, or without a common configuration
 */
export const leaderboard = (scores: ScoreTable, baseline: string): Standing[] => {
  const models = Object.keys(scores);
  const base = scores[baseline];
  if (!base) {
    throw new TollamaError('INVALID_REQUEST', `the baseline '${baseline}' has no scores`, {
      hint: `models are ${models.join(', ')}`,
    });
  }
  const configurations = Object.keys(base).filter((name) =>
    models.every((model) => Object.hasOwn(scores[model]!, name)),
  );
  if (configurations.length === 0) {
    throw new TollamaError('INVALID_REQUEST', 'the models have no configuration in common');
  }
  const rows = (measure: keyof Score) => {
    const ranks = configurations.map((name) =>
      averageRanks(models.map((model) => scores[model]![name]![measure])),
    );
    return models.map((model, m) => ({
      relative: geometricMean(
        configurations.map((name) => scores[model]![name]![measure] / base[name]![measure]),
        `${measure} of '${model}' relative to '${baseline}'`,
      ),
      rank: mean(ranks.map((row) => row[m]!)),
    }));
  };
  const [mase, crps] = [rows('mase'), rows('crps')];
  return models
    .map((model, m) => ({
      model,
      mase: mase[m]!.relative,
      crps: crps[m]!.relative,
      maseRank: mase[m]!.rank,
      crpsRank: crps[m]!.rank,
    }))
    .sort((a, b) => a.crps - b.crps);
};
