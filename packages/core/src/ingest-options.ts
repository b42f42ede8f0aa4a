/** How tables become series on the daemon's side: which columns, and whether gaps are repaired. */
import { z } from 'zod';

export const REPAIR_METHODS = ['auto', 'linear', 'seasonal', 'bspline'] as const;

/** Opt-in repair of gaps: missing values and missing timestamps. */
export const RepairOptions = z.strictObject({
  enabled: z.boolean().default(false),
  /** auto: seasonal where two cycles are known, linear elsewhere. */
  method: z.enum(REPAIR_METHODS).default('auto'),
  /** Share of points that may be missing; past it the series is refused. */
  max_missing_ratio: z.number().min(0).max(1).default(0.3),
  /** Longest run of missing points; null: any. */
  max_gap: z.int().positive().nullable().default(24),
  /** nearest: missing ends repeat the nearest value; reject: they are refused. */
  edge_strategy: z.enum(['nearest', 'reject']).default('nearest'),
  /** Steps of a season; from the frequency when absent. */
  seasonal_period: z.int().positive().nullish(),
});
export type RepairOptions = z.infer<typeof RepairOptions>;

export const IngestOptions = z.strictObject({
  format: z.enum(['csv', 'json', 'ndjson', 'parquet', 'arrow', 'duckdb']).nullish(),
  timestamp_column: z.string().min(1).nullish(),
  series_id_column: z.string().min(1).nullish(),
  target_column: z.string().min(1).nullish(),
  /** Columns that go along as past covariates; none when absent. */
  covariate_columns: z.array(z.string().min(1)).nullish(),
  freq: z.string().min(1).nullish(),
  /** A column whose first value is the series' frequency. */
  freq_column: z.string().min(1).nullish(),
  preprocessing: z.strictObject({ missing: RepairOptions.prefault({}) }).nullish(),
});
export type IngestOptions = z.infer<typeof IngestOptions>;

/** What was found and repaired in one series. */
export interface RepairReport {
  readonly id: string;
  readonly original_row_count: number;
  readonly regularized_row_count: number;
  readonly raw_null_target_count: number;
  readonly missing_timestamp_count: number;
  readonly imputed_point_count: number;
  readonly max_gap: number;
  readonly missing_ratio: number;
  readonly requested_method: RepairOptions['method'];
  readonly used_method: string;
  readonly warnings: readonly string[] | null;
}
