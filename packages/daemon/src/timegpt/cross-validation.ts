/** `/v2/cross_validation`: forecasts from earlier origins; with `full_history` a fit of the history itself. */

import type { ModelCalls } from '../columnar/model-calls.ts';
import { contributionsOf } from './contributions.ts';
import { tokens, windowsOptions } from './forecast.ts';
import { fitHistory } from './history-fit.ts';
import { intervalsOf } from './intervals-of-levels.ts';
import { type Panel, refuseBody } from './panel.ts';
import type { CrossValidationBody } from './requests.ts';
import type { Window } from './span.ts';
import { forecastWindows } from './windows.ts';

/** Window w of a series of n points starts at n - h - step * (windows - 1 - w). */
const rollingWindows = (panel: Panel, h: number, step: number, count: number): Window[] =>
  panel.sizes.flatMap((size, series) => {
    const first = size - h - step * (count - 1);
    if (first < 1) {
      const needed = h + step * (count - 1) + 1;
      refuseBody(
        ['series', 'sizes', series],
        `series ${series} has ${size} points; h=${h}, n_windows=${count} and step_size=${step} need ${needed}`,
      );
    }
    return Array.from({ length: count }, (_, round) => ({
      series,
      round,
      origin: first + step * round,
    }));
  });

const fullHistory = async (
  body: CrossValidationBody,
  panel: Panel,
  calls: ModelCalls,
  season: number,
) => {
  const levels = body.level ?? [];
  const fit = await fitHistory(panel, calls, season, (horizon) =>
    windowsOptions(body, horizon, levels),
  );
  const kind = body.feature_contributions ? (body.feature_contributions_type ?? 'shapley') : null;
  const whole =
    kind && panel.rows.length > 0 ? await fit.contributions(kind, contributionsOf) : null;
  return {
    mean: fit.mean,
    sizes: fit.sizes,
    idxs: fit.places,
    intervals: fit.intervals(levels),
    ...(whole && { feature_contributions: whole }),
    ...tokens(panel.values.length, fit.mean.length),
  };
};

export const crossValidate = async (
  body: CrossValidationBody,
  panel: Panel,
  calls: ModelCalls,
  season: number,
) => {
  if (body.full_history) return fullHistory(body, panel, calls, season);
  const { h, n_windows } = body;
  const levels = body.level ?? [];
  const windows = rollingWindows(panel, h, body.step_size ?? h, n_windows);
  const rows = await forecastWindows(panel, windows, calls, windowsOptions(body, h, levels));
  return {
    mean: rows.flatMap(({ mean }) => mean),
    sizes: panel.sizes.map(() => n_windows * h),
    idxs: windows.flatMap(({ series, origin }) =>
      Array.from({ length: h }, (_, k) => panel.offsets[series]! + origin + k),
    ),
    intervals: intervalsOf(levels, rows),
    ...tokens(panel.values.length, rows.length * h),
  };
};
