/** What the golden files of both generations of Moirai have in common. */
import type { ModelSeries } from '@tollama/models';

type Values = readonly (number | null)[];

/** One entry of GluonTS: target [time] or [variates][time], covariates [covariates][time]. */
export interface Entry {
  readonly target: Values | readonly Values[];
  readonly feat_dynamic_real?: readonly Values[];
  readonly past_feat_dynamic_real?: readonly Values[];
}

export const numbers = (values: Values): Float64Array =>
  Float64Array.from(values, (value) => value ?? Number.NaN);

const named = (prefix: string, rows: readonly ArrayLike<number>[]) =>
  Object.fromEntries(rows.map((row, i) => [`${prefix}${i}`, row]));

const isMultivariate = (target: Entry['target']): target is readonly Values[] =>
  Array.isArray(target[0]);

/** Known-future covariates are given as one array over history and horizon. */
export const seriesOf = (entry: Entry, id: string): ModelSeries => {
  const { target, feat_dynamic_real = [], past_feat_dynamic_real = [] } = entry;
  const targets = (isMultivariate(target) ? target : [target]).map(numbers);
  const { length } = targets[0]!;
  const known = feat_dynamic_real.map(numbers);
  return {
    id,
    targets,
    pastCovariates: {
      ...named(
        'known',
        known.map((row) => row.subarray(0, length)),
      ),
      ...named('past', past_feat_dynamic_real.map(numbers)),
    },
    futureCovariates: named(
      'known',
      known.map((row) => row.subarray(length)),
    ),
  };
};

/** Arrays of the variates -> as the files have them: [...] of one variate, [...][variates] of several. */
export const byVariate = (rows: readonly ArrayLike<number>[]): unknown[] =>
  rows.length === 1
    ? Array.from(rows[0]!)
    : Array.from(rows[0]!, (_, h) => rows.map((row) => row[h]!));
