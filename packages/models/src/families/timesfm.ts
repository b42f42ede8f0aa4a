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
  relu,
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
import { type Block, Config } from './timesfm/config.ts';
import { CHANNELS, memoryNames, pastOf } from './timesfm/decode.ts';
import { forecast } from './timesfm/forecast.ts';
import { training } from './timesfm/training.ts';

const FIRST_LAYER = 'stacked_xf.0.attn.per_dim_scale.per_dim_scale';

/** The sizes as the tensors have them, whatever config.json says. */
const readShapes = (c: Config, tensors: ReadonlyMap<string, TensorSpec>): Config => {
  if (!tensors.has(FIRST_LAYER)) return c;
  const size = (name: string, axis: number): number => tensors.get(name)?.shape[axis] ?? 0;
  const width = size('tokenizer.output_layer.weight', 0);
  const hasBias = (path: string): boolean => tensors.has(`${path}.bias`);
  const block = (own: Block, path: string): Block => ({
    ...own,
    hidden: size(`${path}.hidden_layer.weight`, 0),
    hasBias: hasBias(`${path}.hidden_layer`),
  });
  const layers = [...tensors.keys()].filter((name) => /^stacked_xf\.\d+\.ff0\.weight$/.test(name));
  return {
    ...c,
    width,
    inputPatch: size('tokenizer.hidden_layer.weight', 1) / 2,
    outputPatch: size('output_projection_point.output_layer.weight', 0) / CHANNELS,
    spreadLength: size('output_projection_quantiles.output_layer.weight', 0) / CHANNELS,
    layers: layers.length,
    heads: width / size(FIRST_LAYER, 0),
    hidden: size('stacked_xf.0.ff0.weight', 0),
    hasBias: hasBias('stacked_xf.0.ff0'),
    hasNormedKeys: tensors.has('stacked_xf.0.attn.query_ln.scale'),
    isFused: tensors.has('stacked_xf.0.attn.qkv_proj.weight'),
    tokenizer: block(c.tokenizer, 'tokenizer'),
    point: block(c.point, 'output_projection_point'),
    spread: block(c.spread, 'output_projection_quantiles'),
  };
};

const EPSILON = 1e-6;
/** Added to the score of a key that must not be seen. */
const HIDDEN = -1e30;

const ACTIVATIONS = { swish: silu, relu, none: (x: Tensor): Tensor => x };

/** out(act(hidden(x))) + residual(x). x [..., in] -> [..., out] */
const residualBlock = (
  x: Tensor,
  w: Weights,
  { hidden, hasBias: bias, activation }: Block,
  out: number,
): Tensor => {
  const wide = ACTIVATIONS[activation](linear(x, w.at('hidden_layer'), hidden, { bias }));
  return add(
    linear(wide, w.at('output_layer'), out, { bias }),
    linear(x, w.at('residual_layer'), out, { bias }),
  );
};

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

const PROJECTIONS = ['query', 'key', 'value'] as const;

/** Queries, keys and values, of one layer or of three. x [b, n, d] -> [b, n, d] each */
const projections = (x: Tensor, w: Weights, { isFused }: Config) => {
  const d = widthOf(x);
  type Name = (typeof PROJECTIONS)[number];
  if (!isFused) return (name: Name): Tensor => linear(x, w.at(name), d, { bias: false });
  const qkv = linear(x, w.at('qkv_proj'), 3 * d, { bias: false });
  return (name: Name): Tensor => {
    const i = PROJECTIONS.indexOf(name);
    return slice(qkv, 2, { start: i * d, end: (i + 1) * d });
  };
};

/** Rotary positions come before the norm of queries and keys. x [b, n, d] -> output [b, n, d] */
const attention = (x: Tensor, w: Weights, past: Memory, scene: Scene, c: Config) => {
  const { heads } = c;
  const d = widthOf(x);
  const k = d / heads;
  const part = projections(x, w, c);
  const gainOf = (name: string): Tensor | number =>
    c.hasNormedKeys ? w.get(`${name}.scale`, [k]) : 1;
  const normed = (y: Tensor, gain: Tensor | number): Tensor => {
    const turned = c.hasRotation ? rotate(y, scene.rotation, heads) : y;
    if (gain === 1) return turned;
    const split = rearrange(turned, 'b n (h k) -> b n h k', { h: heads });
    const scaled =
      c.hasNormedKeys && typeof gain !== 'number'
        ? rmsNormalize(split, gain, EPSILON)
        : mul(split, gain);
    return rearrange(scaled, 'b n h k -> b n (h k)');
  };
  // 1 at softplus(0) = ln 2, since log2(e) ln 2 = 1.
  const perChannel = softplus(w.get('per_dim_scale.per_dim_scale', [k]));
  const scale = mul(perChannel, Math.LOG2E / Math.sqrt(k));
  const query = normed(part('query'), mul(scale, gainOf('query_ln')));
  const key = concat([past.key, normed(part('key'), gainOf('key_ln'))], 1);
  const value = concat([past.value, part('value')], 1);
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
  const options = { bias: c.hasBias };
  const wide = linear(rmsNorm(between, w.at('pre_ff_ln')), w.at('ff0'), c.hidden, options);
  const narrow = linear(ACTIVATIONS[c.activation](wide), w.at('ff1'), c.width, options);
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

  const patches = probe('tokenizer_input', tokens);
  const embedded = residualBlock(patches, w.at('tokenizer'), c.tokenizer, c.width);
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
  const head = w.at('output_projection_point');
  const point = residualBlock(take(x, read, 1), head, c.point, c.outputPatch * CHANNELS);
  const state = slice(x, 1, { start: addDims(dimOf(x, 1), -1) });
  return defineGraph('timesfm', [tokens, first, read, ...memory], { point, state, ...outputs });
};

/** The continuous quantile head: state [batch, 1, d] -> spread [batch, 1, os * 10] */
const spreadHead = (c: Config, w: Weights): Graph => {
  const state = input('state', ['batch', 1, c.width]);
  const head = w.at('output_projection_quantiles');
  const spread = residualBlock(state, head, c.spread, c.spreadLength * CHANNELS);
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
