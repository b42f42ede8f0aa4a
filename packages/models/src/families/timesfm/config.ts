/** What TimesFM 2.5 is made of. */
import { z } from 'zod';

const activation = z.enum(['swish', 'relu', 'none']).default('swish');
const rms = z.literal('rms').default('rms');

/** A residual block of a head, which has no bias in the published checkpoint. */
const headBlock = z
  .object({
    hidden_dims: z.int().positive().default(1280),
    use_bias: z.boolean().default(false),
    activation,
  })
  .prefault({});

/** The decoding of the reference counts on ten channels: the mean and nine deciles. */
const deciles = z
  .array(z.number())
  .refine(
    (levels) => levels.length === 9 && levels.every((q, i) => Math.abs(q - (i + 1) / 10) < 1e-9),
    {
      error: 'must be the nine deciles 0.1 ... 0.9',
    },
  );

type ActivationName = z.infer<typeof activation>;

/** One of the network's three blocks of two layers and a shortcut. */
export interface Block {
  readonly hidden: number;
  readonly hasBias: boolean;
  readonly activation: ActivationName;
}

const blockOf = (c: {
  readonly hidden_dims: number;
  readonly use_bias: boolean;
  readonly activation: ActivationName;
}): Block => ({ hidden: c.hidden_dims, hasBias: c.use_bias, activation: c.activation });

/** Sizes of the network. The reference has them as constants; a checkpoint tells them by its shapes. */
export const Config = z
  .object({
    input_patch_len: z.int().positive().default(32),
    output_patch_len: z.int().positive().default(128),
    output_quantile_len: z.int().positive().default(1024),
    context_limit: z.int().positive().default(16384),
    quantiles: deciles.optional(),
    /** The channel that later blocks read. */
    decode_index: z.int().min(0).max(9).default(5),
    tokenizer: z
      .object({
        hidden_dims: z.int().positive().default(1280),
        use_bias: z.boolean().default(true),
        activation,
      })
      .prefault({}),
    stacked_transformers: z
      .object({
        num_layers: z.int().positive().default(20),
        transformer: z
          .object({
            model_dims: z.int().positive().default(1280),
            hidden_dims: z.int().positive().default(1280),
            num_heads: z.int().positive().default(16),
            attention_norm: rms,
            feedforward_norm: rms,
            qk_norm: z.enum(['rms', 'none']).default('rms'),
            /** Of the feed-forward layers; the reference's attention has none. */
            use_bias: z.boolean().default(false),
            use_rotary_position_embeddings: z.boolean().default(true),
            ff_activation: activation,
            fuse_qkv: z.boolean().default(true),
          })
          .prefault({}),
      })
      .prefault({}),
    output_projection_point: headBlock,
    output_projection_quantiles: headBlock,
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
    hasBias: c.stacked_transformers.transformer.use_bias,
    activation: c.stacked_transformers.transformer.ff_activation,
    hasNormedKeys: c.stacked_transformers.transformer.qk_norm === 'rms',
    hasRotation: c.stacked_transformers.transformer.use_rotary_position_embeddings,
    isFused: c.stacked_transformers.transformer.fuse_qkv,
    decodeIndex: c.decode_index,
    tokenizer: blockOf(c.tokenizer),
    point: blockOf(c.output_projection_point),
    spread: blockOf(c.output_projection_quantiles),
  }));
export type Config = z.infer<typeof Config>;
