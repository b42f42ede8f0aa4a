/**
 * The recipe of an ensemble: which checkpoints, at which levels, combined how. The keys are those of
 * granite-tsfm's ProbabilisticEnsembleConfig (model_type granite_probabilistic_ensemble), with
 * `vincent` as a third method.
 */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';

const checkpoint = z.string().trim().min(1);

const Member = z.discriminatedUnion('forecaster_type', [
  z.strictObject({ forecaster_type: z.literal('patchtst'), model_checkpoint: checkpoint }),
  z.strictObject({
    forecaster_type: z.literal('flowstate'),
    model_checkpoint: checkpoint,
    model_revision: z.string().optional(),
    scale_factor: z.number().positive().optional(),
    batch_first: z.boolean().optional(),
  }),
  // Its revision follows from context and horizon: see families/granite-ttm/checkpoint-choice.ts.
  z.strictObject({ forecaster_type: z.literal('ttm'), model_checkpoint: checkpoint }),
]);

const isAscending = (levels: readonly number[]): boolean =>
  levels.every((level, i) => i === 0 || level > levels[i - 1]!);

const sums = (weights: readonly number[]): number => weights.reduce((a, b) => a + b, 0);

/** Members, levels and method; missing keys take those of the default recipe. */
export const EnsembleRecipe = z
  .object({
    members: z
      .array(Member)
      .min(1)
      .default([
        {
          forecaster_type: 'patchtst',
          model_checkpoint: 'ibm-granite/granite-timeseries-patchtst-fm-r1',
        },
        {
          forecaster_type: 'patchtst',
          model_checkpoint: 'ibm-granite/granite-timeseries-patchtst-fm-r2',
        },
        {
          forecaster_type: 'flowstate',
          model_checkpoint: 'ibm-granite/granite-timeseries-flowstate-r1',
          model_revision: 'r1.1',
        },
        {
          forecaster_type: 'ttm',
          model_checkpoint: 'ibm-granite/granite-timeseries-ttm-r3',
        },
      ]),
    quantile_levels: z
      .array(z.number().gt(0).lt(1))
      .refine(isAscending, 'must ascend')
      .refine((levels) => levels.includes(0.5), 'must include 0.5')
      .default([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
    aggregation_method: z.enum(['linear_pool', 'iqr_weighted', 'vincent']).default('linear_pool'),
    iqr_weighted_options: z
      .strictObject({
        temperature: z.number().positive().default(0.5),
        max_weight: z.number().gt(0).max(1).nullable().default(0.4),
      })
      .default({ temperature: 0.5, max_weight: 0.4 }),
    /** Of `vincent`. */
    average: z.enum(['median', 'mean']).default('median'),
    weights: z.array(z.number().min(0)).nullable().default(null),
  })
  .superRefine(({ members, weights, aggregation_method, iqr_weighted_options }, context) => {
    if (weights && (weights.length !== members.length || Math.abs(sums(weights) - 1) > 1e-5)) {
      context.addIssue({
        code: 'custom',
        path: ['weights'],
        message: `must be ${members.length} numbers of sum 1`,
      });
    }
    const { max_weight } = iqr_weighted_options;
    if (aggregation_method === 'iqr_weighted' && max_weight && max_weight < 1 / members.length) {
      context.addIssue({
        code: 'custom',
        path: ['iqr_weighted_options', 'max_weight'],
        message: `must be at least 1 / ${members.length} members`,
      });
    }
  });
export type EnsembleRecipe = z.infer<typeof EnsembleRecipe>;

/**
 * A recipe from its parsed config.json; `{}` is the default one.
 *
 * @throws TollamaError CONFIG_INVALID with the key and its value
 */
export const readRecipe = (config: unknown): EnsembleRecipe => {
  const parsed = EnsembleRecipe.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const value = issue!.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    config,
  );
  throw new TollamaError(
    'CONFIG_INVALID',
    `ensemble recipe: ${issue!.path.join('.')} = ${JSON.stringify(value) ?? 'nothing'} is not valid: ${issue!.message}`,
  );
};
