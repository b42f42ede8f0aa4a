/**
 * Chronos-T5: a T5 language model whose words are bins of values. The context, scaled and binned, is
 * encoded once; the decoder draws one token a step, many paths at a time.
 *
 * Paper        Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024 (arXiv 2403.07815)
 * Reference    github.com/amazon-science/chronos-forecasting, src/chronos/chronos.py (Apache-2.0);
 *              the model is transformers' modeling_t5.py
 * Checkpoints  amazon/chronos-t5-{tiny,mini,small,base,large} (Apache-2.0)
 */

import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  affine,
  and,
  attend,
  broadcast,
  cast,
  concat,
  constant,
  cumulativeSum,
  type Dim,
  defineGraph,
  dimOf,
  div,
  type Graph,
  greater,
  greaterOrEqual,
  input,
  iota,
  less,
  lessOrEqual,
  maximum,
  min,
  minimum,
  mul,
  multiplyDims,
  rearrange,
  repeat,
  scan,
  slice,
  softmax,
  sub,
  subtractDims,
  sum,
  symbol,
  type Tensor,
  take,
  top,
  type Weights,
  where,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { FLOAT_MIN } from '../nn/masks.ts';
import {
  distanceBucket,
  relativePositionBias,
  t5Attention,
  t5EncoderBlock,
  t5FeedForward,
  t5Norm,
} from '../nn/t5.ts';
import { decoderLayers } from '../nn/t5-config.ts';
import { ChronosT5Config, type ChronosT5Config as Config } from './chronos-t5/config.ts';
import { embed, forecast } from './chronos-t5/predict.ts';

/** x [..., s, d], normed -> [..., s, d] */
type Attention = (x: Tensor, w: Weights) => Tensor;

/** Masks as numbers to add to scores: mask [b, n] -> [b, 1, 1, n] */
const maskBias = (mask: Tensor): Tensor =>
  rearrange(where(greater(mask, 0), 0, FLOAT_MIN), 'b n -> b 1 1 n');

/** ids int64 [b, n], mask [b, n] -> [b, n, d] */
const encoder = (ids: Tensor, mask: Tensor, w: Weights, c: Config, probe: Probe): Tensor => {
  const longest = c.chronos_config.context_length + (c.chronos_config.use_eos_token ? 1 : 0);
  const positions = w.at('encoder.block.0.layer.0.SelfAttention');
  const bias = add(relativePositionBias(positions, dimOf(ids, 1), longest, c), maskBias(mask));
  let x = take(embeddings(w, c), ids);
  for (let i = 0; i < c.num_layers; i++)
    x = t5EncoderBlock(x, w.at(`encoder.block.${i}`), c, bias, `encoder_block${i}`, probe);
  return t5Norm(x, w.at('encoder.final_layer_norm'), c);
};

const embeddings = (w: Weights, c: Config): Tensor =>
  w.get('shared.weight', [c.vocab_size, c.d_model]);

const decoderBlock = (
  x: Tensor,
  w: Weights,
  c: Config,
  self: Attention,
  cross: Attention,
  probe: Probe,
  name: string,
): Tensor => {
  const [own, memory, feed] = [w.at('layer.0'), w.at('layer.1'), w.at('layer.2')];
  const y = add(x, self(t5Norm(x, own.at('layer_norm'), c), own.at('SelfAttention')));
  probe(`${name}_after_self_attention`, y);
  const z = add(y, cross(t5Norm(y, memory.at('layer_norm'), c), memory.at('EncDecAttention')));
  probe(`${name}_after_cross_attention`, z);
  const fed = t5FeedForward(t5Norm(z, feed.at('layer_norm'), c), feed.at('DenseReluDense'), c);
  return probe(name, add(z, fed));
};

/** The decoder's learned bias of the distances to earlier positions: [distances] -> [distances, h] */
const distanceBias = (distances: readonly number[], w: Weights, c: Config): Tensor => {
  const { relative_attention_num_buckets: buckets, relative_attention_max_distance: most } = c;
  const path = 'decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight';
  const bucketOf = distances.map((distance) => distanceBucket(distance, buckets, most));
  return take(w.get(path, [buckets, c.num_heads]), constant(bucketOf, 'int64'));
};

/** x [..., d], times `factor` -> logits [..., V] */
const head = (x: Tensor, factor: Tensor | number, w: Weights, c: Config): Tensor => {
  const ownHead = !c.tie_word_embeddings && w.has('lm_head.weight');
  const table = ownHead ? w.get('lm_head.weight', [c.vocab_size, c.d_model]) : embeddings(w, c);
  return affine(mul(x, factor), table);
};

const headFactor = (c: Config): number => (c.tie_word_embeddings ? c.d_model ** -0.5 : 1);

interface Sources {
  readonly ids: Tensor;
  readonly mask: Tensor;
}

const sourcesOf = (): Sources => ({
  ids: input('token_ids', ['batch', 'length'], 'int64'),
  mask: input('attention_mask', ['batch', 'length']),
});

/** Teacher forcing: decoder_input_ids [b, t] -> logits [b, t, V] and the encoder's states */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const { ids, mask } = sourcesOf();
  const targets = input('decoder_input_ids', ['batch', 'steps'], 'int64');
  const memory = encoder(ids, mask, w, c, probe);
  const furthest = c.relative_attention_max_distance;
  const table = distanceBias(
    Array.from({ length: furthest + 1 }, (_, distance) => distance),
    w,
    c,
  );
  const place = iota(dimOf(targets, 1));
  const distance = sub(rearrange(place, 'q -> q 1'), rearrange(place, 'k -> 1 k'));
  const bias = rearrange(take(table, minimum(maximum(distance, 0), furthest)), 'q k h -> 1 h q k');
  const causal = add(bias, where(less(distance, 0), FLOAT_MIN, 0));
  const self: Attention = (x, at) => t5Attention(x, x, at, c, causal);
  const cross: Attention = (x, at) => t5Attention(x, memory, at, c, maskBias(mask));
  let x = take(embeddings(w, c), targets);
  for (let i = 0; i < decoderLayers(c); i++) {
    const block = w.at(`decoder.block.${i}`);
    x = decoderBlock(x, block, c, self, cross, probe, `decoder_block${i}`);
  }
  const states = probe('decoder_final_unscaled', t5Norm(x, w.at('decoder.final_layer_norm'), c));
  return defineGraph('chronos-t5-forward', [ids, mask, targets], {
    logits: head(states, headFactor(c), w, c),
    encoder_last_hidden_state: memory,
  });
};

/** Keys or values of one layer, split into heads: [b, t, h*k] -> [b, h, t, k] */
const splitHeads = (x: Tensor, c: Config): Tensor =>
  rearrange(x, 'b t (h k) -> b h t k', { h: c.num_heads });

const project = (x: Tensor, w: Weights, name: string, c: Config): Tensor =>
  linear(x, w.at(name), c.num_heads * c.d_kv, { bias: false });

const output = (x: Tensor, w: Weights, c: Config): Tensor =>
  linear(x, w.at('o'), c.d_model, { bias: false });

/** Looks at the encoder's states of its series. The keys are made once, all paths of a series share them. */
const crossAttention = (memory: Tensor, mask: Tensor, c: Config): Attention => {
  return (x, w) => {
    const [keys, values] = [project(memory, w, 'k', c), project(memory, w, 'v', c)];
    const options = { heads: c.num_heads, scale: 1, bias: mask };
    const query = project(x, w, 'q', c);
    return output(attend(query, splitHeads(keys, c), splitHeads(values, c), options), w, c);
  };
};

/** Keys and values of all earlier positions of a layer, [b*s, h, t, k] each. */
interface Cache {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** One position of every path [b, s, d] looks at its path so far; gives the cache with this position. */
const cachedAttention = (
  past: Cache,
  bias: Tensor,
  c: Config,
  keep: (cache: Cache) => void,
): Attention => {
  return (x, w) => {
    const fresh = (name: string): Tensor =>
      rearrange(project(x, w, name, c), 'b s (h k) -> (b s) h 1 k', { h: c.num_heads });
    const keys = concat([past.keys, fresh('k')], 2);
    const values = concat([past.values, fresh('v')], 2);
    keep({ keys, values });
    const query = rearrange(project(x, w, 'q', c), 'b s e -> (b s) 1 e');
    const mixed = attend(query, keys, values, { heads: c.num_heads, scale: 1, bias });
    return output(rearrange(mixed, '(b s) 1 e -> b s e', { s: dimOf(x, 1) }), w, c);
  };
};

interface Draw {
  /** [b, s] in [0, 1) */
  readonly uniform: Tensor;
  /** How many of the most likely tokens stay. */
  readonly topK: Dim;
  /** Scalar: the share of the probability that stays; more than 1 for all. */
  readonly topP: Tensor;
}

/**
 * Draws a token: of the distribution without what top_k and top_p drop, the smallest id whose running sum
 * is above the uniform number. logits [b, s, V] -> tokens int64 [b, s] and the distribution
 */
const draw = (logits: Tensor, { uniform, topK, topP }: Draw) => {
  const ranked = top(logits, topK).values;
  const shares = softmax(ranked);
  const before = sub(cumulativeSum(shares, -1), shares);
  const lowest = min(where(less(before, topP), ranked, Number.POSITIVE_INFINITY), -1, {
    keepAxes: true,
  });
  const stays = greaterOrEqual(logits, lowest);
  const distribution = softmax(where(stays, logits, Number.NEGATIVE_INFINITY));
  const running = cumulativeSum(distribution, -1);
  const total = slice(running, 2, { start: subtractDims(dimOf(running, 2), 1) });
  const target = mul(rearrange(uniform, 'b s -> b s 1'), total);
  // The second condition keeps a product that rounds up to the total within the tokens.
  const passed = and(lessOrEqual(running, target), less(running, total));
  return { tokens: cast(sum(cast(passed, 'float32'), -1), 'int64'), distribution };
};

/** What each step of a decoding run uses besides its caches. */
interface Decoder {
  readonly cross: Attention;
  /** Of all positions up to the longest, the farthest first: [1, h, 1, j] */
  readonly biases: Tensor;
  /** On the states, before the table of tokens. */
  readonly factor: Tensor;
  /** -Infinity at the tokens that are never drawn, 0 elsewhere: [V] */
  readonly barred: Tensor;
  readonly topP: Tensor;
}

/** One token of every path: previous [b, s] and the caches of all layers -> tokens, distribution, longer caches */
const decodeStep = (
  previous: Tensor,
  pasts: readonly Tensor[],
  uniform: Tensor,
  { cross, biases, factor, barred, topP }: Decoder,
  w: Weights,
  c: Config,
) => {
  const past = dimOf(pasts[0]!, 2);
  const start = subtractDims(c.chronos_config.prediction_length - 1, past);
  const bias = slice(biases, 3, { start });
  const caches: Tensor[] = [];
  let x = take(embeddings(w, c), previous);
  for (let i = 0; i < decoderLayers(c); i++) {
    const cache = { keys: pasts[2 * i]!, values: pasts[2 * i + 1]! };
    const self = cachedAttention(cache, bias, c, ({ keys, values }) => {
      caches.push(keys, values);
    });
    x = decoderBlock(x, w.at(`decoder.block.${i}`), c, self, cross, (_, tensor) => tensor, '');
  }
  const logits = head(t5Norm(x, w.at('decoder.final_layer_norm'), c), factor, w, c);
  return { ...draw(add(logits, barred), { uniform, topK: symbol('top_k'), topP }), caches };
};

const decoderOf = (
  memory: Tensor,
  mask: Tensor,
  samples: Dim,
  { temperature, topP }: { readonly temperature: Tensor; readonly topP: Tensor },
  w: Weights,
  c: Config,
): Decoder => {
  const { prediction_length: longest, eos_token_id: end } = c.chronos_config;
  const spread = repeat(maskBias(mask), 'b 1 1 n -> b 1 s n', { s: samples });
  const reversed = Array.from({ length: longest }, (_, i) => longest - 1 - i);
  return {
    cross: crossAttention(memory, spread, c),
    biases: rearrange(distanceBias(reversed, w, c), 'j h -> 1 h 1 j'),
    factor: div(constant(headFactor(c)), temperature),
    barred: constant(
      Array.from({ length: c.vocab_size }, (_, id) => (id === end ? Number.NEGATIVE_INFINITY : 0)),
    ),
    topP,
  };
};

/** uniforms [t, b, s] -> tokens int64 [t, b, s], a path of t tokens for each number of the last axis */
const generate = (c: Config, w: Weights, probe: Probe): Graph => {
  const { ids, mask } = sourcesOf();
  const uniforms = input('uniforms', ['steps', 'batch', 'samples']);
  const ranks = input('ranks', ['top_k']);
  const topP = input('top_p', []);
  const temperature = input('temperature', []);
  const [batch, samples] = [dimOf(uniforms, 1), dimOf(uniforms, 2)];

  const memory = encoder(ids, mask, w, c, probe);
  const decoder = decoderOf(memory, mask, samples, { temperature, topP }, w, c);
  const rows = multiplyDims(batch, samples);
  const empty = broadcast(constant([], 'float32', [1, 1, 0, 1]), [rows, c.num_heads, 0, c.d_kv]);
  const start = broadcast(constant([c.decoder_start_token_id], 'int64', [1, 1]), [batch, samples]);
  const nothing = broadcast(constant([0], 'float32', [1, 1, 1]), [batch, samples, c.vocab_size]);
  const caches = Array.from({ length: 2 * decoderLayers(c) }, () => empty);

  const { states, outputs } = scan(
    [start, nothing, ...caches],
    [uniforms],
    ([previous, , ...pasts], [uniform]) => {
      const step = decodeStep(previous!, pasts, uniform!, decoder, w, c);
      return { states: [step.tokens, step.distribution, ...step.caches], outputs: [step.tokens] };
    },
    { steps: 'past', axes: [undefined, undefined, ...caches.map(() => 2)] },
  );
  probe('last_distribution', states[1]!);
  const inputs = [ids, mask, uniforms, ranks, topP, temperature];
  return defineGraph('chronos-t5-generate', inputs, { tokens: outputs[0]! });
};

const encode = (c: Config, w: Weights): Graph => {
  const { ids, mask } = sourcesOf();
  const states = encoder(ids, mask, w, c, (_, tensor) => tensor);
  return defineGraph('chronos-t5-encode', [ids, mask], { states });
};

export const chronosT5 = defineFamily({
  name: 'chronos-t5',
  config: ChronosT5Config,
  recognizes: ({ chronos_config: c, chronos_pipeline_class: pipeline = 'ChronosPipeline' }) =>
    pipeline === 'ChronosPipeline' && typeof c === 'object' && c !== null,
  graphs: (c, w, probe) => ({
    generate: generate(c, w, probe),
    encode: encode(c, w),
    forward: forward(c, w, probe),
  }),
  capabilities: ({ chronos_config: c }) => ({
    covariates: NO_COVARIATES,
    contextLength: c.context_length,
    nativeHorizon: c.prediction_length,
    maxHorizon: null,
    quantiles: [],
    multivariate: false,
    samples: true,
  }),
  forecast,
  embed,
  // The table of tokens decides between neighbours.
  keepFloat32: /^(shared|lm_head)\.weight$/,
});
