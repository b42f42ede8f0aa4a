/**
 * The layers of T5 (Raffel et al. 2020, JMLR 21; transformers' modeling_t5.py): RMS norm without offset,
 * attention without the factor 1/sqrt(d), relative position buckets, a feed-forward layer without bias.
 */
import {
  add,
  attend,
  constant,
  type Dim,
  iota,
  mul,
  rearrange,
  rmsNormalize,
  sub,
  type Tensor,
  take,
  type Weights,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../family.ts';
import { linear } from './linear.ts';
import { type FeedForwardConfig, feedForwardKind } from './t5-config.ts';

export interface T5Config {
  readonly d_kv: number;
  readonly d_ff: number;
  readonly num_heads: number;
  readonly layer_norm_epsilon: number;
  readonly relative_attention_num_buckets: number;
  readonly relative_attention_max_distance: number;
}

/** x [..., d] -> [..., d] */
export const t5Norm = (
  x: Tensor,
  w: Weights,
  { layer_norm_epsilon }: Pick<T5Config, 'layer_norm_epsilon'>,
): Tensor => rmsNormalize(x, w.get('weight', [widthOf(x)]), layer_norm_epsilon);

/** x [b, s, d] looks at memory [b, t, d]; bias broadcasts to [b, h, s, t] -> [b, s, d] */
export const t5Attention = (
  x: Tensor,
  memory: Tensor,
  w: Weights,
  c: Pick<T5Config, 'num_heads' | 'd_kv'>,
  bias?: Tensor,
): Tensor => {
  const inner = c.num_heads * c.d_kv;
  const project = (y: Tensor, name: string): Tensor =>
    linear(y, w.at(name), inner, { bias: false });
  const mixed = attend(project(x, 'q'), project(memory, 'k'), project(memory, 'v'), {
    heads: c.num_heads,
    scale: 1,
    ...(bias && { bias }),
  });
  return linear(mixed, w.at('o'), widthOf(x), { bias: false });
};

/**
 * Attention where each position sees only itself: the softmax over a single key is 1, so the result is
 * o(v(x)) whatever q, k and a position bias are. x [..., d] -> [..., d]
 */
export const t5AttentionToItself = (
  x: Tensor,
  w: Weights,
  c: Pick<T5Config, 'num_heads' | 'd_kv'>,
): Tensor => {
  const inner = c.num_heads * c.d_kv;
  for (const name of ['q.weight', 'k.weight']) w.unused(name, [inner, widthOf(x)]);
  return linear(linear(x, w.at('v'), inner, { bias: false }), w.at('o'), widthOf(x), {
    bias: false,
  });
};

/** wo(act(wi x)), or with a gate wo(act(wi_0 x) * wi_1 x). x [..., d] -> [..., d] */
export const t5FeedForward = (
  x: Tensor,
  w: Weights,
  c: FeedForwardConfig & { readonly d_ff: number },
): Tensor => {
  const { activation, isGated } = feedForwardKind(c);
  const wide = (name: string): Tensor => linear(x, w.at(name), c.d_ff, { bias: false });
  const hidden = isGated ? mul(activation(wide('wi_0')), wide('wi_1')) : activation(wide('wi'));
  return linear(hidden, w.at('wo'), widthOf(x), { bias: false });
};

/**
 * A block of the encoder: each token looks at all, then goes through the feed-forward layer. x [b, s, d], bias
 * broadcasts to [b, h, s, s] -> [b, s, d]
 *
 * @param name under which its inner points are probed
 */
export const t5EncoderBlock = (
  x: Tensor,
  w: Weights,
  c: Pick<T5Config, 'num_heads' | 'd_kv' | 'd_ff' | 'layer_norm_epsilon'> & FeedForwardConfig,
  bias: Tensor,
  name: string,
  probe: Probe,
): Tensor => {
  const [self, feed] = [w.at('layer.0'), w.at('layer.1')];
  const normed = t5Norm(x, self.at('layer_norm'), c);
  const y = add(x, t5Attention(normed, normed, self.at('SelfAttention'), c, bias));
  probe(`${name}_after_attention`, y);
  const fed = t5FeedForward(t5Norm(y, feed.at('layer_norm'), c), feed.at('DenseReluDense'), c);
  return probe(name, add(y, fed));
};

/**
 * Bucket of a distance: exact for near ones, logarithmic up to the maximal distance. The logarithm is
 * float32's, as there.
 */
export const distanceBucket = (distance: number, buckets: number, maxDistance: number): number => {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const { fround, log } = Math;
  const octave = fround(fround(log(fround(distance / exact))) / fround(log(maxDistance / exact)));
  return Math.min(buckets - 1, exact + Math.trunc(fround(octave * (buckets - exact))));
};

/** Bucket of the relative position key - query, bidirectional: half of the buckets for each direction. */
export const relativeBucket = (relative: number, buckets: number, maxDistance: number): number => {
  const half = Math.floor(buckets / 2);
  return (relative > 0 ? half : 0) + distanceBucket(Math.abs(relative), half, maxDistance);
};

/**
 * The learned bias of relative positions for `length` positions, of which there are at most
 * `maxLength`: weight [buckets, h] -> [1, h, length, length]
 */
export const relativePositionBias = (
  w: Weights,
  length: Dim,
  maxLength: number,
  c: T5Config,
): Tensor => {
  const { relative_attention_num_buckets: buckets, relative_attention_max_distance: maxDistance } =
    c;
  const weight = w.get('relative_attention_bias.weight', [buckets, c.num_heads]);
  const offsets = Array.from({ length: 2 * maxLength - 1 }, (_, i) => i - (maxLength - 1));
  const bucketOf = constant(
    offsets.map((r) => relativeBucket(r, buckets, maxDistance)),
    'int64',
  );
  const position = iota(length);
  const relative = sub(rearrange(position, 'k -> 1 k'), rearrange(position, 'q -> q 1'));
  const bias = take(weight, take(bucketOf, add(relative, maxLength - 1))); // [q, k, h]
  return rearrange(bias, 'q k h -> 1 h q k');
};
