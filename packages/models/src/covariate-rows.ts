/** Covariates of windows, as models that read them by name are trained and asked. */

export interface CovariateNames {
  /** Known over the context alone. */
  readonly past_covariates: readonly string[];
  /** Known over context and horizon. */
  readonly future_covariates: readonly string[];
  readonly static_covariates: readonly string[];
}

/** The covariates of one series in the order of the names, NaN where missing. */
export interface CovariateRow {
  /** [names][length of the history] */
  readonly past: readonly ArrayLike<number>[];
  /** [names]: the history, then what is known of the horizon. */
  readonly future: readonly FutureColumn[];
  readonly statics: readonly number[];
}

export interface FutureColumn {
  readonly past: ArrayLike<number>;
  readonly ahead: ArrayLike<number>;
}

/** A window of a row, whose label begins at `start` of the row's time. */
export interface RowWindow {
  readonly row: CovariateRow;
  readonly start: number;
}
