/** What TimesFM 2.5 is made of. */
import { z } from 'zod';

/** Sizes of the network. The reference has them as constants; a checkpoint tells them by its shapes. */
export const Config = z
  .object({
    input_patch_len: z.int().positive().default(32),
    output_patch_len: z.int().positive().default(128),
    output_quantile_len: z.int().positive().default(1024),
    context_limit: z.int().positive().default(16384),
    tokenizer: z.object({ hidden_dims: z.int().positive().default(1280) }).prefault({}),
    stacked_transformers: z
      .object({
        num_layers: z.int().positive().default(20),
        transformer: z
          .object({
            model_dims: z.int().positive().default(1280),
            hidden_dims: z.int().positive().default(1280),
            num_heads: z.int().positive().default(16),
          })
          .prefault({}),
      })
      .prefault({}),
    output_projection_point: z
      .object({ hidden_dims: z.int().positive().default(1280) })
      .prefault({}),
    output_projection_quantiles: z
      .object({ hidden_dims: z.int().positive().default(1280) })
      .prefault({}),
  })
  .transform((c) => ({
    inputPatch: c.input_patch_len,
    outputPatch: c.output_patch_len,
    /** Steps of the continuous quantile head. */
    spreadLength: c.output_quantile_len,
    contextLimit: c.context_limit,
    layers: c.stacked_transformers.num_layers,
    width: c.stacked_transformers.transformer.model_dims,
    heads: c.stacked_transformers.transformer.num_heads,
    hidden: c.stacked_transformers.transformer.hidden_dims,
    tokenizerHidden: c.tokenizer.hidden_dims,
    pointHidden: c.output_projection_point.hidden_dims,
    spreadHidden: c.output_projection_quantiles.hidden_dims,
  }));
export type Config = z.infer<typeof Config>;
