/**
 * The layers of Toto 1.0 (toto, model/transformer.py, attention.py, rope.py). A state is [r, c, s, d]: rows
 * are variates, chains are roll-outs of one row that share its context, and s counts the patches that a run
 * adds to each chain.
 */
import {
  add,
  addDims,
  attend,
  cast,
  concat,
  type Dim,
  dimOf,
  div,
  equal,
  floor,
  greater,
  iota,
  matmul,
  max,
  mul,
  neg,
  rearrange,
  repeat,
  rmsNormalize,
  silu,
  slice,
  softmax,
  sub,
  type Tensor,
  type Weights,
  where,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { linear } from '../../nn/linear.ts';
import { type Rotation, rotate, rotationOf } from '../../nn/rotary.ts';
import { xposBases, xposGrowth } from '../../nn/xpos.ts';
import { type Config, isVariateLayer } from './config.ts';

const EPSILON = 1e-8;
const XPOS_SPAN = 512;
/** The lowest float32, added to the scores of what may not be looked at. */
const FLOAT_MIN = -3.4028234663852886e38;

/** Keys and values that a time layer remembers. */
export interface Memory {
  /** Of the context that all chains share, [r, h, prefix, k]. */
  readonly prefixKey: Tensor;
  readonly prefixValue: Tensor;
  /** Of each chain's own patches, [r, c, h, own, k]. */
  readonly ownKey: Tensor;
  readonly ownValue: Tensor;
}

/** What all layers of one run share. */
export interface Surroundings {
  readonly rotation: Rotation;
  /** Factors of queries and of keys, [s, k]. */
  readonly queryGrowth: Tensor;
  readonly keyGrowth: Tensor;
  /** [s, own + s] */
  readonly timeMask: Tensor;
  /** [b * c * s, 1, v, v] */
  readonly variateMask: Tensor;
  readonly variates: Dim;
  readonly chains: Dim;
}

/** Queries, keys and values of x [r, c, s, d], [r, c, s, h, k] each; heads run fastest in wQKV's rows. */
const project = (x: Tensor, w: Weights, c: Config): readonly [Tensor, Tensor, Tensor] => {
  const { embed_dim: width, num_heads: heads } = c;
  const all = linear(x, w.at('wQKV'), 3 * width);
  const part = (i: number): Tensor =>
    rearrange(
      slice(all, 3, { start: i * width, end: (i + 1) * width }),
      'r c s (k h) -> r c s h k',
      { h: heads },
    );
  return [part(0), part(1), part(2)];
};

/** Turns heads by their positions, then lets each channel grow. x [r, c, s, h, k] -> [r, c, h, s, k] */
const placed = (x: Tensor, growth: Tensor, { rotation, chains }: Surroundings): Tensor => {
  const heads = widthOf(x, 3);
  const packed = rearrange(x, 'r c s h k -> (r c) s (h k)');
  const turned = rotate(packed, rotation, heads, 'neighbours');
  return mul(rearrange(turned, '(r c) s (h k) -> r c h s k', { c: chains, h: heads }), growth);
};

/** Looks back in time: at the shared context, and at the chain's own patches. x [r, c, s, d] */
const timeAttention = (x: Tensor, w: Weights, c: Config, past: Memory, around: Surroundings) => {
  const [q, k, v] = project(x, w, c);
  const query = placed(q, around.queryGrowth, around);
  const ownKey = concat([past.ownKey, placed(k, around.keyGrowth, around)], 3);
  const ownValue = concat([past.ownValue, rearrange(v, 'r c s h k -> r c h s k')], 3);
  const together = (y: Tensor): Tensor => rearrange(y, 'r c h s k -> r h (c s) k');
  const apart = (y: Tensor): Tensor =>
    rearrange(y, 'r h (c s) k -> r c h s k', { c: around.chains });

  const ownScores = add(matmul(query, ownKey, { transposeB: true }), around.timeMask);
  const prefixScores = matmul(together(query), past.prefixKey, { transposeB: true });
  const scores = concat([prefixScores, together(ownScores)], 3); // [r, h, c * s, prefix + own + s]
  const shares = softmax(mul(scores, 1 / Math.sqrt(widthOf(query))));
  const prefix = dimOf(past.prefixKey, 2);
  const seen = matmul(slice(shares, 3, { end: prefix }), past.prefixValue);
  const own = matmul(apart(slice(shares, 3, { start: prefix })), ownValue);
  const mixed = rearrange(add(apart(seen), own), 'r c h s k -> r c s (h k)');
  return { output: linear(mixed, w.at('wO'), c.embed_dim), ownKey, ownValue };
};

/** Looks across the variates of a group at one patch. x [b * v, c, s, d] */
const variateAttention = (x: Tensor, w: Weights, c: Config, around: Surroundings): Tensor => {
  const { chains, variates: v } = around;
  const across = rearrange(x, '(b v) c s d -> (b c s) 1 v d', { v });
  const [query, key, value] = project(across, w, c).map((y) =>
    rearrange(y, 'r 1 v h k -> r v (h k)'),
  ) as [Tensor, Tensor, Tensor];
  const mixed = attend(query, key, value, { heads: c.num_heads, bias: around.variateMask });
  const output = linear(mixed, w.at('wO'), c.embed_dim);
  return rearrange(output, '(b c s) v d -> (b v) c s d', { c: chains, s: dimOf(x, 2) });
};

/** x / sqrt(mean(x^2) + eps) * scale */
const norm = (x: Tensor, w: Weights): Tensor =>
  rmsNormalize(x, w.get('scale', [widthOf(x)]), EPSILON);

/** silu(gate) * up: the silu is on the first half. Checkpoints name the layers as one module or as two. */
const feedForward = (x: Tensor, w: Weights, c: Config): Tensor => {
  const { mlp_hidden_dim: hidden } = c;
  const [into, out] = w.has('0.w12.weight') ? ['0.w12', '0.w3'] : ['0', '2'];
  const both = linear(x, w.at(into!), 2 * hidden);
  const gated = mul(silu(slice(both, 3, { end: hidden })), slice(both, 3, { start: hidden }));
  return linear(gated, w.at(out!), c.embed_dim);
};

/** All layers over x [r, c, s, d]; -> the state, and the longer own keys and values of time layers */
export const decoder = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: readonly Memory[],
  around: Surroundings,
  probe: Probe,
) => {
  const memories: { readonly key: Tensor; readonly value: Tensor }[] = [];
  let state = x;
  for (let i = 0; i < c.num_layers; i++) {
    const at = w.at(`layers.${i}`);
    const normed = norm(state, at.at('norm1'));
    let attended: Tensor;
    if (isVariateLayer(i, c)) {
      attended = variateAttention(normed, at.at('attention'), c, around);
    } else {
      const seen = timeAttention(normed, at.at('attention'), c, past[memories.length]!, around);
      memories.push({ key: seen.ownKey, value: seen.ownValue });
      attended = seen.output;
    }
    const y = add(state, probe(`layer${i}_attention`, attended));
    state = probe(`layer${i}_out`, add(y, feedForward(norm(y, at.at('norm2')), at.at('mlp'), c)));
  }
  return { state, memories };
};

/**
 * Positions of the `length` patches after `past` ones. xPos measures from half of this run's last position,
 * so what is remembered keeps the centre of its own run. Its factors lie in halves, although the rotation
 * pairs neighbours (rope.py, `get_scale`).
 */
export const positions = (
  past: Dim,
  length: Dim,
  c: Config,
): Pick<Surroundings, 'rotation' | 'queryGrowth' | 'keyGrowth'> => {
  const width = c.embed_dim / c.num_heads;
  const all = iota(addDims(past, length));
  const own = cast(slice(all, 0, { start: past }), 'float32');
  const last = cast(max(all, 0, { keepAxes: true }), 'float32');
  const exponent = div(sub(own, floor(div(last, 2))), XPOS_SPAN);
  const bases = [...xposBases(width), ...xposBases(width)];
  return {
    rotation: rotationOf(own, width),
    queryGrowth: xposGrowth(bases, exponent),
    keyGrowth: xposGrowth(bases, neg(exponent)),
  };
};

/** The own patches of a chain are seen up to oneself. [s, own + s] */
export const timeMask = (own: Dim, length: Dim): Tensor => {
  const place = iota(addDims(own, length));
  const isLater = greater(
    rearrange(place, 't -> 1 t'),
    rearrange(slice(place, 0, { start: own }), 's -> s 1'),
  );
  return where(isLater, FLOAT_MIN, 0);
};

/** Variates see those of their group. groups int64 [b, v] -> [b * c * s, 1, v, v] */
export const variateMask = (groups: Tensor, chains: Dim, length: Dim): Tensor => {
  const isRelated = equal(rearrange(groups, 'b v -> b v 1'), rearrange(groups, 'b v -> b 1 v'));
  return repeat(where(isRelated, 0, FLOAT_MIN), 'b v w -> (b c s) 1 v w', {
    c: chains,
    s: length,
  });
};
