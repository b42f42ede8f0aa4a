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
  subtractDims,
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
import { type Config, isVariateLayer, timeLayers } from './config.ts';

const EPSILON = 1e-8;
const XPOS_SPAN = 512;

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
  /** For s patches, [b * c * s, 1, v, v]. */
  readonly variateMask: (length: Dim) => Tensor;
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

/** The newest patch of x, along its axis of patches. */
const newest = (x: Tensor, axis: number): Tensor =>
  slice(x, axis, { start: subtractDims(dimOf(x, axis), 1) });

/** Surroundings of the newest patch alone. */
const aroundNewest = ({ rotation: { cos, sin }, ...around }: Surroundings): Surroundings => ({
  ...around,
  rotation: { cos: newest(cos, 0), sin: newest(sin, 0) },
  queryGrowth: newest(around.queryGrowth, 0),
  timeMask: newest(around.timeMask, 0),
});

/**
 * Looks back in time: at the shared context, and at the chain's own patches. x [r, c, s, d] -> what its
 * patches see, or the newest of them alone, and the longer own keys and values
 */
const timeAttention = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: Memory,
  around: Surroundings,
  isNewest: boolean,
) => {
  const [q, k, v] = project(x, w, c);
  const asking = isNewest ? aroundNewest(around) : around;
  const query = placed(isNewest ? newest(q, 2) : q, asking.queryGrowth, asking);
  const ownKey = concat([past.ownKey, placed(k, around.keyGrowth, around)], 3);
  const ownValue = concat([past.ownValue, rearrange(v, 'r c s h k -> r c h s k')], 3);
  const together = (y: Tensor): Tensor => rearrange(y, 'r c h s k -> r h (c s) k');
  const apart = (y: Tensor): Tensor =>
    rearrange(y, 'r h (c s) k -> r c h s k', { c: around.chains });

  const ownScores = add(matmul(query, ownKey, { transposeB: true }), asking.timeMask);
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
  const mixed = attend(query, key, value, {
    heads: c.num_heads,
    bias: around.variateMask(dimOf(x, 2)),
  });
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

/** Where a layer stands: what it remembers, and what it is asked for. */
interface LayerOptions {
  readonly past: Memory | undefined;
  readonly around: Surroundings;
  /** Whether the newest patch of the result is all that is read further on. */
  readonly isNewest: boolean;
  readonly probe: Probe;
}

/** One layer over x [r, c, s, d], which looks across variates where it has no past. */
const layer = (
  x: Tensor,
  w: Weights,
  c: Config,
  { past, around, isNewest, probe }: LayerOptions,
) => {
  const normed = norm(x, w.at('norm1'));
  const attention = w.at('attention');
  const seen = past && timeAttention(normed, attention, c, past, around, isNewest);
  const attended = seen?.output ?? variateAttention(normed, attention, c, around);
  const y = add(isNewest && past ? newest(x, 2) : x, probe('attention', attended));
  const state = probe('out', add(y, feedForward(norm(y, w.at('norm2')), w.at('mlp'), c)));
  return { state, memory: seen && { key: seen.ownKey, value: seen.ownValue } };
};

const SILENT: Probe = (_, tensor) => tensor;

/**
 * All layers over x [r, c, s, d] -> the state of the newest patch, [r, c, 1, d], that of all patches for tests,
 * and the longer own keys and values of time layers. From the last time layer on the newest patch is all that
 * is read.
 */
export const decoder = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: readonly Memory[],
  around: Surroundings,
  probe: Probe,
) => {
  const memories: { readonly key: Tensor; readonly value: Tensor }[] = [];
  const lastTimeLayer = timeLayers(c).at(-1) ?? -1;
  let all = x;
  let state = lastTimeLayer < 0 ? newest(x, 2) : x;
  for (let i = 0; i < c.num_layers; i++) {
    const at = w.at(`layers.${i}`);
    const inner: Probe = (name, tensor) => probe(`layer${i}_${name}`, tensor);
    const own = isVariateLayer(i, c) ? undefined : past[memories.length];
    const whole = layer(all, at, c, { past: own, around, isNewest: false, probe: inner });
    all = whole.state;
    const isWhole = i < lastTimeLayer;
    const read = isWhole
      ? whole
      : layer(state, at, c, { past: own, around, isNewest: true, probe: SILENT });
    state = read.state;
    if (read.memory) memories.push(read.memory);
  }
  return { state, all, memories };
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

/** Variates see those of their group. groups int64 [b, v] -> [b * c * s, 1, v, v] for s patches */
export const variateMask = (groups: Tensor, chains: Dim): Surroundings['variateMask'] => {
  const isRelated = equal(rearrange(groups, 'b v -> b v 1'), rearrange(groups, 'b v -> b 1 v'));
  const mask = where(isRelated, 0, FLOAT_MIN);
  return (length) => repeat(mask, 'b v w -> (b c s) 1 v w', { c: chains, s: length });
};
