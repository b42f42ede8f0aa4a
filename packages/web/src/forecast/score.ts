/** How near a forecast came to what was held out. */
import { levelKey } from './level-key.ts';
import { mirroredPairs } from './quantile-levels.ts';
import type { Forecast } from './run.ts';

export interface Score {
  /** Mean absolute error. */
  readonly mae: number;
  /** The same over that of seasonal naive within the history; below 1 is better. Undefined for a flat history. */
  readonly mase: number | undefined;
  /** Share of the actuals within the widest interval, and the share that it promises. */
  readonly coverage: { readonly share: number; readonly promised: number } | undefined;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean absolute difference of values one season apart; undefined when there is none. */
export const naiveError = (
  history: readonly (number | null)[],
  season: number,
): number | undefined => {
  const lag = season < history.length ? season : 1;
  const differences = history.flatMap((value, i) => {
    const before = history[i - lag];
    return value === null || before === null || before === undefined
      ? []
      : [Math.abs(value - before)];
  });
  const error = mean(differences);
  return error > 0 ? error : undefined;
};

const coverageOf = (
  { quantiles }: Forecast,
  actuals: readonly (number | null)[],
  levels: readonly number[],
): Score['coverage'] => {
  const [widest] = mirroredPairs(levels);
  if (!widest || !quantiles) return undefined;
  const [low, high] = widest.map((level) => quantiles[levelKey(level)]);
  if (!low || !high) return undefined;
  const inside = actuals.flatMap((value, i) =>
    value === null ? [] : [value >= low[i]! && value <= high[i]! ? 1 : 0],
  );
  return { share: mean(inside), promised: widest[1] - widest[0] };
};

/** Undefined when nothing was observed over the horizon. */
export const scoreOf = (
  forecast: Forecast,
  actuals: readonly (number | null)[],
  history: { readonly values: readonly (number | null)[]; readonly season: number },
  levels: readonly number[],
): Score | undefined => {
  const errors = actuals.flatMap((value, i) => {
    const predicted = forecast.mean[i];
    return value === null || predicted === undefined ? [] : [Math.abs(value - predicted)];
  });
  if (errors.length === 0) return undefined;
  const mae = mean(errors);
  const naive = naiveError(history.values, history.season);
  return {
    mae,
    mase: naive === undefined ? undefined : mae / naive,
    coverage: coverageOf(forecast, actuals, levels),
  };
};
