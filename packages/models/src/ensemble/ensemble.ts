/** A forecast from several models: each forecasts the task, a recipe combines their quantiles. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Outcome, SeriesForecast, TargetForecast, Task } from '../family.ts';
import { quantilesWithTails } from '../quantiles.ts';
import { type Fans, iqrWeighted, linearPool, vincentize } from './aggregation.ts';
import type { EnsembleRecipe } from './recipe.ts';

/** An opened model, or anything that forecasts. */
export interface EnsembleMember {
  readonly name: string;
  forecast(task: Task): Promise<Outcome>;
}

/** How the fans of one point become one fan at the recipe's levels. */
type Combine = (fans: Fans) => number[];

const combination = (
  recipe: EnsembleRecipe,
  count: number,
  weights?: readonly number[],
): Combine => {
  const { aggregation_method, quantile_levels: levels, iqr_weighted_options: iqr } = recipe;
  switch (aggregation_method) {
    case 'linear_pool':
      return (fans) => linearPool(fans, levels, weights);
    case 'vincent':
      return (fans) => vincentize(fans, recipe.average, weights);
    case 'iqr_weighted': {
      // With fewer members than planned, the planned cap may leave no way to sum to 1.
      const cap = iqr.max_weight === null ? undefined : Math.max(iqr.max_weight, 1 / count);
      const options = { temperature: iqr.temperature, maxWeight: cap };
      return (fans) => iqrWeighted(fans, levels, options, weights);
    }
  }
};

/** [members][levels][steps] -> [levels][steps] */
const combineRows = (
  rows: readonly (readonly ArrayLike<number>[])[],
  combine: Combine,
): Float64Array[] => {
  const steps = rows[0]![0]!.length;
  const combined = rows[0]!.map(() => new Float64Array(steps));
  for (let t = 0; t < steps; t++) {
    const fan = combine(rows.map((levels) => levels.map((row) => row[t]!)));
    fan.forEach((value, level) => {
      combined[level]![t] = value;
    });
  }
  return combined;
};

const combineTarget = (
  forecasts: readonly TargetForecast[],
  recipe: EnsembleRecipe,
  combine: Combine,
  asked: readonly number[],
): TargetForecast => {
  const levels = recipe.quantile_levels;
  const rows = combineRows(
    forecasts.map(({ quantiles }) => quantiles),
    combine,
  );
  return {
    mean: rows[levels.indexOf(0.5)]!,
    quantiles: quantilesWithTails(rows, levels, asked),
  };
};

interface Voice {
  readonly name: string;
  readonly forecasts: readonly SeriesForecast[];
  /** Of the recipe, where it has weights. */
  readonly weight: number | undefined;
}

const hasFans = ({ forecasts }: Outcome, levels: number): boolean =>
  forecasts.every(({ targets }) => targets.every(({ quantiles }) => quantiles.length === levels));

/** What the members say; one that fails, or gives no quantiles, is left out with a warning. */
const hear = async (
  members: readonly EnsembleMember[],
  recipe: EnsembleRecipe,
  task: Task,
): Promise<{ voices: Voice[]; warnings: string[] }> => {
  const voices: Voice[] = [];
  const warnings: string[] = [];
  const levels = recipe.quantile_levels;
  for (const [i, member] of members.entries()) {
    try {
      const outcome = await member.forecast({ ...task, quantiles: levels });
      if (hasFans(outcome, levels.length)) {
        const { forecasts } = outcome;
        voices.push({ name: member.name, forecasts, weight: recipe.weights?.[i] });
        warnings.push(...outcome.warnings.map((warning) => `${member.name}: ${warning}`));
      } else {
        warnings.push(`${member.name} is left out: it gives no quantiles`);
      }
    } catch (error) {
      warnings.push(`${member.name} is left out: ${errorMessage(error)}`);
    }
  }
  return { voices, warnings };
};

/** The recipe's weights of the members that are heard, of sum 1 again. */
const weightsOf = (voices: readonly Voice[]): number[] | undefined => {
  const weights = voices.map(({ weight }) => weight ?? Number.NaN);
  const total = weights.reduce((a, b) => a + b, 0);
  return total > 0 ? weights.map((weight) => weight / total) : undefined;
};

/**
 * Forecasts with every member, one after another, and combines them. The mean is the combined median.
 *
 * @throws TollamaError RUNNER_ERROR when no member gives a forecast
 * @example
 * await forecastEnsemble([{ name: 'ttm', forecast: ttm.forecast }], readRecipe({}), task);
 */
export const forecastEnsemble = async (
  members: readonly EnsembleMember[],
  recipe: EnsembleRecipe,
  task: Task,
): Promise<Outcome> => {
  const { voices, warnings } = await hear(members, recipe, task);
  const [first] = voices;
  if (!first) {
    throw new TollamaError(
      'RUNNER_ERROR',
      `no member of the ensemble gives a forecast: ${warnings.join('; ')}`,
    );
  }
  const combine = combination(recipe, voices.length, weightsOf(voices));
  const forecasts = first.forecasts.map(
    ({ targets }, series): SeriesForecast => ({
      targets: targets.map((_, target) =>
        combineTarget(
          voices.map((voice) => voice.forecasts[series]!.targets[target]!),
          recipe,
          combine,
          task.quantiles,
        ),
      ),
      explanation: {
        method: recipe.aggregation_method,
        members: voices.map(({ name }) => name),
      },
    }),
  );
  return { forecasts, warnings };
};
