/** Forecasts from any origins of a panel's series, with its exogenous rows: all that the routes are made of. */
import type { CovariateValues } from '@tollama/core/series';
import { forecastWithIntervals } from '../columnar/intervals.ts';
import { type CallSeries, type ModelCalls, readsCovariates } from '../columnar/model-calls.ts';
import type { ModelProfile } from '../forecast/model-profile.ts';
import { type ExogenousRow, type Panel, refuseBody } from './panel.ts';
import { type Span, spanOf, type Window } from './span.ts';
import { cleanWindow } from './window-regression.ts';

export interface WindowsOptions {
  readonly horizon: number;
  /** Ascending levels in (0, 1). */
  readonly levels: readonly number[];
  readonly isMultivariate: boolean;
  /** Whether what the rows explain is taken out before the model sees the series. */
  readonly isCleanedFirst: boolean;
  /** Whether models that give a point alone get quantiles from their errors before the window; default true. */
  readonly isCalibrated?: boolean;
}

export interface WindowRows {
  /** [horizon] */
  readonly mean: readonly number[];
  /** [levels][horizon]; empty where there are none. */
  readonly quantiles: readonly (readonly number[])[];
  /** What each row adds to the mean, where a regression says so. [rows][horizon] */
  readonly effects?: readonly Float64Array[];
}

/** Models whose own way is not used get a regression around them. */
const takesAll = (profile: ModelProfile, { rows, isKnownAhead }: Panel): boolean => {
  const { covariates } = profile.capabilities;
  return (
    readsCovariates(profile) &&
    rows.every(({ kind }, i) => {
      const isWords = kind === 'words';
      if (isKnownAhead[i]) {
        return isWords
          ? covariates.future_covariates_categorical
          : covariates.future_covariates_numeric;
      }
      return isWords ? covariates.past_covariates_categorical : covariates.past_covariates_numeric;
    })
  );
};

/** Whether the model itself reads the rows. */
export const isNative = (profile: ModelProfile, panel: Panel): boolean =>
  panel.rows.length > 0 && takesAll(profile, panel);

const listed = (values: Float64Array | readonly string[]): CovariateValues =>
  Array.from<number | string>(values) as CovariateValues;

/** The row's values over the horizon of a window; past the end of the series its last one. */
export const aheadOf = (
  row: ExogenousRow,
  panel: Panel,
  { series, origin }: Window,
  horizon: number,
): CovariateValues => {
  const { future, past } = row;
  if (future) return listed(future.slice(series * horizon, (series + 1) * horizon));
  const offset = panel.offsets[series]!;
  const last = panel.sizes[series]! - 1;
  return Array.from(
    { length: horizon },
    (_, k) => past[offset + Math.min(origin + k, last)]!,
  ) as CovariateValues;
};

const nativeRows = (
  panel: Panel,
  window: Window,
  { from, end }: Span,
  horizon: number,
): Pick<CallSeries, 'past' | 'future'> => {
  const past = panel.rows.map((row, i) => [`x${i}`, listed(row.past.slice(from, end))]);
  const future = panel.rows.flatMap((row, i) =>
    panel.isKnownAhead[i] ? [[`x${i}`, aheadOf(row, panel, window, horizon)]] : [],
  );
  return {
    past: Object.fromEntries(past),
    ...(future.length > 0 && { future: Object.fromEntries(future) }),
  };
};

const historyOf = (panel: Panel, window: Window, { from, end }: Span): CallSeries => {
  const target = panel.values.subarray(from, end);
  if (!target.some((value) => !Number.isNaN(value))) {
    refuseBody(
      ['series', 'y'],
      `series ${window.series} has no value before its point ${window.origin}`,
    );
  }
  const start = panel.starts?.[window.series];
  return { target, ...(start !== undefined && { start }) };
};

/** Runs series together round by round where they may look at each other, else all at once. */
const run = async (
  calls: ModelCalls,
  windows: readonly Window[],
  series: readonly CallSeries[],
  { horizon, levels, isMultivariate, isCalibrated }: WindowsOptions,
): Promise<WindowRows[]> => {
  const options = { levels, isCalibrated };
  if (!isMultivariate) return forecastWithIntervals(calls, series, horizon, options);
  const rows = new Array<WindowRows>(windows.length);
  const rounds = Map.groupBy(windows.keys(), (i) => windows[i]!.round);
  for (const places of rounds.values()) {
    const own = places.map((i) => series[i]!);
    const made = await forecastWithIntervals(calls, own, horizon, {
      ...options,
      isTogether: true,
    });
    places.forEach((place, i) => {
      rows[place] = made[i]!;
    });
  }
  return rows;
};

/** Numeric columns of the rows that are not known ahead, forecast by the model itself. [windows][rows] */
const columnsAhead = async (
  calls: ModelCalls,
  columns: readonly (readonly Float64Array[])[],
  isKnownAhead: readonly boolean[],
  horizon: number,
): Promise<(readonly number[] | undefined)[][]> => {
  const ahead: (readonly number[] | undefined)[][] = columns.map((rows) =>
    rows.map(() => undefined),
  );
  const places = columns.flatMap((rows, w) =>
    rows.flatMap((_, r) => (isKnownAhead[r] ? [] : [{ w, r }])),
  );
  if (places.length === 0) return ahead;
  const series = places.map(({ w, r }) => ({ target: columns[w]![r]! }));
  const forecasts = await calls.forecast(series, horizon, { levels: [] });
  places.forEach(({ w, r }, i) => {
    ahead[w]![r] = forecasts[i]!.mean;
  });
  return ahead;
};

const regressed = async (
  panel: Panel,
  windows: readonly Window[],
  calls: ModelCalls,
  options: WindowsOptions,
): Promise<WindowRows[]> => {
  const { horizon, isCleanedFirst } = options;
  const cleaned = windows.map((window) => cleanWindow(panel, spanOf(panel, window, calls.context)));
  const ahead = await columnsAhead(
    calls,
    cleaned.map(({ columns }) => columns),
    panel.isKnownAhead,
    horizon,
  );
  const series = windows.map((window, w) => {
    const history = historyOf(panel, window, spanOf(panel, window, calls.context));
    return isCleanedFirst ? { ...history, target: cleaned[w]!.target } : history;
  });
  const rows = await run(calls, windows, series, options);
  return rows.map(({ mean, quantiles }, w) => {
    const effects = panel.rows.map((row, r) => {
      const values = ahead[w]![r] ?? aheadOf(row, panel, windows[w]!, horizon);
      return cleaned[w]!.effect(r, values);
    });
    const added = (row: readonly number[]): number[] =>
      row.map((value, step) => effects.reduce((sum, effect) => sum + effect[step]!, value));
    return { mean: added(mean), quantiles: quantiles.map(added), effects };
  });
};

/**
 * Forecasts of `horizon` steps from each window's origin, seeing nothing after it but rows that are known ahead.
 *
 * @throws TollamaError what a forecast throws; INVALID_REQUEST for a window without any value before it
 */
export const forecastWindows = async (
  panel: Panel,
  windows: readonly Window[],
  calls: ModelCalls,
  options: WindowsOptions,
): Promise<WindowRows[]> => {
  if (windows.length === 0) return [];
  const withRows = panel.rows.length > 0;
  if (withRows && !isNative(calls.profile, panel)) {
    return regressed(panel, windows, calls, options);
  }
  const series = windows.map((window) => {
    const span = spanOf(panel, window, calls.context);
    const history = historyOf(panel, window, span);
    return withRows ? { ...history, ...nativeRows(panel, window, span, options.horizon) } : history;
  });
  return run(calls, windows, series, options);
};
