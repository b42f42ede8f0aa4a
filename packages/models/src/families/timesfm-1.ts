/**
 * TimesFM 1.0 and 2.0: a causal transformer over patches of one series, with an embedding of its frequency.
 * Every token forecasts the next block of steps, as a mean and nine deciles. 1.0 has sinusoidal positions,
 * 2.0 none.
 *
 * Paper        Das et al., "A decoder-only foundation model for time-series forecasting", ICML 2024
 *              (arXiv:2310.10688)
 * Reference    github.com/google-research/timesfm, v1/src/timesfm (Apache-2.0)
 * Checkpoints  google/timesfm-1.0-200m-pytorch, google/timesfm-2.0-500m-pytorch (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  and,
  attend,
  cast,
  concat,
  constant,
  cos,
  defineGraph,
  dimOf,
  equal,
  type Graph,
  input,
  iota,
  layerNormalize,
  lessOrEqual,
  mul,
  rearrange,
  relu,
  rmsNormalize,
  silu,
  sin,
  slice,
  softplus,
  sub,
  type Tensor,
  type TensorSpec,
  take,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { Config, ofGeneration } from './timesfm-1/config.ts';
import { forecast } from './timesfm-1/forecast.ts';

const LAYERS = 'stacked_transformer.layers';
const FIRST_LAYER = `${LAYERS}.0.self_attn.qkv_proj.weight`;

/** The sizes as the tensors have them, whatever config.json says. */
const readShapes = (c: Config, tensors: ReadonlyMap<string, TensorSpec>): Config => {
  if (!tensors.has(FIRST_LAYER)) return c;
  const size = (name: string, axis: number): number => tensors.get(name)?.shape[axis] ?? 0;
  const own = /^stacked_transformer\.layers\.\d+\.input_layernorm\.weight$/;
  const layers = [...tensors.keys()].filter((name) => own.test(name)).length;
  const width = size('freq_emb.weight', 1);
  return {
    ...c,
    ...ofGeneration(layers, c.given),
    layers,
    width,
    inputPatch: size('input_ff_layer.hidden_layer.0.weight', 1) / 2,
    outputPatch: size('horizon_ff_layer.output_layer.weight', 0) / c.channels,
    heads: width / size(`${LAYERS}.0.self_attn.scaling`, 0),
    hidden: size(`${LAYERS}.0.mlp.gate_proj.weight`, 0),
  };
};

const EPSILON = 1e-6;
/** -0.7 of the largest float32: queries that see no key average all of them. */
const HIDDEN = -0.7 * 3.4028234663852886e38;
const FREQUENCIES = 3;

/** out(silu(hidden(x))) + residual(x). x [..., in] -> [..., out] */
const residualBlock = (x: Tensor, w: Weights, hidden: number, out: number): Tensor =>
  add(
    linear(silu(linear(x, w.at('hidden_layer.0'), hidden)), w.at('output_layer'), out),
    linear(x, w.at('residual_layer'), out),
  );

/** Sines, then cosines, of geometric timescales up to 10000. position int64 [b, n] -> [b, n, d] */
const positionEmbedding = (position: Tensor, d: number): Tensor => {
  const half = d / 2;
  const step = Math.log(10000) / Math.max(half - 1, 1);
  const rates = constant(Array.from({ length: half }, (_, i) => Math.exp(-step * i)));
  const angle = mul(rearrange(cast(position, 'float32'), 'b n -> b n 1'), rates);
  return concat([sin(angle), cos(angle)], -1);
};

/** Keys are seen by later queries where neither is padding. padding [b, n] -> [b, 1, n, n] */
const maskOf = (padding: Tensor): Tensor => {
  const place = iota(dimOf(padding, 1));
  const isCausal = lessOrEqual(rearrange(place, 'k -> 1 1 k'), rearrange(place, 'q -> 1 q 1'));
  const isReal = equal(padding, 0);
  const both = and(rearrange(isReal, 'b q -> b q 1'), rearrange(isReal, 'b k -> b 1 k'));
  return rearrange(where(and(both, isCausal), 0, HIDDEN), 'b q k -> b 1 q k');
};

/** Queries carry a learned scale per channel; no positions. x [b, n, d] -> [b, n, d] */
const attention = (x: Tensor, w: Weights, mask: Tensor, { heads }: Config): Tensor => {
  const d = widthOf(x);
  const k = d / heads;
  const qkv = linear(x, w.at('qkv_proj'), 3 * d);
  const part = (i: number): Tensor => slice(qkv, 2, { start: i * d, end: (i + 1) * d });
  // 1 at softplus(0) = ln 2, since log2(e) ln 2 = 1.
  const scale = mul(softplus(w.get('scaling', [k])), Math.LOG2E / Math.sqrt(k));
  const query = mul(rearrange(part(0), 'b n (h k) -> b n h k', { h: heads }), scale);
  const joined = rearrange(query, 'b n h k -> b n (h k)');
  const mixed = attend(joined, part(1), part(2), { heads, scale: 1, bias: mask });
  return linear(mixed, w.at('o_proj'), d);
};

/** The second half of a layer takes no part on padding. isReal [b, n, 1]. x [b, n, d] -> [b, n, d] */
const feedForward = (x: Tensor, w: Weights, isReal: Tensor, hidden: number): Tensor => {
  const d = widthOf(x);
  const [gain, offset] = [w.get('layer_norm.weight', [d]), w.get('layer_norm.bias', [d])];
  const gate = relu(linear(layerNormalize(x, gain, offset, EPSILON), w.at('gate_proj'), hidden));
  return mul(linear(gate, w.at('down_proj'), d), isReal);
};

/**
 * tokens [batch, n, 2p], padding [batch, n], position int64 [batch, n], frequency int64 [batch] -> point
 * [batch, reads, o * channels] of the tokens at `read`, in units of the moments
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const tokens = input('tokens', ['batch', 'tokens', 2 * c.inputPatch]);
  const padding = input('padding', ['batch', 'tokens']);
  const position = input('position', ['batch', 'tokens'], 'int64');
  const frequency = input('frequency', ['batch'], 'int64');
  const read = input('read', ['reads'], 'int64');

  const embedded = residualBlock(
    probe('input_ff_input', tokens),
    w.at('input_ff_layer'),
    c.hidden,
    c.width,
  );
  probe('input_ff_output', embedded);
  const placed = c.hasPositions ? add(embedded, positionEmbedding(position, c.width)) : embedded;
  const table = w.get('freq_emb.weight', [FREQUENCIES, c.width]);
  let x = add(placed, rearrange(take(table, frequency), 'b d -> b 1 d'));
  const mask = maskOf(padding);
  const isReal = rearrange(sub(1, padding), 'b n -> b n 1');
  for (let i = 0; i < c.layers; i++) {
    const layer = w.at(`${LAYERS}.${i}`);
    const normed = rmsNormalize(x, layer.get('input_layernorm.weight', [c.width]), EPSILON);
    const mixed = attention(normed, layer.at('self_attn'), mask, c);
    const between = add(x, probe(`block${i}_attn_out`, mixed));
    x = add(between, feedForward(between, layer.at('mlp'), isReal, c.hidden));
    probe(`block${i}_out`, x);
  }
  probe('final_hidden', x);
  const head = w.at('horizon_ff_layer');
  const point = residualBlock(take(x, read, 1), head, c.hidden, c.outputPatch * c.channels);
  return defineGraph('timesfm-1', [tokens, padding, position, frequency, read], { point });
};

export const timesfm1 = defineFamily<Config>({
  name: 'timesfm-1',
  config: Config,
  complete: readShapes,
  recognizes: (config, tensors) =>
    tensors.has(FIRST_LAYER) || (tensors.size === 0 && 'use_positional_embedding' in config),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: (c) => ({
    covariates: {
      ...NO_COVARIATES,
      future_covariates_numeric: true,
      future_covariates_categorical: true,
      static_covariates: true,
    },
    contextLength: c.contextLength,
    nativeHorizon: c.outputPatch,
    maxHorizon: null,
    quantiles: c.quantiles,
    multivariate: false,
    samples: false,
  }),
  forecast,
});
