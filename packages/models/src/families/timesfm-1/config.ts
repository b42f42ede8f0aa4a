/** What TimesFM 1.0 and 2.0 are made of. */
import { z } from 'zod';

/** Arguments of the reference's constructor (TimesFmHparams); a checkpoint tells most by its shapes. */
export const Config = z
  .object({
    context_len: z.int().positive().optional(),
    input_patch_len: z.int().positive().default(32),
    output_patch_len: z.int().positive().default(128),
    num_layers: z.int().positive().default(20),
    num_heads: z.int().positive().default(16),
    model_dims: z.int().positive().default(1280),
    use_positional_embedding: z.boolean().optional(),
    quantiles: z
      .array(z.number().gt(0).lt(1))
      .default([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
      .refine((levels) => levels.includes(0.5), 'must hold the median, 0.5'),
  })
  .transform((c) => ({
    ...ofGeneration(c.num_layers, c),
    inputPatch: c.input_patch_len,
    outputPatch: c.output_patch_len,
    layers: c.num_layers,
    heads: c.num_heads,
    width: c.model_dims,
    hidden: c.model_dims,
    quantiles: c.quantiles,
    /** Outputs of a step: the mean, and the quantiles. */
    channels: 1 + c.quantiles.length,
    /** What config.json said, for `complete`. */
    given: { context_len: c.context_len, use_positional_embedding: c.use_positional_embedding },
  }));
export type Config = z.infer<typeof Config>;

interface Given {
  readonly context_len?: number | undefined;
  readonly use_positional_embedding?: boolean | undefined;
}

/** What no tensor tells: 2.0 is the one with 50 layers. */
export const ofGeneration = (layers: number, given: Given) => {
  const isSecond = layers >= 50;
  return {
    contextLength: given.context_len ?? (isSecond ? 2048 : 512),
    hasPositions: given.use_positional_embedding ?? !isSecond,
  };
};
