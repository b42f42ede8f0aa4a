/** The config.json of Chronos-Bolt: transformers' T5Config, and `chronos_config` of the reference. */
import { z } from 'zod';
import { T5_DECODER_SIZES } from '../../nn/t5-config.ts';

export const Config = z.object({
  chronos_pipeline_class: z.literal('ChronosBoltPipeline'),
  ...T5_DECODER_SIZES,
  decoder_start_token_id: z.int().min(0).max(1).default(0),
  chronos_config: z.object({
    context_length: z.int().positive(),
    prediction_length: z.int().positive(),
    input_patch_size: z.int().positive(),
    input_patch_stride: z.int().positive(),
    quantiles: z.array(z.number().gt(0).lt(1)).min(1),
    use_reg_token: z.boolean().default(false),
  }),
});
export type Config = z.infer<typeof Config>;
