/** From series to test instances: what is known before each window, and what came. */
import { TollamaError } from '@tollama/core/errors';
import { labelStart } from './protocol.ts';

/** A univariate series of a data set. */
export interface DataSeries {
  readonly id: string;
  /** First timestamp. */
  readonly start: string;
  readonly freq: string;
  /** Oldest first, NaN where missing. */
  readonly target: Float64Array;
}

/** A series of one variate, or of several over the same time. */
export interface StoredSeries extends Omit<DataSeries, 'target'> {
  readonly target: Float64Array | readonly Float64Array[];
}

export interface Instance {
  readonly series: DataSeries;
  /** Window, 0-based, oldest first. */
  readonly window: number;
  /** Everything before the label. */
  readonly input: Float64Array;
  readonly label: Float64Array;
}

/** Multivariate series become one for each variate: `<id>_dim<i>`, series by series. */
export const toUnivariate = (stored: readonly StoredSeries[]): DataSeries[] =>
  stored.flatMap(({ target, ...rest }) =>
    target instanceof Float64Array
      ? [{ ...rest, target }]
      : target.map((values, i) => ({ ...rest, id: `${rest.id}_dim${i}`, target: values })),
  );

/** The series, those whose id another has had before as `<id>~2`, `<id>~3`: forecasts are told apart by their ids. */
export const withOwnIds = (all: readonly DataSeries[]): readonly DataSeries[] => {
  const seen = new Map<string, number>();
  return all.map((one) => {
    const count = (seen.get(one.id) ?? 0) + 1;
    seen.set(one.id, count);
    return count === 1 ? one : { ...one, id: `${one.id}~${count}` };
  });
};

/** Length of the shortest series; the windows of a data set come from it. */
export const shortestLength = (all: readonly DataSeries[]): number =>
  all.reduce((least, { target }) => Math.min(least, target.length), Number.POSITIVE_INFINITY);

/**
 * All instances: series by series, then window by window.
 *
 * @throws TollamaError INVALID_INPUT for a series without a point before its first window
 */
export function* testInstances(
  all: readonly DataSeries[],
  horizon: number,
  windows: number,
): Generator<Instance> {
  for (const series of all) {
    const { target } = series;
    if (labelStart(target.length, horizon, windows, 0) < 1) {
      throw new TollamaError(
        'INVALID_INPUT',
        `series '${series.id}' has ${target.length} points, too few for ${windows} windows of ${horizon} steps`,
        { hint: 'give longer series, or a shorter horizon in configs.json' },
      );
    }
    for (let window = 0; window < windows; window++) {
      const from = labelStart(target.length, horizon, windows, window);
      yield {
        series,
        window,
        input: target.subarray(0, from),
        label: target.subarray(from, from + horizon),
      };
    }
  }
}
