/**
 * The layers that both generations of Moirai share (Woo et al. 2024, "Unified Training of Universal Time
 * Series Forecasting Transformers", arXiv:2402.02592; package uni2ts, module/transformer.py,
 * module/packed_scaler.py): one sequence holds the patches of all variates as tokens, told apart by ids.
 */
import {
  add,
  and,
  attend,
  cast,
  div,
  equal,
  lessOrEqual,
  matmul,
  mul,
  rearrange,
  reshape,
  rmsNormalize,
  silu,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
  take,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../family.ts';
import { linear } from './linear.ts';
import { type Rotation, rotate, rotationOf } from './rotary.ts';

/** What a token is: each [b, n] int32. */
export interface TokenIds {
  /** Tokens of different samples never see each other; 0 is padding. */
  readonly sample: Tensor;
  /** The place in time, in patches. */
  readonly time: Tensor;
  readonly variate: Tensor;
}

const EPSILON = 1e-5;
/** Added to the score of a key that must not be seen. */
const HIDDEN = -1e30;

/** Attention heads of a model of width d: not in the config, one for every 64 channels. */
export const moiraiHeads = (d: number): number => Math.floor(d / 64);

/** Whether the ids of two tokens are equal: [b, n] -> bool [b, n, n], query by key. */
const isSame = (ids: Tensor): Tensor =>
  equal(rearrange(ids, 'b q -> b q 1'), rearrange(ids, 'b k -> b 1 k'));

/** a / b, and a where b is 0. */
const safeDivide = (a: Tensor, b: Tensor): Tensor => div(a, where(equal(b, 0), 1, b));

/**
 * Mean and standard deviation of every variate of every sample over the counted points, in float64; 0 and 1
 * for padding, and everywhere in models that do not scale. target, counted [b, n, p] -> loc, scale [b, n, 1] float32
 */
export const packedScaler = (
  target: Tensor,
  counted: Tensor,
  ids: TokenIds,
  isScaling: boolean,
): { readonly loc: Tensor; readonly scale: Tensor } => {
  if (!isScaling) {
    const loc = mul(cast(rearrange(ids.sample, 'b n -> b n 1'), 'float32'), 0);
    return { loc, scale: add(loc, 1) };
  }
  const x = cast(target, 'float64');
  const weight = cast(counted, 'float64');
  const group = cast(and(isSame(ids.sample), isSame(ids.variate)), 'float64');
  const total = (y: Tensor): Tensor => matmul(group, sum(y, -1, { keepAxes: true })); // [b, n, 1]
  const count = total(weight);
  const loc = safeDivide(total(mul(x, weight)), count);
  const deviation = mul(sub(x, loc), weight);
  const variance = safeDivide(total(mul(deviation, deviation)), sub(count, 1));
  const isPadding = equal(rearrange(ids.sample, 'b n -> b n 1'), 0);
  return {
    loc: cast(where(isPadding, 0, loc), 'float32'),
    scale: cast(where(isPadding, 1, sqrt(add(variance, EPSILON))), 'float32'),
  };
};

/** What all layers of a sequence have in common. */
interface Scene {
  readonly rotation: Rotation;
  /** 0 where the key is seen, very low elsewhere: [b, 1, n, n] */
  readonly mask: Tensor;
  /** 1 where query and key are of one variate: [b, 1, n, n] */
  readonly isSameVariate: Tensor;
}

const sceneOf = (ids: TokenIds, width: number, isCausal: boolean): Scene => {
  const sameSample = isSame(ids.sample);
  const isPast = lessOrEqual(
    rearrange(ids.time, 'b k -> b 1 k'),
    rearrange(ids.time, 'b q -> b q 1'),
  );
  const seen = isCausal ? and(sameSample, isPast) : sameSample;
  const perHead = (x: Tensor): Tensor => rearrange(x, 'b q k -> b 1 q k');
  return {
    rotation: rotationOf(ids.time, width / 2),
    mask: perHead(where(seen, 0, HIDDEN)),
    isSameVariate: perHead(cast(isSame(ids.variate), 'float32')),
  };
};

/**
 * The learned bias between tokens of one variate and of different ones: emb [2, h]. The row for different
 * variates is added to all keys of a query alike, and what is left of the other one is the difference.
 */
const variateBias = (w: Weights, heads: number, { isSameVariate, mask }: Scene): Tensor => {
  const table = w.get('var_attn_bias.emb.weight', [2, heads]);
  const row = (i: number): Tensor =>
    reshape(slice(table, 0, { start: i, end: i + 1 }), [1, heads, 1, 1]);
  return add(mul(isSameVariate, sub(row(1), row(0))), mask); // [b, h, n, n]
};

/** x [b, n, ...] at the places that are asked for, all without any: [b, r, ...] */
const atPlaces = (x: Tensor, asked: Tensor | undefined, axis = 1): Tensor =>
  asked ? take(x, asked, axis) : x;

/**
 * Queries and keys are normalised per head, and the first half of each head is turned by the time.
 * x [b, n, d] -> [b, r, d], what the tokens that are asked for see
 */
const attention = (x: Tensor, w: Weights, scene: Scene, asked?: Tensor): Tensor => {
  const d = widthOf(x);
  const heads = moiraiHeads(d);
  const project = (y: Tensor, name: string): Tensor => linear(y, w.at(name), d, { bias: false });
  const turned = (y: Tensor, name: 'q' | 'k', rotation: Rotation): Tensor => {
    const split = rearrange(project(y, `${name}_proj`), 'b n (h k) -> b n h k', { h: heads });
    const normed = rmsNormalize(split, w.get(`${name}_norm.weight`, [d / heads]), EPSILON);
    const joined = rearrange(normed, 'b n h k -> b n (h k)');
    return rotate(joined, rotation, heads, 'neighbours');
  };
  const { cos, sin } = scene.rotation;
  const query = turned(atPlaces(x, asked), 'q', {
    cos: atPlaces(cos, asked),
    sin: atPlaces(sin, asked),
  });
  const bias = variateBias(w, heads, {
    ...scene,
    mask: atPlaces(scene.mask, asked, 2),
    isSameVariate: atPlaces(scene.isSameVariate, asked, 2),
  });
  const mixed = attend(query, turned(x, 'k', scene.rotation), project(x, 'v_proj'), {
    heads,
    bias,
  });
  return linear(mixed, w.at('out_proj'), d, { bias: false });
};

/** fc2(silu(gate(x)) * fc1(x)). x [..., d] -> [..., d] */
const feedForward = (x: Tensor, w: Weights, width: number): Tensor => {
  const project = (name: string): Tensor => linear(x, w.at(name), width, { bias: false });
  const gated = mul(silu(project('fc_gate')), project('fc1'));
  return linear(gated, w.at('fc2'), widthOf(x), { bias: false });
};

/** RMS norm with gain. x [..., d] -> [..., d] */
export const moiraiNorm = (x: Tensor, w: Weights): Tensor =>
  rmsNormalize(x, w.get('weight', [widthOf(x)]), EPSILON);

export interface EncoderOptions {
  readonly layers: number;
  readonly feedForwardWidth: number;
  /** Whether a token sees only tokens up to its own time. */
  readonly isCausal: boolean;
  /** Places whose states are read: int64 [r]. */
  readonly read: Tensor;
  readonly probe: Probe;
}

/** One layer of width f within: x [b, n, d] -> the states of the tokens that are asked for, [b, r, d] */
const moiraiLayer = (
  x: Tensor,
  w: Weights,
  scene: Scene,
  f: number,
  { asked, probe }: { readonly asked?: Tensor; readonly probe: Probe },
): Tensor => {
  const mixed = attention(moiraiNorm(x, w.at('norm1')), w.at('self_attn'), scene, asked);
  const between = add(atPlaces(x, asked), probe('self_attn_out', mixed));
  return add(between, feedForward(moiraiNorm(between, w.at('norm2')), w.at('ffn'), f));
};

const SILENT: Probe = (_, tensor) => tensor;

/** The stack of layers without its final norm, at the places that are read. x [b, n, d] -> [b, r, d] */
export const moiraiLayers = (
  x: Tensor,
  w: Weights,
  ids: TokenIds,
  options: EncoderOptions,
): Tensor => {
  const { layers, feedForwardWidth: f, isCausal, read, probe } = options;
  const d = widthOf(x);
  const scene = sceneOf(ids, d / moiraiHeads(d), isCausal);
  let state = x;
  for (let i = 0; i < layers; i++) {
    const layer = w.at(`layers.${i}`);
    const inner: Probe = (name, tensor) => probe(`layer${i}_${name}`, tensor);
    const all = probe(`after_layer${i}`, moiraiLayer(state, layer, scene, f, { probe: inner }));
    // Nobody reads the other tokens of the last layer.
    const isLast = i === layers - 1;
    state = isLast ? moiraiLayer(state, layer, scene, f, { asked: read, probe: SILENT }) : all;
  }
  return state;
};
