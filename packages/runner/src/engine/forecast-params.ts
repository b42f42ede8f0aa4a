import { Series } from '@tollama/core/series';
import { z } from 'zod';

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
  series: z.array(Series).min(1),
  quantiles: z.array(z.number().gt(0).lt(1)).default([]),
  options: z.record(z.string(), z.unknown()).default({}),
  parameters: z.record(z.string(), z.unknown()).default({}),
});
export type ForecastParams = z.infer<typeof ForecastParams>;
