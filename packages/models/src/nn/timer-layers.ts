/**
 * The layers that Timer and Sundial share (github.com/thuml, modeling_timer.py and modeling_sundial.py):
 * causal attention with rotary positions, whose keys and values a roll-out can keep, and a gated
 * feed-forward layer.
 */
import {
  add,
  addDims,
  attend,
  cast,
  concat,
  constant,
  cos,
  type Dim,
  dimOf,
  greater,
  input,
  iota,
  layerNormalize,
  mul,
  rearrange,
  silu,
  sin,
  slice,
  type Tensor,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import { linear } from './linear.ts';

export interface TimerLayersConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
}

/** Keys and values of earlier tokens in one layer, both [b, past, d]. */
export interface LayerMemory {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Facts about positions that all layers use. */
export interface Positions {
  /** cos and signed sin of the tokens' angles, [1, s, 1, head]. */
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** 0 where a token may look, the lowest float where not, [1, 1, s, past + s]. */
  readonly mask: Tensor;
}

const ROTARY_BASE = 10000;
/** The lowest float32, added to the scores of later tokens. */
const FLOAT_MIN = -3.4028234663852886e38;
const EPSILON = 1e-5;

/** torch's nn.LayerNorm with offset. x [..., d] */
export const layerNorm = (x: Tensor, w: Weights): Tensor => {
  const width = widthOf(x);
  return layerNormalize(x, w.get('weight', [width]), w.get('bias', [width]), EPSILON);
};

/** Inputs for the keys and values of earlier tokens: `key.i` and `value.i`, [batch, past, d]. */
export const memoryInputs = (
  batch: Dim,
  past: Dim,
  { num_hidden_layers, hidden_size }: TimerLayersConfig,
): readonly LayerMemory[] =>
  Array.from({ length: num_hidden_layers }, (_, i) => ({
    key: input(`key.${i}`, [batch, past, hidden_size]),
    value: input(`value.${i}`, [batch, past, hidden_size]),
  }));

/** Rotary angles of `length` tokens that follow `past` ones, and the causal mask. */
export const positions = (
  past: Dim,
  length: Dim,
  { hidden_size, num_attention_heads }: TimerLayersConfig,
): Positions => {
  const half = hidden_size / num_attention_heads / 2;
  const place = iota(addDims(past, length));
  const own = slice(place, 0, { start: past });
  const frequencies = constant(
    Array.from({ length: half }, (_, i) => 1 / ROTARY_BASE ** (i / half)),
  );
  const angle = mul(rearrange(cast(own, 'float32'), 's -> 1 s 1 1'), frequencies); // [1, s, 1, head / 2]
  const later = greater(rearrange(place, 't -> 1 1 1 t'), rearrange(own, 's -> 1 1 s 1'));
  return {
    cos: concat([cos(angle), cos(angle)], -1),
    sin: concat([mul(sin(angle), -1), sin(angle)], -1),
    mask: where(later, FLOAT_MIN, 0),
  };
};

/** Turns the pairs (i, i + head/2) of each head by their angles (Su et al. 2021). x [b, s, h*k] */
const rotate = (x: Tensor, heads: number, at: Positions): Tensor => {
  const split = rearrange(x, 'b s (h k) -> b s h k', { h: heads });
  const half = widthOf(split) / 2;
  const swapped = concat([slice(split, 3, { start: half }), slice(split, 3, { end: half })], 3);
  return rearrange(add(mul(split, at.cos), mul(swapped, at.sin)), 'b s h k -> b s (h k)');
};

/** x [b, s, d] looks at the past and at itself -> the layer's output [b, s, d], and the longer memory */
export const rotaryAttention = (
  x: Tensor,
  w: Weights,
  c: TimerLayersConfig,
  at: Positions,
  past: LayerMemory,
): { readonly output: Tensor; readonly memory: LayerMemory } => {
  const { hidden_size: width, num_attention_heads: heads } = c;
  const project = (name: string): Tensor => linear(x, w.at(name), width);
  const key = concat([past.key, rotate(project('k_proj'), heads, at)], 1);
  const value = concat([past.value, project('v_proj')], 1);
  const mixed = attend(rotate(project('q_proj'), heads, at), key, value, { heads, bias: at.mask });
  return {
    output: linear(mixed, w.at('o_proj'), width, { bias: false }),
    memory: { key, value },
  };
};

/** down(silu(gate x) * up x), no bias. x [b, s, d] -> [b, s, d] */
export const gatedFeedForward = (x: Tensor, w: Weights, hidden: number): Tensor => {
  const project = (y: Tensor, name: string, out: number): Tensor =>
    linear(y, w.at(name), out, { bias: false });
  const gated = mul(silu(project(x, 'gate_proj', hidden)), project(x, 'up_proj', hidden));
  return project(gated, 'down_proj', Number(dimOf(x, -1)));
};
