/**
 * Quantiles for every model: the model's own, or, where it gives a point alone, split conformal ones from the
 * errors of forecasts over the history that was sent.
 */
import { TollamaError } from '@tollama/core/errors';
import { type CalibrationRow, calibrate } from '../conformal/calibrate.ts';
import { uncrossed } from './level-plan.ts';
import type { CallOptions, CallRows, CallSeries, ModelCalls } from './model-calls.ts';

const MOST_WINDOWS = 8;

interface Cut {
  readonly index: number;
  readonly series: CallSeries;
  /** What came after the cut. */
  readonly actual: Float64Array;
}

const sliced = (
  rows: CallSeries['past'],
  from: number,
  end: number,
): NonNullable<CallSeries['past']> =>
  Object.fromEntries(
    Object.entries(rows ?? {}).map(([name, values]) => [name, values.slice(from, end)]),
  ) as NonNullable<CallSeries['past']>;

/** The series as it was at earlier origins; rows that are known ahead are known there too. */
const cutsOf = (series: CallSeries, index: number, horizon: number): Cut[] => {
  const { target, past, future } = series;
  const steps = Math.min(horizon, Math.max(1, Math.floor(target.length / 4)));
  const cuts: Cut[] = [];
  for (let at = target.length - steps; at >= 1 && cuts.length < MOST_WINDOWS; at -= steps) {
    const known = Object.fromEntries(Object.keys(future ?? {}).map((name) => [name, past![name]!]));
    cuts.push({
      index,
      actual: target.subarray(at, at + steps),
      series: {
        ...series,
        target: target.subarray(0, at),
        ...(past && { past: sliced(past, 0, at) }),
        ...(future && { future: sliced(known, at, at + steps) }),
      },
    });
  }
  return cuts.filter(({ series: cut }) => cut.target.some((value) => !Number.isNaN(value)));
};

/** Forecasts from up to eight earlier origins of each series, beside what came. [series][windows] */
export const calibrationRows = async (
  calls: ModelCalls,
  series: readonly CallSeries[],
  horizon: number,
): Promise<CalibrationRow[][]> => {
  const cuts = series.flatMap((one, i) => cutsOf(one, i, horizon));
  const rows: CalibrationRow[][] = series.map(() => []);
  const byLength = Map.groupBy(cuts, ({ actual }) => actual.length);
  for (const [steps, group] of byLength) {
    const forecasts = await calls.forecast(
      group.map((cut) => cut.series),
      steps,
      { levels: [] },
    );
    group.forEach(({ index, actual }, i) => {
      rows[index]!.push({ actual, predicted: forecasts[i]!.mean });
    });
  }
  return rows;
};

/**
 * Rows of the levels around a mean, by the errors of earlier forecasts; they never cross.
 *
 * @returns undefined without any error to go by
 */
export const conformalRows = (
  mean: readonly number[],
  errors: readonly CalibrationRow[],
  levels: readonly number[],
): readonly (readonly number[])[] | undefined => {
  const rows: number[][] = [];
  for (const level of levels) {
    const coverage = Math.abs(1 - 2 * level);
    const widths = coverage > 0 ? calibrate(errors, coverage, 'split')?.widths : [0];
    if (!widths) return undefined;
    const side = level < 0.5 ? -1 : 1;
    rows.push(mean.map((value, step) => value + side * widths[Math.min(step, widths.length - 1)]!));
  }
  return uncrossed(rows);
};

const tooShort = (index: number): never => {
  throw new TollamaError(
    'INVALID_REQUEST',
    `series ${index} is too short for an interval: the model gives a point alone`,
    { hint: 'send a longer history, leave level out, or use a model with quantiles' },
  );
};

export interface IntervalOptions extends CallOptions {
  /** Whether models that give a point alone get intervals from their errors; else no rows. */
  readonly isCalibrated?: boolean | undefined;
}

/** Like `ModelCalls.forecast`, with a row for each level whatever the model. */
export const forecastWithIntervals = async (
  calls: ModelCalls,
  series: readonly CallSeries[],
  horizon: number,
  { isCalibrated = true, ...options }: IntervalOptions,
): Promise<(CallRows & { readonly quantiles: readonly (readonly number[])[] })[]> => {
  const rows = await calls.forecast(series, horizon, options);
  const { levels } = options;
  const isPoint = levels.length > 0 && rows.some(({ quantiles }) => !quantiles);
  const errors =
    isPoint && isCalibrated ? await calibrationRows(calls, series, horizon) : undefined;
  return rows.map(({ mean, quantiles }, i) => ({
    mean,
    quantiles:
      quantiles ?? (errors ? (conformalRows(mean, errors[i]!, levels) ?? tooShort(i)) : []),
  }));
};
