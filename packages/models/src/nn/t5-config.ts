/** The sizes of a T5 encoder as transformers' T5Config names them; models that are built of its layers have them too. */
import { z } from 'zod';

const count = z.int().positive();

/** The keys that every config.json of such a model has. */
export const T5_SIZES = {
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_heads: count,
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: z.literal('relu').default('relu'),
};

/** Those of a decoder and of relative positions, which the first two Chronos models have besides. */
export const T5_DECODER_SIZES = {
  ...T5_SIZES,
  num_decoder_layers: count,
  relative_attention_num_buckets: count.default(32),
  relative_attention_max_distance: count.default(128),
};
