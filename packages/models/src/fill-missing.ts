/**
 * Histories for models that read no missing values: missing points at the start go, those within are
 * interpolated, those at the end repeat the last value that is known.
 */
import { TollamaError } from '@tollama/core/errors';
import type { ModelSeries } from './family.ts';

export interface FilledRows {
  /** One row of finite float32 numbers for each series, at least one long. */
  readonly rows: readonly Float32Array[];
  readonly warnings: readonly string[];
}

/** Straight lines across gaps, the last known value after the end. Leading gaps are cut. */
const filled = (values: Float32Array): Float32Array => {
  const start = values.findIndex((value) => !Number.isNaN(value));
  if (start < 0) return values.subarray(0, 0);
  const row = values.slice(start);
  let known = 0;
  for (let i = 1; i <= row.length; i++) {
    if (i < row.length && Number.isNaN(row[i]!)) continue;
    const from = row[known]!;
    const to = i < row.length ? row[i]! : from;
    for (let k = known + 1; k < i; k++) row[k] = from + ((to - from) * (k - known)) / (i - known);
    known = i;
  }
  return row;
};

/**
 * The first target of each series as float32, without missing values, with a warning for each series that
 * had some.
 *
 * @throws TollamaError INVALID_INPUT for a series without any value
 */
export const filledRows = (series: readonly ModelSeries[], family: string): FilledRows => {
  const warnings: string[] = [];
  const rows = series.map(({ id, targets }) => {
    const values = Float32Array.from(targets[0]!);
    const missing = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
    const row = missing > 0 ? filled(values) : values;
    if (row.length === 0) {
      throw new TollamaError('INVALID_INPUT', `series '${id}' has no value`, {
        hint: `${family} needs at least one value that is not missing`,
      });
    }
    if (missing > 0) {
      warnings.push(
        `series '${id}': ${missing} missing values were interpolated, since ${family} reads none`,
      );
    }
    return row;
  });
  return { rows, warnings };
};
