/** From series to forecasts. */
import { z } from 'zod';
import type { Outcome, RunGraph, Task } from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { readOptions } from '../../read-options.ts';
import { type PatchTstConfig, quantileLevels } from './config.ts';
import { callModel } from './windows.ts';

const Options = z.object({
  /** Patches further apart do not see each other; no limit when absent. */
  attn_window: z.int().min(0).optional(),
});

const warningsOf = (task: Task, levels: readonly number[]): string[] => {
  const warnings: string[] = [];
  const beyond = task.quantiles.filter((level) => level < levels[0]! || level > levels.at(-1)!);
  if (beyond.length > 0) {
    warnings.push(
      `quantiles ${beyond.join(', ')} lie beyond the levels ${levels[0]} to ${levels.at(-1)} of this checkpoint: they are extrapolated`,
    );
  }
  for (const { id, targets } of task.series) {
    if (Array.from(targets[0]!).every(Number.isNaN)) {
      warnings.push(`series '${id}' has no value: neither has its forecast`);
    }
  }
  return warnings;
};

/** Forecasts of a task: see docs/models/patchtst-fm.md for its options. */
export const forecastSeries = async (
  run: RunGraph,
  c: PatchTstConfig,
  task: Task,
): Promise<Outcome> => {
  const { attn_window } = readOptions(Options, task, 'patchtst-fm');
  const rows = task.series.map(({ targets }) => ({ values: targets[0]! }));
  const call = { rows, horizon: task.horizon, attentionWindow: attn_window };
  const forecasts = await callModel(run, c, call);
  const levels = quantileLevels(c);
  return {
    forecasts: forecasts.map(({ mean, quantiles }) => ({
      targets: [{ mean, quantiles: quantilesWithTails(quantiles, levels, task.quantiles) }],
    })),
    warnings: warningsOf(task, levels),
  };
};
