/** The sizes of a T5 encoder as transformers' T5Config names them; models that are built of its layers have them too. */
import { z } from 'zod';
import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  type Activation,
  type ActivationName,
} from './activation.ts';

const count = z.int().positive();

const isActivation = (name: string): name is ActivationName => Object.hasOwn(ACTIVATIONS, name);

/** `relu`, or `gated-silu` for a feed-forward layer with a gate. */
const feedForward = z
  .string()
  .refine((text) => isActivation(text.replace(/^gated-/, '')), {
    error: `must be ${ACTIVATION_NAMES.join(', ')}, or one of them after 'gated-'`,
  })
  .default('relu');

/** The keys that every config.json of such a model has. */
export const T5_SIZES = {
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_heads: count,
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: feedForward,
  /** What `feed_forward_proj` says in two words; where a file has them, they count. */
  dense_act_fn: z.enum(ACTIVATION_NAMES).optional(),
  is_gated_act: z.boolean().optional(),
};

/** Those of relative positions, which the first two Chronos models have besides. */
export const T5_DECODER_SIZES = {
  ...T5_SIZES,
  /** As many as the encoder has when absent. */
  num_decoder_layers: count.nullish(),
  relative_attention_num_buckets: count.min(4).default(32),
  relative_attention_max_distance: count.default(128),
};

export interface FeedForwardConfig {
  readonly feed_forward_proj: string;
  readonly dense_act_fn?: ActivationName | undefined;
  readonly is_gated_act?: boolean | undefined;
}

export interface FeedForwardKind {
  readonly activation: Activation;
  readonly isGated: boolean;
}

/** T5 v1.1 says `gated-gelu` and means the form with a tanh (configuration_t5.py). */
const named = (text: string): string => (text === 'gated-gelu' ? 'gelu_new' : text);

/** What a config says of its feed-forward layers, by either of the two ways to say it. */
export const feedForwardKind = (c: FeedForwardConfig): FeedForwardKind => {
  const isGated = c.is_gated_act ?? c.feed_forward_proj.startsWith('gated-');
  const name = c.dense_act_fn ?? named(c.feed_forward_proj).replace(/^gated-/, '');
  return { activation: ACTIVATIONS[name as ActivationName], isGated };
};

/** The layers of the decoder. */
export const decoderLayers = (c: {
  readonly num_layers: number;
  readonly num_decoder_layers?: number | null | undefined;
}): number => c.num_decoder_layers ?? c.num_layers;
