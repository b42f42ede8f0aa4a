import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { quickNumbers, quickWords } from './trusted-array.ts';

const numbers = (least: number) => quickNumbers(z.array(z.number()).min(least).max(LIMITS.points));

/** All numbers (numeric) or all words (categorical). */
export const CovariateValues = z.union([numbers(0), z.array(z.string()).max(LIMITS.points)], {
  error: 'must be all numbers or all strings',
});
export type CovariateValues = z.infer<typeof CovariateValues>;

export const isNumericCovariate = (values: CovariateValues): values is number[] =>
  typeof values[0] !== 'string';

const Covariates = z.record(z.string().min(1), CovariateValues);

/** One series of a forecast request. */
export const Series = z.strictObject({
  id: z.string().min(1).max(LIMITS.idLength),
  freq: z.string().min(1).default('auto'),
  timestamps: quickWords(z.array(z.string().min(1)).min(1).max(LIMITS.points)),
  target: numbers(1),
  /** Places in target whose value is missing: JSON has no NaN; what stands there is not read. */
  missing_indices: z.array(z.int().min(0)).nullish(),
  actuals: numbers(1).nullish(),
  past_covariates: Covariates.nullish(),
  future_covariates: Covariates.nullish(),
  static_covariates: z.record(z.string().min(1), z.unknown()).nullish(),
});
export type Series = z.infer<typeof Series>;
