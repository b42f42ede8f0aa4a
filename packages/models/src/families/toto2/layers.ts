/** The layers of Toto 2.0, unit-scaled (Blake et al. 2024, "u-muP"; dd_unit_scaling, functional.py). */
import {
  add,
  addDims,
  and,
  attend,
  cast,
  concat,
  constant,
  type Dim,
  dimOf,
  div,
  equal,
  floor,
  iota,
  lessOrEqual,
  max,
  mul,
  neg,
  rearrange,
  repeat,
  rmsNormalize,
  silu,
  slice,
  softplus,
  sqrt,
  sub,
  type Tensor,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { linear } from '../../nn/linear.ts';
import { FLOAT_MIN } from '../../nn/masks.ts';
import { type Rotation, rotate, rotationOf } from '../../nn/rotary.ts';
import { xposBases, xposGrowth } from '../../nn/xpos.ts';
import { type Config, isVariateLayer } from './config.ts';

/** Brings silu of a standard normal back to unit variance (unit-scaling). */
const SILU_UNIT = 1.766782948312328;
const XPOS_SPAN = 256;

/** What all layers of one run share. */
export interface Surroundings {
  readonly queries: Rotation;
  readonly keys: Rotation;
  /** [b * v, 1, s, past + s] */
  readonly timeMask: Tensor;
  /** [b * s, 1, v, v] */
  readonly variateMask: Tensor;
  readonly variates: Dim;
}

/** Keys and values of a time layer, [rows, length, groups * width] each. */
export interface Memory {
  readonly key: Tensor;
  readonly value: Tensor;
}

// ---- unit-scaled blocks --------------------------------------------------------------------------

interface UnitLinearOptions {
  readonly bias?: boolean;
  /** The last layer of a model shrinks by its width, not by the root of it. */
  readonly isReadout?: boolean;
}

/** (x W^T + b) / sqrt(fan in): the bias shrinks too. x [..., in] -> [..., out] */
const unitLinear = (
  x: Tensor,
  w: Weights,
  out: number,
  options: UnitLinearOptions = {},
): Tensor => {
  const { bias = true, isReadout = false } = options;
  const fanIn = isReadout ? widthOf(x) : Math.sqrt(widthOf(x));
  return mul(linear(x, w, out, { bias }), 1 / fanIn);
};

/** x / sqrt(mean(x^2) + eps), with a learned gain where the config has one. x [..., k] */
const norm = (x: Tensor, w: Weights, c: Config, hasGain = c.norm_include_weight): Tensor => {
  const width = widthOf(x);
  const gain = hasGain ? w.get('weight', [width]) : constant(new Array<number>(width).fill(1));
  return rmsNormalize(x, gain, c.norm_eps);
};

/** (tau * branch + skip) / sqrt(1 + tau^2) */
const residualAdd = (branch: Tensor, skip: Tensor, tau: Tensor): Tensor => {
  const size = sqrt(add(mul(tau, tau), 1));
  return add(mul(branch, div(tau, size)), div(skip, size));
};

/** A two-layer perceptron beside a linear shortcut, in equal parts. x [..., in] -> [..., out] */
export const residualMlp = (
  x: Tensor,
  w: Weights,
  c: Config,
  out: number,
  isReadout = false,
): Tensor => {
  const hidden = mul(silu(unitLinear(x, w.at('linear1'), 4 * c.d_model)), SILU_UNIT);
  const branch = unitLinear(hidden, w.at('linear2'), out, { isReadout });
  return residualAdd(branch, unitLinear(x, w.at('skip_proj'), out, { isReadout }), constant(1));
};

/** gate * silu(up): the silu is on the second half. x [..., d] -> [..., d] */
const feedForward = (x: Tensor, w: Weights, c: Config): Tensor => {
  const both = unitLinear(x, w.at('fc1'), 2 * c.d_ff, { bias: c.mlp_bias });
  const gate = slice(both, -1, { end: c.d_ff });
  const up = slice(both, -1, { start: c.d_ff });
  return unitLinear(mul(gate, silu(up)), w.at('fc2'), c.d_model, { bias: c.mlp_bias });
};

// ---- attention -----------------------------------------------------------------------------------

/** Queries [r, s, heads * k], keys [r, s, groups * k] and values [r, s, groups * v] of x [r, s, d]. */
const project = (x: Tensor, w: Weights, c: Config) => {
  const { num_heads: heads, num_groups: groups, qk_dim: width, v_dim } = c;
  const [q, k, v] = [heads * width, groups * width, groups * v_dim];
  const packed = unitLinear(x, w.at('in_proj'), q + k + v, { bias: c.attn_bias });
  const perHead = (y: Tensor, count: number, change: (split: Tensor) => Tensor): Tensor =>
    rearrange(change(rearrange(y, 'r s (h k) -> r s h k', { h: count })), 'r s h k -> r s (h k)');
  const normed = (y: Tensor, count: number, name: string): Tensor =>
    c.qk_norm
      ? perHead(y, count, (split) => norm(split, w.at(name), c, c.qk_norm_include_weight))
      : y;
  const scaled = (y: Tensor): Tensor => {
    if (!c.per_dim_scale) return y;
    const gain = div(softplus(w.get('_pds.per_dim_scale', [width])), Math.LN2);
    return perHead(y, heads, (split) => mul(split, gain));
  };
  return {
    query: scaled(normed(slice(packed, 2, { end: q }), heads, 'q_norm')),
    key: normed(slice(packed, 2, { start: q, end: q + k }), groups, 'k_norm'),
    value: slice(packed, 2, { start: q + k }),
  };
};

/** Scores are divided by the width of a head, not by its root. -> [r, s, d] */
const mix = (query: Tensor, { key, value }: Memory, w: Weights, c: Config, bias: Tensor) => {
  const { num_heads: heads, num_groups: groups } = c;
  const spread = (y: Tensor): Tensor =>
    groups === heads ? y : repeat(y, 'r t (g k) -> r t (g n k)', { g: groups, n: heads / groups });
  const scale = 1 / c.qk_dim;
  const mixed = attend(query, spread(key), spread(value), { heads, scale, bias });
  return unitLinear(mixed, w.at('out_proj'), c.d_model, { bias: c.attn_bias });
};

/** Looks back in time, at remembered patches as well. x [b * v, s, d] */
const timeAttention = (x: Tensor, w: Weights, c: Config, past: Memory, around: Surroundings) => {
  const { query, key, value } = project(x, w, c);
  const memory: Memory = {
    key: concat([past.key, rotate(key, around.keys, c.num_groups, 'neighbours')], 1),
    value: concat([past.value, value], 1),
  };
  const turned = rotate(query, around.queries, c.num_heads, 'neighbours');
  return { output: mix(turned, memory, w, c, around.timeMask), memory };
};

/** Looks across the variates of a series at one place in time. x [b * s, v, d] */
const variateAttention = (x: Tensor, w: Weights, c: Config, around: Surroundings): Tensor => {
  const { query, ...memory } = project(x, w, c);
  return mix(query, memory, w, c, around.variateMask);
};

/** x [r, s, d]; `attention` takes the normalised x and gives as much. */
const layer = (
  x: Tensor,
  w: Weights,
  c: Config,
  attention: (normed: Tensor) => Tensor,
  probe: Probe,
): Tensor => {
  const attended = probe('attn_out', attention(norm(x, w.at('norm1'), c)));
  const y = residualAdd(attended, x, w.get('attn_tau', []));
  const forward = feedForward(norm(y, w.at('norm2'), c), w.at('ffn'), c);
  return probe('out', residualAdd(forward, y, w.get('mlp_tau', [])));
};

// ---- places and masks -----------------------------------------------------------------------------------

/** Rotations of queries and keys at the `length` patches after `past` ones, on half of each head. */
export const rotations = (
  past: Dim,
  length: Dim,
  c: Config,
): Pick<Surroundings, 'queries' | 'keys'> => {
  const turned = c.qk_dim / 2;
  const all = iota(addDims(past, length));
  const own = slice(all, 0, { start: past });
  const rotation = rotationOf(own, turned);
  if (!c.use_xpos) return { queries: rotation, keys: rotation };
  // The centre is that of this call: keys that were remembered keep the one of theirs.
  const last = cast(max(all, 0, { keepAxes: true }), 'float32');
  const center = floor(div(add(last, 1), 2));
  const exponent = div(sub(cast(own, 'float32'), center), XPOS_SPAN);
  const grown = (by: Tensor): Rotation => {
    const growth = xposGrowth(xposBases(turned), by);
    return { cos: mul(rotation.cos, growth), sin: mul(rotation.sin, growth) };
  };
  return { queries: grown(exponent), keys: grown(neg(exponent)) };
};

/** A patch sees itself and earlier ones of its group. groups int64 [b, v, past + s] */
export const timeMask = (groups: Tensor, past: Dim): Tensor => {
  const rows = rearrange(groups, 'b v t -> (b v) t');
  const place = iota(dimOf(rows, 1));
  const isEarlier = lessOrEqual(
    rearrange(place, 't -> 1 1 t'),
    rearrange(slice(place, 0, { start: past }), 's -> 1 s 1'),
  );
  const own = rearrange(slice(rows, 1, { start: past }), 'r s -> r s 1');
  const isRelated = equal(own, rearrange(rows, 'r t -> r 1 t'));
  return rearrange(where(and(isEarlier, isRelated), 0, FLOAT_MIN), 'r s t -> r 1 s t');
};

/** Variates see those of their group. groups int64 [b, v, s] */
export const variateMask = (groups: Tensor): Tensor => {
  const places = rearrange(groups, 'b v s -> (b s) v');
  const isRelated = equal(rearrange(places, 'r v -> r v 1'), rearrange(places, 'r v -> r 1 v'));
  return rearrange(where(isRelated, 0, FLOAT_MIN), 'r v w -> r 1 v w');
};

/** All layers over x [b * v, s, d]; -> the state, and what later runs shall remember of time layers */
export const decoder = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: readonly Memory[],
  around: Surroundings,
  probe: Probe,
): { readonly state: Tensor; readonly memories: readonly Memory[] } => {
  const memories: Memory[] = [];
  let state = x;
  for (let i = 0; i < c.num_layers; i++) {
    const at = w.at(`layers.${i}`);
    const inner: Probe = (name, tensor) => probe(`layer${i}_${name}`, tensor);
    if (isVariateLayer(i, c)) {
      const across = rearrange(state, '(b v) s d -> (b s) v d', { v: around.variates });
      const attention = (y: Tensor): Tensor => variateAttention(y, at.at('attn'), c, around);
      const seen = layer(across, at, c, attention, inner);
      state = rearrange(seen, '(b s) v d -> (b v) s d', { s: dimOf(x, 1) });
    } else {
      const attention = (y: Tensor): Tensor => {
        const attended = timeAttention(y, at.at('attn'), c, past[memories.length]!, around);
        memories.push(attended.memory);
        return attended.output;
      };
      state = layer(state, at, c, attention, inner);
    }
  }
  return { state: norm(state, w.at('out_norm'), c), memories };
};
