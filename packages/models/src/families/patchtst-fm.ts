/**
 * PatchTST-FM: a bidirectional transformer over patches that paints in the future: the last patches of
 * its window are masked, and it gives the quantiles of every patch. Conformer blocks, which add a
 * convolution over the patches, and overlapping patches are variants.
 *
 * Reference    github.com/ibm-granite/granite-tsfm, package granite-tsfm 0.3.11,
 *              models/patchtst_fm (Apache-2.0)
 * Checkpoints  ibm-granite/granite-timeseries-patchtst-fm-{r1,r2}
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  abs,
  add,
  addDims,
  asinh,
  attend,
  cast,
  concat,
  conv1d,
  cumulativeSum,
  defineGraph,
  dimOf,
  div,
  type Graph,
  gelu,
  geluTanh,
  greater,
  input,
  iota,
  layerNormalize,
  maximum,
  mul,
  multiplyDims,
  or,
  rearrange,
  sigmoid,
  silu,
  sinh,
  slice,
  softplus,
  sqrt,
  sub,
  sum,
  symbol,
  type Tensor,
  take,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import {
  hasConvolutions,
  isFolded,
  kernelSizes,
  leastForecast,
  PatchTstConfig,
  patchCount,
  quantileLevels,
  strideOf,
  uncoveredSteps,
} from './patchtst-fm/config.ts';
import { foldPatches } from './patchtst-fm/fold.ts';
import { forecastSeries } from './patchtst-fm/series.ts';
import { training } from './patchtst-fm/training.ts';

const NORM_EPSILON = 1e-6;
/** Spreads up to this count as none. */
const LEAST_SPREAD = 1e-5;
/** Added to the scores of keys that are not seen; finite, so that queries that see none stay finite. */
const UNSEEN = -1e30;

const norm = (x: Tensor, w: Weights): Tensor => {
  const width = [widthOf(x)];
  return layerNormalize(x, w.get('weight', width), w.get('bias', width), NORM_EPSILON);
};

/** A perceptron with a sigmoid beside a linear shortcut. x [..., in] -> [..., out] */
const residualBlock = (x: Tensor, w: Weights, hidden: number, out: number): Tensor =>
  add(
    linear(sigmoid(linear(x, w.at('layer1'), hidden)), w.at('layer2'), out),
    linear(x, w.at('residual'), out),
  );

/** x [b, n, d] -> [b, n, d], through `hidden` features (two thirds of them twice in a SwiGLU). */
const feedForward = (x: Tensor, w: Weights, c: PatchTstConfig, hidden: number): Tensor => {
  if (c.mlp_type === 'mlp') {
    return linear(geluTanh(linear(x, w.at('layers.0'), hidden)), w.at('layers.4'), c.d_model);
  }
  const width = Math.round((hidden * 2) / 3);
  const gated = mul(linear(x, w.at('fc1'), width), silu(linear(x, w.at('fc2'), width)));
  return linear(gated, w.at('fc3'), c.d_model);
};

interface Sight {
  /** Added to the scores [b, 1, n, n]. */
  readonly bias: Tensor;
  /** 0 for queries that see nothing [b, n, 1]; only convolutions carry those on. */
  readonly sees: Tensor | undefined;
}

/** x [b, n, d] -> [b, n, d] */
const selfAttention = (x: Tensor, w: Weights, c: PatchTstConfig, sight: Sight): Tensor => {
  const d = c.d_model;
  const packed = linear(x, w.at('qkv'), 3 * d, { bias: c.qkv_bias });
  const [query, key, value] = [0, 1, 2].map((i) =>
    slice(packed, 2, { start: i * d, end: (i + 1) * d }),
  ) as [Tensor, Tensor, Tensor];
  const mixed = attend(query, key, value, { heads: c.n_head, bias: sight.bias });
  return linear(sight.sees ? mul(mixed, sight.sees) : mixed, w.at('proj'), d);
};

const transformerBlock = (x: Tensor, w: Weights, c: PatchTstConfig, sight: Sight): Tensor => {
  const attention = (y: Tensor): Tensor => selfAttention(y, w.at('attn'), c, sight);
  const perceptron = (y: Tensor): Tensor => feedForward(y, w.at('mlp'), c, 4 * c.d_model);
  const [first, second] = [w.at('norm1'), w.at('norm2')];
  if (c.norm_first) {
    const y = add(x, attention(norm(x, first)));
    return add(y, perceptron(norm(y, second)));
  }
  const y = norm(add(x, attention(x)), first);
  return norm(add(y, perceptron(y)), second);
};

/** Each feature convolved along the patches. x [b, n, d] -> [b, n, d] */
const depthwise = (x: Tensor, w: Weights, size: number): Tensor => {
  const d = widthOf(x);
  const weight = rearrange(w.get('weight', [d, 1, 1, size]), 'd 1 1 k -> d 1 k');
  const half = (size - 1) / 2;
  const options = { bias: w.get('bias', [d]), groups: d, padding: [half, half] as const };
  return rearrange(conv1d(rearrange(x, 'b n d -> b d n'), weight, options), 'b d n -> b n d');
};

/** Half a perceptron, attention, convolution, half a perceptron (Gulati et al. 2020). */
const conformerBlock = (
  x: Tensor,
  w: Weights,
  c: PatchTstConfig,
  sight: Sight,
  kernel: number,
): Tensor => {
  const half = (y: Tensor, name: string): Tensor => {
    const forward = feedForward(norm(y, w.at(`norm_${name}`)), w.at(name), c, 2 * c.d_model);
    return add(y, mul(forward, 0.5));
  };
  const y = half(x, 'ffn1');
  const seen = add(y, selfAttention(norm(y, w.at('norm_attn')), w.at('attn'), c, sight));
  const wide = add(seen, gelu(depthwise(norm(seen, w.at('norm_conv')), w.at('conv.0'), kernel)));
  return half(wide, 'ffn2');
};

/** Patches that are padding neither see nor are seen; far ones are not seen. padded [b, n] 1 or 0 */
const sightOf = (padded: Tensor, reach: Tensor, c: PatchTstConfig): Sight => {
  const query = rearrange(padded, 'b n -> b 1 n 1');
  const key = rearrange(padded, 'b n -> b 1 1 n');
  const place = iota(dimOf(padded, 1));
  const distance = abs(sub(rearrange(place, 'n -> n 1'), rearrange(place, 'n -> 1 n')));
  const isBlocked = or(greater(add(query, key), 0), greater(distance, reach));
  const sees = hasConvolutions(c) ? sub(1, rearrange(padded, 'b n -> b n 1')) : undefined;
  return { bias: where(isBlocked, UNSEEN, 0), sees };
};

/** Standardises over the observed steps, then bends: asinh. values 0 where not observed [b, t] */
const revIn = (values: Tensor, observed: Tensor, probe: Probe) => {
  const [x, present] = [cast(values, 'float64'), cast(observed, 'float64')];
  const total = (y: Tensor): Tensor => sum(y, 1, { keepAxes: true });
  const count = maximum(total(present), 1);
  const mean = div(total(x), count);
  const deviation = mul(sub(x, mean), present);
  const spread = sqrt(div(total(mul(deviation, deviation)), count));
  const std = where(greater(spread, LEAST_SPREAD), spread, 1);
  return {
    scaled: asinh(cast(div(deviation, std), 'float32')),
    mean: probe('mean', cast(mean, 'float32')),
    std: probe('std', cast(std, 'float32')),
  };
};

/** x [b, t] -> [b, n, p] */
const patchesOf = (x: Tensor, tokens: Tensor, c: PatchTstConfig): Tensor => {
  if (!isFolded(c) && uncoveredSteps(c) === 0) {
    return rearrange(x, 'b (n p) -> b n p', { p: c.d_patch });
  }
  const starts = mul(rearrange(tokens, 'n -> n 1'), strideOf(c));
  return take(x, add(starts, rearrange(iota(c.d_patch), 'p -> 1 p')), 1);
};

/** Base and widths of each step of each patch as quantiles. raw [b, n, (q + 1) p] -> [b, q, n, p] */
const quantilesOf = (raw: Tensor, c: PatchTstConfig): Tensor => {
  const rows = rearrange(raw, 'b n (q p) -> b q n p', { p: c.d_patch });
  const widths = div(softplus(slice(rows, 1, { start: 1 })), c.num_quantile);
  return add(slice(rows, 1, { end: 1 }), cumulativeSum(widths, 1));
};

/** The end of the window in patches: values [batch, time] -> quantiles [batch, Q, last steps] */
const forward = (c: PatchTstConfig, weights: Weights, probe: Probe): Graph => {
  const w = weights.at('backbone');
  const [batch, count, d] = [symbol('batch'), symbol('tokens'), c.d_model];
  const stride = strideOf(c);
  const length = addDims(multiplyDims(stride, count), c.d_patch - stride + uncoveredSteps(c));
  const values = input('values', [batch, length]);
  const observed = input('observed', [batch, length]);
  const padded = input('padded_patches', [batch, count]);
  const slots = input('slots', [count], 'int64');
  const reach = input('attention_reach', [1], 'int64');
  const read = input('read_tokens', ['read'], 'int64');

  const { scaled, mean, std } = revIn(values, observed, probe);
  const tokens = iota(count);
  const patched = concat([patchesOf(scaled, tokens, c), patchesOf(observed, tokens, c)], -1);
  probe('patch_input_and_observed', patched);
  const embedded = probe('embedded', residualBlock(patched, w.at('in_layer'), d, d));
  const positions = w.get('pos_embed.embedding.weight', [patchCount(c), d]);
  let x = probe('with_position', add(embedded, take(positions, slots)));
  const sight = sightOf(padded, reach, c);
  kernelSizes(c).forEach((kernel, i) => {
    const block = w.at(`blocks.${i}`);
    x =
      kernel > 0
        ? conformerBlock(x, block, c, sight, kernel)
        : transformerBlock(x, block, c, sight);
    probe(`block${i}`, x);
  });
  const state = take(x, read, 1);
  const normed = c.prehead_norm ? norm(state, w.at('prehead_norm')) : state;
  const out = c.d_patch * (c.num_quantile + 1);
  const raw = probe('raw_head', residualBlock(normed, w.at('out_layer'), d, out));
  const bent = sinh(foldPatches(quantilesOf(raw, c), w, c));
  const spread = rearrange(std, 'b 1 -> b 1 1');
  const quantiles = add(mul(bent, spread), rearrange(mean, 'b 1 -> b 1 1'));
  const inputs = [values, observed, padded, slots, reach, read];
  return defineGraph('patchtst-fm', inputs, { quantiles });
};

export const patchtstFm = defineFamily<PatchTstConfig>({
  name: 'patchtst-fm',
  config: PatchTstConfig,
  recognizes: (config) => config.model_type === 'patchtst_fm',
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: (c) => ({
    covariates: NO_COVARIATES,
    contextLength: c.context_length - leastForecast(c),
    nativeHorizon: c.context_length - 1,
    maxHorizon: c.context_length - 1,
    quantiles: [...quantileLevels(c)],
    multivariate: false,
    samples: false,
  }),
  forecast: forecastSeries,
  training,
  keepFloat32: /in_layer|out_layer/,
});
