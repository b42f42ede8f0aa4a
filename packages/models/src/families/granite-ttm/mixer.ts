/**
 * The mixer: perceptrons over the patches, over the features, and, where asked for, over the channels,
 * each behind a norm, with a gate and a residual. No attention. Activations are [b, c, n, d]: batch,
 * channels, patches, features.
 */
import {
  add,
  attend,
  broadcast,
  dimOf,
  div,
  gelu,
  layerNormalize,
  mean,
  mul,
  rearrange,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sub,
  type Tensor,
  type Weights,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { linear } from '../../nn/linear.ts';
import { splitAt, type TtmConfig } from './config.ts';

/** Everything about a stack of mixer layers; the keys mean what they mean in config.json. */
export type MixerConfig = Pick<
  TtmConfig,
  | 'num_layers'
  | 'adaptive_patching_levels'
  | 'mode'
  | 'expansion_factor'
  | 'norm_mlp'
  | 'norm_eps'
  | 'gated_attn'
  | 'gate_mode'
  | 'gate_groups'
  | 'self_attn'
  | 'self_attn_heads'
>;

/** The largest divisor of the width that is not above the wish. */
const groupCount = (width: number, wish: number): number => {
  for (let groups = Math.min(wish, width); groups > 1; groups--) {
    if (width % groups === 0) return groups;
  }
  return 1;
};

/** One logit for each group of neighbours: the mean of theirs, in the shape of x. */
const averageInGroups = (logits: Tensor, wish: number): Tensor => {
  const groups = groupCount(widthOf(logits), wish);
  const grouped = [...logits.shape.slice(0, -1), groups, widthOf(logits) / groups];
  const averaged = mean(reshape(logits, grouped), -1, { keepAxes: true });
  return reshape(broadcast(averaged, grouped), logits.shape);
};

/** x weighs itself along its last axis. */
export const gate = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const width = widthOf(x);
  const layer = w.at('attn_layer');
  if (c.gate_mode === 'glu') {
    const both = linear(x, layer, 2 * width);
    return mul(slice(both, -1, { end: width }), sigmoid(slice(both, -1, { start: width })));
  }
  const logits = linear(x, layer, width);
  if (c.gate_mode === 'softmax') return mul(x, softmax(logits));
  const open = c.gate_mode === 'sigmoid' ? logits : averageInGroups(logits, c.gate_groups);
  return mul(x, sigmoid(open));
};

const perceptron = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const width = widthOf(x);
  const hidden = gelu(linear(x, w.at('fc1'), width * c.expansion_factor));
  return linear(hidden, w.at('fc2'), width);
};

/** Batch normalisation with the statistics of the training, over the features. */
const batchNorm = (x: Tensor, w: Weights, epsilon: number): Tensor => {
  const [average, variance, gain, offset] = ['running_mean', 'running_var', 'weight', 'bias'].map(
    (name) => w.get(name, [widthOf(x)]),
  ) as [Tensor, Tensor, Tensor, Tensor];
  return add(mul(div(sub(x, average), sqrt(add(variance, epsilon))), gain), offset);
};

const norm = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  if (c.norm_mlp.toLowerCase().includes('batch')) {
    return batchNorm(x, w.at('norm.batchnorm'), c.norm_eps);
  }
  const width = widthOf(x);
  return layerNormalize(x, w.get('norm.weight', [width]), w.get('norm.bias', [width]), c.norm_eps);
};

/** Attention among the patches of a channel, beside the patch mixer; off in what is published. */
const selfAttention = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const width = widthOf(x);
  const rows = rearrange(x, 'b c n d -> (b c) n d');
  const project = (y: Tensor, name: string): Tensor => linear(y, w.at(name), width);
  const mixed = attend(project(rows, 'q_proj'), project(rows, 'k_proj'), project(rows, 'v_proj'), {
    heads: c.self_attn_heads,
  });
  return rearrange(project(mixed, 'out_proj'), '(b c) n d -> b c n d', { c: dimOf(x, 1) });
};

const patchMixer = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const normed = norm(x, w.at('norm'), c);
  const across = perceptron(rearrange(normed, 'b c n d -> b c d n'), w.at('mlp'), c);
  const gated = c.gated_attn ? gate(across, w.at('gating_block'), c) : across;
  const mixed = rearrange(gated, 'b c d n -> b c n d');
  if (!c.self_attn) return add(mixed, x);
  const attended = selfAttention(normed, w.at('self_attn_layer'), c);
  return add(norm(add(mixed, attended), w.at('norm_attn'), c), x);
};

const featureMixer = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const mixed = perceptron(norm(x, w.at('norm'), c), w.at('mlp'), c);
  return add(c.gated_attn ? gate(mixed, w.at('gating_block'), c) : mixed, x);
};

/** Here the gate comes before the perceptron. */
const channelMixer = (x: Tensor, w: Weights, c: MixerConfig): Tensor => {
  const across = rearrange(norm(x, w.at('norm'), c), 'b c n d -> b d n c');
  const gated = c.gated_attn ? gate(across, w.at('gating_block'), c) : across;
  return add(rearrange(perceptron(gated, w.at('mlp'), c), 'b d n c -> b c n d'), x);
};

const mixerLayer = (x: Tensor, w: Weights, c: MixerConfig, name: string, probe: Probe): Tensor => {
  let y = x;
  if (c.mode === 'mix_channel') y = channelMixer(y, w.at('channel_feature_mixer'), c);
  if (widthOf(y, 2) > 1) {
    y = probe(`${name}_patch_mixer`, patchMixer(y, w.at('patch_mixer'), c));
  }
  return probe(`${name}_feature_mixer`, featureMixer(y, w.at('feature_mixer'), c));
};

/** At an adaptive level each patch of d features is 2^level patches of d / 2^level features. */
const adaptiveLevel = (
  x: Tensor,
  w: Weights,
  c: MixerConfig,
  factor: number,
  name: string,
  probe: Probe,
): Tensor => {
  let y = rearrange(x, 'b c n (f d) -> b c (n f) d', { f: factor });
  for (let i = 0; i < c.num_layers; i++) {
    y = mixerLayer(y, w.at(`mixer_layers.${i}`), c, `${name}_layer${i}`, probe);
  }
  return rearrange(y, 'b c (n f) d -> b c n (f d)', { f: factor });
};

/** A stack of mixer layers, or of adaptive levels from the finest to the coarsest. [b, c, n, d] */
export const mixerBlock = (x: Tensor, w: Weights, c: MixerConfig, probe: Probe): Tensor => {
  const levels = c.adaptive_patching_levels;
  let y = x;
  for (let i = 0; i < levels; i++) {
    const factor = splitAt(levels - 1 - i, widthOf(x));
    y = adaptiveLevel(y, w.at(`mixers.${i}`), c, factor, `level${i}`, probe);
    probe(`after_level${i}`, y);
  }
  if (levels > 0) return y;
  for (let i = 0; i < c.num_layers; i++) {
    y = probe(`after_layer${i}`, mixerLayer(y, w.at(`mixers.${i}`), c, `layer${i}`, probe));
  }
  return y;
};
