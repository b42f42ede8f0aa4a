/** Options of a Toto 2.0 forecast: the keyword arguments of the reference's `forecast`, and its wrapper's. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { Task } from '../../family.ts';
import { readOptions } from '../../read-options.ts';
import { VariateGroups } from '../../variate-groups.ts';

const Options = z.object({
  /** Points per pass; a multiple of the patch. Longer horizons feed their medians back. None: one pass. */
  decode_block_size: z.int().min(0).nullish(),
  /** Whether patches without any observation are kept apart from the others. */
  has_missing_values: z.boolean().default(true),
  /** Patches with fewer observations before their end are scaled by the first so many. 0: never. */
  scaler_fallback_min_obs: z.int().min(0).default(0),
  /** Quantiles stay within so many scales of the observed extremes. 0: no limit. */
  quantile_real_cap_k: z.number().min(0).default(0),
  /** What stands in for missing values, which matters in the last patch alone. */
  imputation: z.enum(['ffill', 'linear', 'none']).default('ffill'),
  /** Points of history and horizon together, as the reference's GluonTS wrapper counts them. */
  context_length: z.int().positive().optional(),
  /** Variates of equal ids look at each other: a list for all series, or one for each. */
  series_ids: VariateGroups.optional(),
});

export interface ForecastOptions extends z.infer<typeof Options> {
  /** Patches per pass. */
  readonly block: number;
}

/** Throws INVALID_REQUEST for an option that is out of range. */
export const optionsOf = (task: Task, patchSize: number): ForecastOptions => {
  const options = readOptions(Options, task, 'toto2');
  const patches = Math.ceil(task.horizon / patchSize);
  const size = options.decode_block_size || patches * patchSize;
  if (size % patchSize !== 0) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `options.decode_block_size = ${size} is not a multiple of the patch size ${patchSize}`,
      { hint: `use ${Math.ceil(size / patchSize) * patchSize}` },
    );
  }
  return { ...options, block: Math.min(size / patchSize, patches) };
};
