/** Regular series out of irregular ones: missing timestamps are inserted, missing values imputed, all on demand. */
import { TollamaError } from '@tollama/core/errors';
import {
  compareTimestamps,
  type Frequency,
  formatFrequency,
  futureTimestamps,
  inferFrequency,
  parseFrequency,
  parseTimestamps,
  seasonLengths,
} from '@tollama/core/frequency';
import type { RepairOptions, RepairReport } from '@tollama/core/ingest-options';
import { LIMITS } from '@tollama/core/limits';
import { impute } from './impute.ts';
import type { CovariateColumn, InputSeries } from './series-objects.ts';

export interface Repaired {
  readonly series: InputSeries;
  readonly report: RepairReport;
}

const refuse = (id: string, problem: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `series '${id}': ${problem}`, { hint });
};

interface Grid {
  readonly timestamps: readonly string[];
  /** Row of the input that stands at each step; -1 where the timestamp was missing. */
  readonly rows: readonly number[];
}

/** The regular timestamps from the first to the last one. */
const gridOf = (
  { id, timestamps }: InputSeries,
  frequency: Frequency,
  { max_missing_ratio }: RepairOptions,
): Grid => {
  const stamps = parseTimestamps(timestamps);
  const last = stamps.at(-1)!;
  // Past this many steps more would be missing than may be.
  const most = Math.min(
    LIMITS.points,
    Math.ceil(stamps.length / Math.max(1 - max_missing_ratio, 0.01)) + 1,
  );
  const later = futureTimestamps(stamps[0]!, frequency, most);
  const all = [timestamps[0]!, ...later];
  const steps = parseTimestamps(all);
  const kept: string[] = [];
  const rows: number[] = [];
  let row = 0;
  for (const [i, step] of steps.entries()) {
    if (row === stamps.length) break;
    const order = compareTimestamps(stamps[row]!, step);
    if (order < 0) break;
    kept.push(order === 0 ? timestamps[row]! : all[i]!);
    rows.push(order === 0 ? row++ : -1);
  }
  if (row === stamps.length) return { timestamps: kept, rows };
  const alias = formatFrequency(frequency);
  return compareTimestamps(steps.at(-1)!, last) < 0 && rows.length === steps.length
    ? refuse(
        id,
        `more than ${max_missing_ratio} of the timestamps are missing at freq '${alias}'`,
        'raise max_missing_ratio, or name the right freq',
      )
    : refuse(
        id,
        `timestamp '${timestamps[row]}' is no whole number of steps of '${alias}' after '${timestamps[0]}'`,
        'name the right freq, or round the timestamps',
      );
};

const frequencyOf = ({ freq, timestamps }: InputSeries): Frequency =>
  freq === 'auto' ? inferFrequency(timestamps).frequency : parseFrequency(freq);

const runsOfMissing = (values: Float64Array): { longest: number; atEnds: number } => {
  let longest = 0;
  let run = 0;
  let leading = 0;
  let hasKnown = false;
  for (const value of values) {
    run = Number.isNaN(value) ? run + 1 : 0;
    if (!Number.isNaN(value)) hasKnown = true;
    if (!hasKnown) leading = run;
    longest = Math.max(longest, run);
  }
  return { longest, atEnds: leading + run };
};

const checkLimits = (id: string, values: Float64Array, options: RepairOptions): void => {
  const missing = values.reduce((count, value) => count + Number(Number.isNaN(value)), 0);
  const ratio = missing / values.length;
  const { longest, atEnds } = runsOfMissing(values);
  const { max_missing_ratio, max_gap, edge_strategy } = options;
  if (ratio > max_missing_ratio) {
    const share = Math.round(ratio * 1000) / 1000;
    const problem = `${share} of the values are missing, more than max_missing_ratio ${max_missing_ratio}`;
    refuse(id, problem, 'raise max_missing_ratio, or leave the series out');
  }
  if (max_gap !== null && longest > max_gap) {
    const problem = `${longest} values in a row are missing, more than max_gap ${max_gap}`;
    refuse(id, problem, 'raise max_gap, or cut the series after the gap');
  }
  if (edge_strategy === 'reject' && atEnds > 0) {
    const hint = "cut the series, or use edge_strategy 'nearest'";
    refuse(id, `${atEnds} values at the ends are missing`, hint);
  }
};

/** Covariates on the grid: numbers along lines, words repeat the one before. */
const onGrid = (column: CovariateColumn, { rows }: Grid): CovariateColumn => {
  if (column.every((value) => typeof value === 'number')) {
    const numbers: readonly number[] = column;
    const values = Float64Array.from(rows, (row) => (row < 0 ? Number.NaN : numbers[row]!));
    return values.some((value) => !Number.isNaN(value))
      ? [...impute(values, 'linear', undefined).values]
      : [...values];
  }
  let latest: string | null = null;
  return rows.map((row) => {
    if (row >= 0) latest = (column[row] as string | null | undefined) ?? null;
    return latest;
  });
};

/**
 * Repairs one series that is ascending in time.
 *
 * @throws TollamaError INVALID_INPUT when more is missing than the options allow, or when timestamps are off the grid
 */
export const repairGaps = (series: InputSeries, options: RepairOptions): Repaired => {
  const { id, target, covariates } = series;
  const frequency = frequencyOf(series);
  const grid = gridOf(series, frequency, options);
  const raw = Float64Array.from(grid.rows, (row) => (row < 0 ? Number.NaN : target[row]!));
  checkLimits(id, raw, options);
  const period = options.seasonal_period ?? seasonLengths(frequency)[0];
  const { values, used, warnings } = impute(raw, options.method, period);
  const missingStamps = grid.rows.filter((row) => row < 0).length;
  const nulls = target.reduce((count, value) => count + Number(Number.isNaN(value)), 0);
  const imputed = missingStamps + nulls;
  return {
    series: {
      ...series,
      freq: formatFrequency(frequency),
      timestamps: grid.timestamps,
      target: [...values],
      covariates: Object.fromEntries(
        Object.entries(covariates).map(([name, column]) => [name, onGrid(column, grid)]),
      ),
    },
    report: {
      id,
      original_row_count: target.length,
      regularized_row_count: values.length,
      raw_null_target_count: nulls,
      missing_timestamp_count: missingStamps,
      imputed_point_count: imputed,
      max_gap: runsOfMissing(raw).longest,
      missing_ratio: imputed / values.length,
      requested_method: options.method,
      used_method: imputed === 0 ? 'none' : used,
      warnings: warnings.length > 0 && imputed > 0 ? [...warnings] : null,
    },
  };
};
