/** `/v2/forecast`: the steps that follow each series. */

import type { ModelCalls } from '../columnar/model-calls.ts';
import { contributionsOf, rowWeights } from './contributions.ts';
import { intervalsOf, quantilesOfLevels } from './intervals-of-levels.ts';
import type { Panel } from './panel.ts';
import type { ForecastBody } from './requests.ts';
import type { Window } from './span.ts';
import { forecastWindows, type WindowsOptions } from './windows.ts';

/** A window at the end of each series. */
export const lastWindows = (panel: Panel): Window[] =>
  panel.sizes.map((origin, series) => ({ series, origin, round: 0 }));

export const windowsOptions = (
  body: Pick<ForecastBody, 'multivariate' | 'clean_ex_first'>,
  horizon: number,
  levels: readonly number[],
): WindowsOptions => ({
  horizon,
  levels: quantilesOfLevels(levels),
  isMultivariate: body.multivariate ?? false,
  isCleanedFirst: body.clean_ex_first ?? true,
});

/** Numbers that were read and written; steps of fine-tuning are counted by who tunes. */
export const tokens = (input: number, output: number) => ({
  input_tokens: input,
  output_tokens: output,
  finetune_tokens: 0,
});

export const forecastPanel = async (body: ForecastBody, panel: Panel, calls: ModelCalls) => {
  const { h, level, feature_contributions, feature_contributions_type } = body;
  const levels = level ?? [];
  const windows = lastWindows(panel);
  const options = windowsOptions(body, h, levels);
  const rows = await forecastWindows(panel, windows, calls, options);
  const contributions =
    feature_contributions && panel.rows.length > 0
      ? await contributionsOf(feature_contributions_type ?? 'shapley', {
          panel,
          windows,
          calls,
          options,
          rows,
        })
      : null;
  return {
    mean: rows.flatMap(({ mean }) => mean),
    intervals: intervalsOf(levels, rows),
    weights_x: rowWeights(panel, calls.context),
    feature_contributions: contributions,
    ...tokens(panel.values.length, rows.length * h),
  };
};
