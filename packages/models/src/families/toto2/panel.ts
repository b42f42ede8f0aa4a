/**
 * From series to the dense arrays of one batch: variates padded on the left to whole patches, the horizon's
 * patches behind them (toto2, model.py, `_prepare_forecast_inputs` and the GluonTS wrapper's transforms).
 */
import type { ModelSeries } from '../../family.ts';
import { type Imputation, impute } from '../../impute.ts';
import { joinedVariates, type Variate } from '../../joined-variates.ts';
import { groupsOf } from '../../variate-groups.ts';
import { CONTEXT_LENGTH, type Config } from './config.ts';
import type { ForecastOptions } from './options.ts';

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

/** Points of history that are read. */
const contextPoints = (length: number, horizon: number, p: number, o: ForecastOptions): number => {
  if (o.context_length === undefined) return Math.min(length, CONTEXT_LENGTH);
  const room = Math.floor(o.context_length / p) - (Math.ceil(horizon / p) - 1);
  return Math.min(length, Math.max(room, 1) * p);
};

/** Puts a variate into its row: history up to the end of the context, the known future after it. */
const place = (
  { kind, history, future }: Variate,
  points: number,
  contextEnd: number,
  length: number,
  { patchSize, imputation }: { readonly patchSize: number; readonly imputation: Imputation },
): { values: Float32Array; observed: Uint8Array } => {
  const values = new Float32Array(length);
  const observed = new Uint8Array(length);
  const put = (part: Float32Array, at: number, how: Imputation): void => {
    const own = part.slice();
    const known = impute(own, how);
    values.set(own, at);
    observed.set(known, at);
  };
  // The wrapper imputes targets; missing covariates are zeros.
  const kept = history.subarray(history.length - points);
  put(kept, contextEnd - points, kind === 'target' ? imputation : 'none');
  put(future.subarray(0, length - contextEnd), contextEnd, 'none');
  // Training never left the end of the context open, so whatever stands there counts as observed.
  if (kind !== 'known') observed.fill(1, contextEnd - patchSize, contextEnd);
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
  const { patch_size: patchSize } = c;
  const { imputation, series_ids } = options;
  const points = series.map(({ targets }) =>
    contextPoints(targets[0]!.length, horizon, patchSize, options),
  );
  const context = Math.ceil(Math.max(1, ...points) / patchSize);
  const steps = Math.ceil(horizon / patchSize);
  const rows = series.map(joinedVariates);
  const variates = rows[0]!.length;
  const placed = rows.flatMap((own, b) =>
    own.map((variate) => {
      const [end, length] = [context * patchSize, (context + steps) * patchSize];
      return place(variate, points[b]!, end, length, { patchSize, imputation });
    }),
  );
  return {
    batch: series.length,
    variates,
    forecasted: rows[0]!.filter(({ kind }) => kind !== 'known').length,
    context,
    horizon: steps,
    values: placed.map(({ values }) => values),
    observed: placed.map(({ observed }) => observed),
    groups: series.flatMap(({ id, targets }, b) => {
      const grouped = { id, index: indices[b]!, targets: targets.length, variates };
      return groupsOf(series_ids, 'series_ids', grouped);
    }),
  };
};
