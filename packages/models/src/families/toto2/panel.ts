/**
 * From series to the dense arrays of one batch: variates padded on the left to whole patches, the horizon's
 * patches behind them (toto2, model.py, `_prepare_forecast_inputs` and the GluonTS wrapper's transforms).
 */
import type { ModelSeries } from '../../family.ts';
import type { Config } from './config.ts';
import { CONTEXT_LENGTH } from './config.ts';
import { type ForecastOptions, groupsOf, type Imputation } from './options.ts';

/** One row of the panel, before it has a place in it. */
interface Variate {
  /** The history, NaN where missing, and for covariates known ahead the horizon's values behind it. */
  readonly values: Float32Array;
  readonly historyLength: number;
  readonly kind: 'target' | 'past' | 'known';
  readonly group: number;
}

/** A batch of series of one number of variates. Rows are variates, series by series. */
export interface Panel {
  readonly batch: number;
  readonly variates: number;
  /** The first so many variates of a series are forecast, and fed back. */
  readonly forecasted: number;
  /** Patches of context, and of horizon. */
  readonly context: number;
  readonly horizon: number;
  /** [rows][(context + horizon) * patch]: 0 where nothing is known */
  readonly values: readonly Float32Array[];
  /** 1 where a value counts as observed. */
  readonly observed: readonly Uint8Array[];
  /** Group id of each row. */
  readonly groups: readonly number[];
}

/** Missing values replaced in place, by 0 before the first known one; returns where they were known. */
const impute = (values: Float32Array, imputation: Imputation): Uint8Array => {
  const known = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
  let last = -1;
  for (let i = 0; i <= values.length; i++) {
    if (i < values.length && !known[i]) continue;
    const from = last < 0 ? 0 : values[last]!;
    const isInner = last >= 0 && i < values.length;
    const step = imputation === 'linear' && isInner ? (values[i]! - from) / (i - last) : 0;
    const start = imputation === 'none' ? 0 : from;
    for (let k = last + 1; k < i; k++) values[k] = start + step * (k - last);
    last = i;
  }
  return known;
};

const variatesOf = (series: ModelSeries, groups: readonly number[]): Variate[] => {
  const { targets, pastCovariates = {}, futureCovariates = {} } = series;
  const historyLength = targets[0]!.length;
  const numbers = (values: ArrayLike<unknown>): Float32Array =>
    Float32Array.from(values as ArrayLike<number>);
  const rows = targets.map((target, i): Variate => {
    return { values: numbers(target), historyLength, kind: 'target', group: groups[i]! };
  });
  for (const [name, past] of Object.entries(pastCovariates)) {
    if (name in futureCovariates) continue;
    rows.push({ values: numbers(past), historyLength, kind: 'past', group: 0 });
  }
  for (const [name, future] of Object.entries(futureCovariates)) {
    const past = pastCovariates[name] ?? new Array<number>(historyLength).fill(Number.NaN);
    const values = new Float32Array(historyLength + future.length);
    values.set(numbers(past));
    values.set(numbers(future), historyLength);
    rows.push({ values, historyLength, kind: 'known', group: 0 });
  }
  return rows;
};

/** Points of history that are read. */
const contextPoints = (length: number, horizon: number, p: number, o: ForecastOptions): number => {
  if (o.context_length === undefined) return Math.min(length, CONTEXT_LENGTH);
  const room = Math.floor(o.context_length / p) - (Math.ceil(horizon / p) - 1);
  return Math.min(length, Math.max(room, 1) * p);
};

/** Puts a variate into its row: history up to the end of the context, the known future after it. */
const place = (
  variate: Variate,
  points: number,
  contextEnd: number,
  length: number,
  p: number,
  imputation: Imputation,
): { values: Float32Array; observed: Uint8Array } => {
  const own = variate.values.slice(variate.historyLength - points);
  // The wrapper imputes targets; missing covariates are zeros.
  const known = impute(own, variate.kind === 'target' ? imputation : 'none');
  const values = new Float32Array(length);
  const observed = new Uint8Array(length);
  const room = length - (contextEnd - points);
  values.set(own.subarray(0, room), contextEnd - points);
  observed.set(known.subarray(0, room), contextEnd - points);
  // Training never left the end of the context open, so whatever stands there counts as observed.
  if (variate.kind !== 'known') observed.fill(1, contextEnd - p, contextEnd);
  return { values, observed };
};

/**
 * Series of equal numbers of variates as one panel.
 *
 * @param indices places of the series in the task, by which options name them
 */
export const panelOf = (
  series: readonly ModelSeries[],
  indices: readonly number[],
  horizon: number,
  c: Config,
  options: ForecastOptions,
): Panel => {
  const p = c.patch_size;
  const points = series.map(({ targets }) =>
    contextPoints(targets[0]!.length, horizon, p, options),
  );
  const context = Math.ceil(Math.max(1, ...points) / p);
  const steps = Math.ceil(horizon / p);
  const rows = series.map((one, i) =>
    variatesOf(one, groupsOf(options, indices[i]!, one.targets.length, one.id)),
  );
  const placed = rows.flatMap((variates, b) =>
    variates.map((variate) =>
      place(variate, points[b]!, context * p, (context + steps) * p, p, options.imputation),
    ),
  );
  return {
    batch: series.length,
    variates: rows[0]!.length,
    forecasted: rows[0]!.filter(({ kind }) => kind !== 'known').length,
    context,
    horizon: steps,
    values: placed.map(({ values }) => values),
    observed: placed.map(({ observed }) => observed),
    groups: rows.flatMap((variates) => variates.map(({ group }) => group)),
  };
};
