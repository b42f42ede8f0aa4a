/** A suite's results in a few numbers: relative to seasonal naive, ranked, and compared pair by pair. */
import { compareRatios, type RatioComparison } from '../comparison/diebold-mariano.ts';
import {
  geometricMean,
  leaderboard,
  type Score,
  type ScoreTable,
  type Standing,
} from './leaderboard.ts';
import { BASELINE } from './predictor.ts';
import type { ModelResults, SuiteResult } from './suite.ts';

export interface ModelSummary {
  readonly model: string;
  /** Geometric means over configurations, relative to seasonal naive. */
  readonly mase: number;
  readonly crps: number;
  readonly configurations: number;
  /** Forecasts that seasonal naive had to give. */
  readonly replaced: number;
}

/** MASE and CRPS of a model by the names of configurations. */
export const scoresOf = ({ results }: ModelResults): Record<string, Score> =>
  Object.fromEntries(
    results.map(({ configuration, metrics }) => [
      configuration,
      { mase: metrics['MASE[0.5]'], crps: metrics.mean_weighted_sum_quantile_loss },
    ]),
  );

const isUsable = (value: number): boolean => value > 0 && Number.isFinite(value);

/** Geometric mean over the configurations where both scores are positive; NaN without one. */
const relative = (own: readonly number[], base: readonly number[]): number => {
  const ratios = own.flatMap((score, i) => {
    const ratio = score / base[i]!;
    return isUsable(ratio) ? [ratio] : [];
  });
  return ratios.length > 0 ? geometricMean(ratios) : Number.NaN;
};

/** Each model in one line; configurations without a finite, positive ratio are left out of its means. */
export const summarize = ({ baseline, models }: SuiteResult): ModelSummary[] => {
  const base = Object.values(scoresOf(baseline));
  return models.map((one) => {
    const own = Object.values(scoresOf(one));
    return {
      model: one.model,
      mase: relative(
        own.map(({ mase }) => mase),
        base.map(({ mase }) => mase),
      ),
      crps: relative(
        own.map(({ crps }) => crps),
        base.map(({ crps }) => crps),
      ),
      configurations: own.length,
      replaced: one.results.reduce((sum, { replaced }) => sum + replaced, 0),
    };
  });
};

/** Standings of the evaluated models and of others whose scores on the same configurations are known. */
export const standings = (
  { baseline, models }: SuiteResult,
  others: ScoreTable = {},
): Standing[] => {
  const own = [baseline, ...models.filter(({ model }) => model !== BASELINE)];
  const base = scoresOf(baseline);
  const names = Object.keys(base).filter((name) =>
    own.every((one) => {
      const score = scoresOf(one)[name]!;
      return isUsable(score.mase) && isUsable(score.crps);
    }),
  );
  const whole = Object.entries(others).filter(([, scores]) =>
    names.every((name) => Object.hasOwn(scores, name)),
  );
  if (names.length === 0) return [];
  const pick = (scores: Readonly<Record<string, Score>>) =>
    Object.fromEntries(names.map((name) => [name, scores[name]!]));
  return leaderboard(
    Object.fromEntries([
      ...whole.map(([model, scores]) => [model, pick(scores)] as const),
      ...own.map((one) => [one.model, pick(scoresOf(one))] as const),
    ]),
    BASELINE,
  );
};

export interface PairComparison extends RatioComparison {
  readonly a: string;
  readonly b: string;
}

/** CRPS of each pair of models over the configurations. */
export const comparePairs = ({ baseline, models }: SuiteResult): PairComparison[] => {
  const all = [baseline, ...models.filter(({ model }) => model !== BASELINE)];
  return all.flatMap((b, j) =>
    all.slice(j + 1).flatMap((a): PairComparison[] => {
      const [own, other] = [a, b].map((one) =>
        Object.values(scoresOf(one)).map(({ crps }) => crps),
      );
      const usable = own!.flatMap((value, i) =>
        isUsable(value) && isUsable(other![i]!) ? [i] : [],
      );
      if (usable.length < 2) return [];
      const compared = compareRatios(
        usable.map((i) => own![i]!),
        usable.map((i) => other![i]!),
      );
      return [{ a: a.model, b: b.model, ...compared }];
    }),
  );
};

/**
 * The last line of an evaluation.
 *
 * @example
 * lastLine(summaries); // 'geometric mean relative to seasonal naive over 29 configurations: auto MASE 0.7912 CRPS 0.5534'
 */
export const lastLine = (summaries: readonly ModelSummary[]): string => {
  const count = summaries[0]?.configurations ?? 0;
  const parts = summaries.map(
    ({ model, mase, crps }) => `${model} MASE ${mase.toFixed(4)} CRPS ${crps.toFixed(4)}`,
  );
  const over = count === 1 ? '1 configuration' : `${count} configurations`;
  return `geometric mean relative to seasonal naive over ${over}: ${parts.join('; ')}`;
};
