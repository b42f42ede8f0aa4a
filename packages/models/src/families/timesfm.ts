/**
 * TimesFM 2.5: a causal transformer over patches of one series. Every token forecasts the next block of
 * steps, as a mean and nine deciles; longer horizons feed the medians back.
 *
 * Paper        Das et al., "A decoder-only foundation model for time-series forecasting", ICML 2024
 *              (arXiv:2310.10688); 2.5 is described in the repository
 * Reference    github.com/google-research/timesfm, src/timesfm/timesfm_2p5 (Apache-2.0)
 * Checkpoints  google/timesfm-2.5-200m-pytorch (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  addDims,
  and,
  attend,
  cast,
  concat,
  type Dim,
  defineGraph,
  dimOf,
  type Graph,
  greaterOrEqual,
  input,
  iota,
  lessOrEqual,
  mul,
  rearrange,
  rmsNormalize,
  silu,
  slice,
  softplus,
  sub,
  symbol,
  type Tensor,
  type TensorSpec,
  take,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { type Rotation, rotate, rotationOf } from '../nn/rotary.ts';
import { Config } from './timesfm/config.ts';
import { CHANNELS, memoryNames, pastOf } from './timesfm/decode.ts';
import { forecast } from './timesfm/forecast.ts';
import { training } from './timesfm/training.ts';

const FIRST_LAYER = 'stacked_xf.0.attn.qkv_proj.weight';

/** The sizes as the tensors have them, whatever config.json says. */
const readShapes = (c: Config, tensors: ReadonlyMap<string, TensorSpec>): Config => {
  if (!tensors.has(FIRST_LAYER)) return c;
  const size = (name: string, axis: number): number => tensors.get(name)?.shape[axis] ?? 0;
  const width = size('tokenizer.output_layer.weight', 0);
  const layers = [...tensors.keys()].filter((name) => /^stacked_xf\.\d+\.ff0\.weight$/.test(name));
  return {
    ...c,
    width,
    inputPatch: size('tokenizer.hidden_layer.weight', 1) / 2,
    outputPatch: size('output_projection_point.output_layer.weight', 0) / CHANNELS,
    spreadLength: size('output_projection_quantiles.output_layer.weight', 0) / CHANNELS,
    layers: layers.length,
    heads: width / size('stacked_xf.0.attn.per_dim_scale.per_dim_scale', 0),
    hidden: size('stacked_xf.0.ff0.weight', 0),
    tokenizerHidden: size('tokenizer.hidden_layer.weight', 0),
    pointHidden: size('output_projection_point.hidden_layer.weight', 0),
    spreadHidden: size('output_projection_quantiles.hidden_layer.weight', 0),
  };
};

const EPSILON = 1e-6;
/** Added to the score of a key that must not be seen. */
const HIDDEN = -1e30;

/** out(silu(hidden(x))) + residual(x). x [..., in] -> [..., out] */
const residualBlock = (
  x: Tensor,
  w: Weights,
  { hidden, out, bias }: { readonly hidden: number; readonly out: number; readonly bias: boolean },
): Tensor =>
  add(
    linear(silu(linear(x, w.at('hidden_layer'), hidden, { bias })), w.at('output_layer'), out, {
      bias,
    }),
    linear(x, w.at('residual_layer'), out, { bias }),
  );

/** RMS norm with a plain gain. x [..., k] -> [..., k] */
const rmsNorm = (x: Tensor, w: Weights): Tensor =>
  rmsNormalize(x, w.get('scale', [widthOf(x)]), EPSILON);

/** What all layers know of the places of the tokens. */
interface Scene {
  readonly rotation: Rotation;
  /** 0 where the key is seen, very low elsewhere: [b, 1, n, past + n] */
  readonly mask: Tensor;
  /** 1 for tokens that are not padding: [b, n, 1] */
  readonly isReal: Tensor;
}

/** Tokens `past` ... `past + n - 1` of sequences whose tokens before `first` [b] are padding. */
const sceneOf = (past: Dim, n: Dim, first: Tensor, { width, heads }: Config): Scene => {
  const place = iota(addDims(past, n));
  const own = rearrange(slice(place, 0, { start: past }), 'n -> 1 n');
  const begin = rearrange(first, 'b -> b 1');
  const isCausal = lessOrEqual(rearrange(place, 't -> 1 1 t'), rearrange(own, '1 n -> 1 n 1'));
  const isReal = greaterOrEqual(rearrange(place, 't -> 1 1 t'), rearrange(begin, 'b 1 -> b 1 1'));
  return {
    // Positions count from the first real token; they are negative on padding.
    rotation: rotationOf(sub(own, begin), width / heads),
    mask: rearrange(where(and(isCausal, isReal), 0, HIDDEN), 'b n t -> b 1 n t'),
    isReal: rearrange(cast(greaterOrEqual(own, begin), 'float32'), 'b n -> b n 1'),
  };
};

interface Memory {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Rotary positions come before the norm of queries and keys. x [b, n, d] -> output [b, n, d] */
const attention = (x: Tensor, w: Weights, past: Memory, scene: Scene, { heads }: Config) => {
  const d = widthOf(x);
  const k = d / heads;
  const qkv = linear(x, w.at('qkv_proj'), 3 * d, { bias: false });
  const part = (i: number): Tensor => slice(qkv, 2, { start: i * d, end: (i + 1) * d });
  const normed = (y: Tensor, gain: Tensor): Tensor => {
    const split = rearrange(rotate(y, scene.rotation, heads), 'b n (h k) -> b n h k', { h: heads });
    return rearrange(rmsNormalize(split, gain, EPSILON), 'b n h k -> b n (h k)');
  };
  // 1 at softplus(0) = ln 2, since log2(e) ln 2 = 1.
  const perChannel = softplus(w.get('per_dim_scale.per_dim_scale', [k]));
  const scale = mul(perChannel, Math.LOG2E / Math.sqrt(k));
  const query = normed(part(0), mul(w.get('query_ln.scale', [k]), scale));
  const key = concat([past.key, normed(part(1), w.get('key_ln.scale', [k]))], 1);
  const value = concat([past.value, part(2)], 1);
  const mixed = attend(query, key, value, { heads, scale: 1, bias: scene.mask });
  // Padding sees nothing, which gives 0 in the reference.
  const output = linear(mul(mixed, scene.isReal), w.at('out'), d, { bias: false });
  return { output, memory: { key, value } };
};

/** Norms before and after both halves of a layer. x [b, n, d] -> [b, n, d] */
const layer = (x: Tensor, w: Weights, past: Memory, scene: Scene, c: Config, probe: Probe) => {
  const normed = rmsNorm(x, w.at('pre_attn_ln'));
  const { output, memory } = attention(normed, w.at('attn'), past, scene, c);
  const between = add(x, rmsNorm(probe('attn_out', output), w.at('post_attn_ln')));
  const wide = linear(rmsNorm(between, w.at('pre_ff_ln')), w.at('ff0'), c.hidden, { bias: false });
  const narrow = linear(silu(wide), w.at('ff1'), c.width, { bias: false });
  const state = add(between, rmsNorm(narrow, w.at('post_ff_ln')));
  return { state: probe('out', state), memory };
};

/**
 * tokens [batch, n, 2p] after `past` ones -> point [batch, reads, o * 10] of the tokens at `read`, the last
 * token's state [batch, 1, d], keys and values of all tokens
 */
const decoder = (c: Config, w: Weights, probe: Probe): Graph => {
  const [batch, past, n] = [symbol('batch'), symbol('past'), symbol('tokens')];
  const tokens = input('tokens', [batch, n, 2 * c.inputPatch]);
  const first = input('first', [batch], 'int64');
  const read = input('read', ['reads'], 'int64');
  const memory = memoryNames(c).map((name) => input(pastOf(name), [batch, past, c.width]));
  const scene = sceneOf(past, n, first, c);

  const sizes = { hidden: c.tokenizerHidden, out: c.width, bias: true };
  const embedded = residualBlock(probe('tokenizer_input', tokens), w.at('tokenizer'), sizes);
  let x = probe('input_embeddings', embedded);
  const outputs: Record<string, Tensor> = {};
  for (let i = 0; i < c.layers; i++) {
    const before = { key: memory[2 * i]!, value: memory[2 * i + 1]! };
    const own: Probe = (name, tensor) => probe(`block${i}_${name}`, tensor);
    const { state, memory: after } = layer(x, w.at(`stacked_xf.${i}`), before, scene, c, own);
    x = state;
    outputs[`key.${i}`] = after.key;
    outputs[`value.${i}`] = after.value;
  }
  probe('final_hidden', x);
  const head = { hidden: c.pointHidden, out: c.outputPatch * CHANNELS, bias: false };
  const point = residualBlock(take(x, read, 1), w.at('output_projection_point'), head);
  const state = slice(x, 1, { start: addDims(dimOf(x, 1), -1) });
  return defineGraph('timesfm', [tokens, first, read, ...memory], { point, state, ...outputs });
};

/** The continuous quantile head: state [batch, 1, d] -> spread [batch, 1, os * 10] */
const spreadHead = (c: Config, w: Weights): Graph => {
  const state = input('state', ['batch', 1, c.width]);
  const sizes = { hidden: c.spreadHidden, out: c.spreadLength * CHANNELS, bias: false };
  const spread = residualBlock(state, w.at('output_projection_quantiles'), sizes);
  return defineGraph('timesfm-spread', [state], { spread });
};

export const timesfm = defineFamily<Config>({
  name: 'timesfm',
  config: Config,
  complete: readShapes,
  recognizes: (config, tensors) =>
    tensors.has(FIRST_LAYER) || (tensors.size === 0 && 'stacked_transformers' in config),
  graphs: (c, w, probe) => ({ decode: decoder(c, w, probe), spread: spreadHead(c, w) }),
  capabilities: ({ inputPatch, outputPatch, contextLimit }) => ({
    covariates: {
      ...NO_COVARIATES,
      future_covariates_numeric: true,
      future_covariates_categorical: true,
      static_covariates: true,
    },
    contextLength: contextLimit - outputPatch,
    nativeHorizon: outputPatch,
    maxHorizon: Math.floor((contextLimit - inputPatch) / outputPatch) * outputPatch,
    quantiles: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    multivariate: false,
    samples: false,
  }),
  forecast,
  training,
});
