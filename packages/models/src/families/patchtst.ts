/**
 * PatchTST in a small form: overlapping patches of the context are tokens of a transformer encoder, whose states
 * together give the forecast. Each series is a channel of its own.
 *
 * Paper        Nie et al., "A Time Series is Worth 64 Words: Long-term Forecasting with Transformers", ICLR 2023
 * Reference    github.com/yuqinie98/PatchTST (Apache-2.0); layer normalisation before each part in place of
 *              batch normalisation after it
 * Checkpoints  none: `tollama train --from-scratch` makes them, with quantiles in place of points
 */
import {
  add,
  attend,
  concat,
  gelu,
  layerNormalize,
  rearrange,
  slice,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import { defineFamily } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { WINDOW_FIELDS, windowFamily } from '../nn/window-model.ts';

const Config = z
  .object({
    model_type: z.literal('tollama-patchtst'),
    ...WINDOW_FIELDS,
    patch_len: z.int().positive().default(16),
    stride: z.int().positive().default(8),
    hidden_size: z.int().positive().default(64),
    n_heads: z.int().positive().default(4),
    encoder_layers: z.int().positive().default(2),
    linear_hidden_size: z.int().positive().default(128),
  })
  .refine((c) => c.hidden_size % c.n_heads === 0, { error: 'n_heads must divide hidden_size' })
  .refine((c) => c.patch_len <= c.input_size, { error: 'patch_len must not exceed input_size' });
type Config = z.infer<typeof Config>;

const EPSILON = 1e-5;

const norm = (x: Tensor, w: Weights, width: number): Tensor =>
  layerNormalize(x, w.get('weight', [width]), w.get('bias', [width]), EPSILON);

/** Patches from the right, so that the last one ends with the context. x [b, t] -> [b, n, patch_len] */
const patches = (x: Tensor, c: Config): { readonly tokens: Tensor; readonly count: number } => {
  const count = Math.floor((c.input_size - c.patch_len) / c.stride) + 1;
  const first = c.input_size - c.patch_len - (count - 1) * c.stride;
  const cut = Array.from({ length: count }, (_, i) => {
    const start = first + i * c.stride;
    return rearrange(slice(x, 1, { start, end: start + c.patch_len }), 'b p -> b 1 p');
  });
  return { tokens: concat(cut, 1), count };
};

const layer = (x: Tensor, w: Weights, c: Config): Tensor => {
  const { hidden_size: width, n_heads: heads } = c;
  const normed = norm(x, w.at('norm1'), width);
  const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
    linear(normed, w.at(`self_attn.${name}`), width),
  ) as [Tensor, Tensor, Tensor];
  const y = add(x, linear(attend(q, k, v, { heads }), w.at('self_attn.out_proj'), width));
  const inner = gelu(linear(norm(y, w.at('norm2'), width), w.at('linear1'), c.linear_hidden_size));
  return add(y, linear(inner, w.at('linear2'), width));
};

const forward = (x: Tensor, c: Config, w: Weights): Tensor => {
  const { hidden_size: width, horizon, quantiles } = c;
  const { tokens, count } = patches(x, c);
  let y = add(
    linear(tokens, w.at('patch_embedding'), width),
    rearrange(w.get('position_embedding.weight', [count, width]), 'n d -> 1 n d'),
  );
  for (let i = 0; i < c.encoder_layers; i++) y = layer(y, w.at(`encoder.layers.${i}`), c);
  const states = rearrange(norm(y, w.at('encoder.norm'), width), 'b n d -> b (n d)');
  return linear(states, w.at('head'), quantiles.length * horizon);
};

export const patchtst = defineFamily(
  windowFamily<Config>({
    name: 'patchtst',
    modelType: 'tollama-patchtst',
    config: Config as unknown as z.ZodType<Config>,
    forward,
    targets: ['q_proj', 'v_proj'],
    head: /^head\./,
  }),
);
