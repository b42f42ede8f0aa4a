import { z } from 'zod';

/** Which covariates a model makes use of; the five flags of the registry and of `/v1/models`. */
export const CovariateSupport = z.strictObject({
  past_covariates_numeric: z.boolean().default(false),
  past_covariates_categorical: z.boolean().default(false),
  future_covariates_numeric: z.boolean().default(false),
  future_covariates_categorical: z.boolean().default(false),
  static_covariates: z.boolean().default(false),
});
export type CovariateSupport = z.infer<typeof CovariateSupport>;

export const NO_COVARIATES: CovariateSupport = Object.freeze(CovariateSupport.parse({}));

/** What a loaded model can do, as runners report it. */
export const Capabilities = z.object({
  covariates: CovariateSupport,
  /** Points of history that the model reads; older ones are not used. Null: all. */
  contextLength: z.int().positive().nullable(),
  /** Steps of one pass; longer horizons are rolled out. Null: any. */
  nativeHorizon: z.int().positive().nullable(),
  /** The longest horizon that the model gives; null: no limit of its own. */
  maxHorizon: z.int().positive().nullable(),
  /** Levels that the model was trained for; others are interpolated. Empty: a point forecast. */
  quantiles: z.array(z.number()),
  /** Whether the variates of one series are forecast together. */
  multivariate: z.boolean(),
  /** Whether forecasts are drawn as sample paths. */
  samples: z.boolean(),
});
export type Capabilities = z.infer<typeof Capabilities>;
