/**
 * The layers that Timer and Sundial share (github.com/thuml, modeling_timer.py and modeling_sundial.py):
 * causal attention with rotary positions, whose keys and values a roll-out can keep, and a gated
 * feed-forward layer.
 */
import {
  addDims,
  attend,
  concat,
  type Dim,
  dimOf,
  input,
  iota,
  layerNormalize,
  mul,
  slice,
  type Tensor,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { ACTIVATIONS, type Activation, type ActivationName } from './activation.ts';
import { linear } from './linear.ts';
import { causalMask } from './masks.ts';
import { type Rotation, rotate, rotationOf } from './rotary.ts';

export interface TimerLayersConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: ActivationName;
}

/** Heads share the width evenly, and rotary positions turn pairs of features. */
export const headsDivide = (
  c: Pick<TimerLayersConfig, 'hidden_size' | 'num_attention_heads'>,
): boolean => c.hidden_size % (2 * c.num_attention_heads) === 0;

/** What a config is told whose heads do not. */
export const HEADS_DIVIDE = {
  path: ['num_attention_heads'],
  message: 'must divide hidden_size into even widths',
};

/** Keys and values of earlier tokens in one layer, both [b, past, d]. */
export interface LayerMemory {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Facts about positions that all layers use. */
export interface Positions {
  readonly rotation: Rotation;
  /** 0 where a token may look, the lowest float where not, [1, 1, s, past + s]. */
  readonly mask: Tensor;
}

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
  const own = slice(iota(addDims(past, length)), 0, { start: past });
  return {
    rotation: rotationOf(own, hidden_size / num_attention_heads),
    mask: causalMask(past, length),
  };
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
  const key = concat([past.key, rotate(project('k_proj'), at.rotation, heads)], 1);
  const value = concat([past.value, project('v_proj')], 1);
  const mixed = attend(rotate(project('q_proj'), at.rotation, heads), key, value, {
    heads,
    bias: at.mask,
  });
  return {
    output: linear(mixed, w.at('o_proj'), width, { bias: false }),
    memory: { key, value },
  };
};

/** down(act(gate x) * up x), no bias. x [b, s, d] -> [b, s, d] */
export const gatedFeedForward = (x: Tensor, w: Weights, c: TimerLayersConfig): Tensor => {
  const hidden = c.intermediate_size;
  const activate: Activation = ACTIVATIONS[c.hidden_act];
  const project = (y: Tensor, name: string, out: number): Tensor =>
    linear(y, w.at(name), out, { bias: false });
  const gated = mul(activate(project(x, 'gate_proj', hidden)), project(x, 'up_proj', hidden));
  return project(gated, 'down_proj', Number(dimOf(x, -1)));
};
