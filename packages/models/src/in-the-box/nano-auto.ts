/**
 * What runs when no model is named: tollama-nano and `auto`, joined per series by what both did on its own past.
 */
import { z } from 'zod';
import {
  DECILES,
  JOIN_SETTINGS,
  type JoinMember,
  type JoinSettings,
  joinForecasts,
} from '../ensemble/rehearsed-join.ts';
import type { ModelSeries, Outcome, SeriesForecast, TargetForecast, Task } from '../family.ts';
import { quantilesWithTails } from '../quantiles.ts';
import { readOptions } from '../read-options.ts';
import { observe } from '../statistical/history.ts';
import { type CandidateSeasons, forecastStatistical } from '../statistical/index.ts';

/** Options of the join; others belong to its members. */
const Options = z.object({
  /** Origins in the past that are rehearsed; 0 joins by the prior weights alone, at a fraction of the cost. */
  origins: z.int().min(0).max(8).default(JOIN_SETTINGS.origins),
});

/** Weights before any evidence: best over synthetic series and the real ones of bench/real-series.ts. */
export const PRIORS = { 'tollama-nano': 0.7, auto: 0.3 } as const;

export type ForecastTask = (task: Task) => Promise<Outcome>;

interface Part {
  readonly forecast: TargetForecast;
  readonly explanation: Readonly<Record<string, unknown>>;
}

const memberOf = (
  name: keyof typeof PRIORS,
  forecast: ForecastTask,
  series: ModelSeries,
  options: Task['options'],
): JoinMember => ({
  name,
  prior: PRIORS[name],
  forecast: async (past, horizon) => {
    const { forecasts } = await forecast({
      series: [
        { id: series.id, targets: [past], ...(series.freq !== undefined && { freq: series.freq }) },
      ],
      horizon,
      quantiles: DECILES,
      options,
    });
    return forecasts[0]!.targets[0]!.quantiles;
  },
});

const meanOf = (deciles: readonly Float64Array[]): Float64Array =>
  deciles[0]!.map((_, h) => deciles.reduce((sum, row) => sum + row[h]!, 0) / deciles.length);

/** What the parts of a task have in common. */
interface Join {
  readonly nano: ForecastTask;
  readonly classical: ForecastTask;
  readonly settings: JoinSettings;
  readonly task: Task;
  readonly warnings: string[];
}

/** A history that tells nothing of the two models goes to the classical one alone. */
const tellsNothing = (values: Float64Array): boolean =>
  values.length < 2 || values.every((value) => value === values[0]);

const forecastTarget = async (
  { nano, classical, settings, task, warnings }: Join,
  series: ModelSeries,
  target: ArrayLike<number>,
): Promise<Part> => {
  const { values, trailing } = observe(target);
  if (tellsNothing(values)) {
    const outcome = await classical({ ...task, series: [{ ...series, targets: [target] }] });
    warnings.push(...outcome.warnings);
    const [{ targets, explanation = {} }] = outcome.forecasts as [SeriesForecast];
    return { forecast: targets[0]!, explanation };
  }
  const members = [
    memberOf('tollama-nano', nano, series, task.options),
    memberOf('auto', classical, series, task.options),
  ];
  const horizon = trailing + task.horizon;
  const { deciles, explanation } = await joinForecasts(values, horizon, members, settings);
  const rows = deciles.map((row) => row.subarray(trailing));
  const quantiles = quantilesWithTails(rows, DECILES, task.quantiles);
  return { forecast: { mean: meanOf(rows), quantiles }, explanation };
};

const forecastSeries = async (join: Join, series: ModelSeries): Promise<SeriesForecast> => {
  const parts: Part[] = [];
  for (const target of series.targets) parts.push(await forecastTarget(join, series, target));
  const told =
    parts.length === 1
      ? parts[0]!.explanation
      : { targets: parts.map(({ explanation }) => explanation) };
  return {
    targets: parts.map(({ forecast }) => forecast),
    explanation: { ...told, model: 'nano-auto' },
  };
};

/**
 * The join as a model.
 *
 * @param nano forecasts of tollama-nano
 * @param candidates season lengths of a frequency
 * @throws TollamaError INVALID_REQUEST for options that are not the join's or `auto`'s
 */
export const nanoAuto =
  (nano: ForecastTask, candidates: CandidateSeasons): ForecastTask =>
  async (task) => {
    const { origins } = readOptions(Options, task, 'tollama-nano');
    const settings = { ...JOIN_SETTINGS, origins };
    const classical: ForecastTask = async (part) => forecastStatistical('auto', part, candidates);
    const warnings: string[] = [];
    const join = { nano, classical, settings, task, warnings };
    const forecasts: SeriesForecast[] = [];
    for (const series of task.series) forecasts.push(await forecastSeries(join, series));
    return { forecasts, warnings };
  };
