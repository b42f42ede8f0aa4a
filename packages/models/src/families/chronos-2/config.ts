/** The config.json of Chronos-2: sizes named as T5's, and `chronos_config` of the reference. */
import { z } from 'zod';
import { T5_SIZES } from '../../nn/t5-config.ts';

const even = z.int().positive().multipleOf(2);

export const Chronos2Config = z.object({
  chronos_pipeline_class: z.literal('Chronos2Pipeline'),
  ...T5_SIZES,
  /** Rotary positions turn pairs. */
  d_kv: even,
  rope_theta: z.number().positive().default(10_000),
  chronos_config: z
    .object({
      context_length: z.int().positive(),
      input_patch_size: z.int().positive(),
      input_patch_stride: z.int().positive(),
      output_patch_size: z.int().positive(),
      max_output_patches: z.int().positive().default(1),
      quantiles: z.array(z.number().gt(0).lt(1)).min(1),
      time_encoding_scale: z.number().positive().nullish(),
      use_arcsinh: z.boolean().default(false),
      /** The reference's forward pass refuses a model without one. */
      use_reg_token: z.literal(true),
    })
    .refine((c) => c.output_patch_size === c.input_patch_size, {
      path: ['output_patch_size'],
      error: 'input and output patches must have the same size',
    }),
});
export type Chronos2Config = z.infer<typeof Chronos2Config>;

/** Patches that a context of whole patches is cut into. */
export const patchesOf = (
  points: number,
  c: Pick<Chronos2Config['chronos_config'], 'input_patch_size' | 'input_patch_stride'>,
): number => Math.floor((points - c.input_patch_size) / c.input_patch_stride) + 1;
