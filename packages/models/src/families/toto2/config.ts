/** The published config.json of Toto 2.0 (toto2/configuration.py), with its defaults filled in. */
import { z } from 'zod';

const count = z.int().positive();

const Published = z.object({
  patch_size: count,
  d_model: count,
  num_heads: count,
  num_layers: count,
  layer_group_size: count,
  num_variate_layers_per_group: z.int().min(0),
  variate_layer_first: z.boolean(),
  dropout_p: z.literal(0).default(0),
  norm_eps: z.number().positive().default(5e-5),
  attn_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  num_output_patches: z.literal(1).default(1),
  d_ff: count.nullish(),
  qk_dim: count.nullish(),
  v_dim: count.nullish(),
  num_groups: count.nullish(),
  qk_norm: z.boolean().default(true),
  norm_include_weight: z.boolean().default(false),
  qk_norm_include_weight: z.boolean().nullish(),
  per_dim_scale: z.boolean().default(false),
  use_xpos: z.boolean().default(false),
});

const whole = (value: number): boolean => Number.isInteger(value);

export const Config = Published.transform((c) => {
  const qk_dim = c.qk_dim ?? Math.floor(c.d_model / c.num_heads);
  return {
    ...c,
    qk_dim,
    v_dim: c.v_dim ?? qk_dim,
    num_groups: c.num_groups ?? c.num_heads,
    d_ff: c.d_ff ?? Math.floor((Math.floor((8 * c.d_model) / 3) + 7) / 8) * 8,
    qk_norm_include_weight: c.qk_norm_include_weight ?? c.norm_include_weight,
  };
})
  .refine((c) => whole(c.num_layers / c.layer_group_size), {
    path: ['num_layers'],
    message: 'it must be a multiple of layer_group_size',
  })
  .refine((c) => whole(c.num_heads / c.num_groups), {
    path: ['num_groups'],
    message: 'it must divide num_heads',
  })
  .refine((c) => whole(c.qk_dim / 4), {
    path: ['qk_dim'],
    message: 'half of it must be an even number, for rotary positions',
  });
export type Config = z.infer<typeof Config>;

/** Levels of the output head, which no config.json tells. */
export const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** Points of the training context. */
export const CONTEXT_LENGTH = 4096;

/** Whether a layer looks across the variates; the others look back in time. */
export const isVariateLayer = (i: number, c: Config): boolean => {
  const { layer_group_size: size, num_variate_layers_per_group: across } = c;
  return c.variate_layer_first ? i % size < across : i % size >= size - across;
};
