import { z } from 'zod';

/** A list whose elements were looked at by whoever accepted the request. */
const List = <T>() => z.custom<T[]>(Array.isArray, { error: 'must be a list' });

type Values = number[] | string[];
const Covariates = z
  .record(z.string(), List<number | string>())
  .transform((record) => record as Record<string, Values>);

/**
 * A series of a forecast, checked for its form only: the daemon has checked every number, and what comes
 * from elsewhere fails that one forecast at worst. The timestamps may be the last ones alone.
 */
const RunnerSeries = z.object({
  id: z.string().min(1),
  freq: z.string().min(1).default('auto'),
  timestamps: List<string>(),
  target: List<number>(),
  missing_indices: List<number>().nullish(),
  past_covariates: Covariates.nullish(),
  future_covariates: Covariates.nullish(),
  static_covariates: z.record(z.string(), z.unknown()).nullish(),
});
export type RunnerSeries = z.infer<typeof RunnerSeries>;

/** Params of `forecast`: the request without what concerns only the daemon, and where the model is. */
export const ForecastParams = z.object({
  model: z.string().min(1),
  model_name: z.string().optional(),
  model_family: z.string().optional(),
  model_local_dir: z.string().nullish(),
  model_adapter_dir: z.string().nullish(),
  model_cache_dir: z.string().nullish(),
  model_metadata: z.record(z.string(), z.unknown()).nullish(),
  horizon: z.int().positive(),
  series: z.array(RunnerSeries).min(1),
  quantiles: z.array(z.number().gt(0).lt(1)).default([]),
  options: z.record(z.string(), z.unknown()).default({}),
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** Its place among the forecasts that wait. */
  priority: z.int().min(0).optional(),
});
export type ForecastParams = z.infer<typeof ForecastParams>;
