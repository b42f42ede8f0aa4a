/**
 * Windows to train on: a context and the steps after it, cut from series. What is validated comes after all that
 * is trained on, so that no label of the validation was ever seen.
 */
import { TollamaError } from '@tollama/core/errors';
import type { CovariateRow, RowWindow } from '@tollama/models/covariate-rows';

export interface TrainingSeries {
  readonly id: string;
  /** [length], NaN where missing. */
  readonly values: Float32Array;
  /** Of models that read covariates. */
  readonly covariates?: CovariateRow;
}

export interface WindowOptions {
  /** Points before the label that a model reads. */
  readonly context: number;
  /** Steps of a label. */
  readonly horizon: number;
  /** Points that a context must have at least. */
  readonly shortestContext: number;
  /** Labels at the end of each series that are kept for validation. */
  readonly validationWindows: number;
}

/** One label of a series. */
export interface Window {
  readonly series: number;
  /** Where the label begins. */
  readonly start: number;
}

export interface WindowPlan {
  readonly options: WindowOptions;
  readonly series: readonly TrainingSeries[];
  /** Starts that training may draw for each series: from `first`, `count` of them. */
  readonly ranges: readonly {
    readonly series: number;
    readonly first: number;
    readonly count: number;
  }[];
  /** Windows of training in all. */
  readonly count: number;
  readonly validation: readonly Window[];
}

const validationOf = (
  series: readonly TrainingSeries[],
  { horizon, validationWindows, shortestContext }: WindowOptions,
): Window[] =>
  series.flatMap(({ values }, index) =>
    Array.from({ length: validationWindows }, (_, k) => ({
      series: index,
      start: values.length - horizon * (validationWindows - k),
    })).filter(({ start }) => start >= shortestContext),
  );

/**
 * Where training and validation windows lie.
 *
 * @throws TollamaError INVALID_INPUT when no series is long enough for a single window of training
 */
export const planWindows = (
  series: readonly TrainingSeries[],
  options: WindowOptions,
): WindowPlan => {
  const { horizon, validationWindows, shortestContext } = options;
  const ranges = series.flatMap(({ values }, index) => {
    const end = values.length - horizon * validationWindows;
    const count = end - horizon - shortestContext + 1;
    return count > 0 ? [{ series: index, first: shortestContext, count }] : [];
  });
  const count = ranges.reduce((sum, range) => sum + range.count, 0);
  if (count === 0) {
    const needed = shortestContext + horizon * (validationWindows + 1);
    const longest = Math.max(0, ...series.map(({ values }) => values.length));
    throw new TollamaError(
      'INVALID_INPUT',
      `the longest of ${series.length} series has ${longest} points; training with horizon ${horizon} needs ${needed}`,
      { hint: 'give longer series, a shorter --horizon, or fewer --validation-windows' },
    );
  }
  return { options, series, ranges, count, validation: validationOf(series, options) };
};

export interface WindowBatch {
  /** [size, context], padded on the left with NaN; NaN where missing. */
  readonly contexts: Float32Array;
  /** [size, horizon], NaN where missing. */
  readonly labels: Float32Array;
  readonly size: number;
  readonly context: number;
  readonly horizon: number;
  /** Where the covariates of the windows lie, of series that have any. */
  readonly rows?: readonly RowWindow[];
}

/** The values of windows as dense arrays. */
export const cutWindows = (
  { series, options: { context, horizon } }: Pick<WindowPlan, 'series' | 'options'>,
  windows: readonly Window[],
): WindowBatch => {
  const size = windows.length;
  const contexts = new Float32Array(size * context).fill(Number.NaN);
  const labels = new Float32Array(size * horizon).fill(Number.NaN);
  windows.forEach(({ series: index, start }, row) => {
    const { values } = series[index]!;
    const from = Math.max(0, start - context);
    contexts.set(values.subarray(from, start), (row + 1) * context - (start - from));
    labels.set(values.subarray(start, start + horizon), row * horizon);
  });
  const rows = windows.flatMap(({ series: index, start }) => {
    const row = series[index]!.covariates;
    return row ? [{ row, start }] : [];
  });
  return { contexts, labels, size, context, horizon, ...(rows.length > 0 && { rows }) };
};
