/**
 * Chronos-2: an encoder over patches that attends in turn along time, within a row, and along the batch,
 * among the rows of a group. A row is a target, a past-only covariate or a known-future covariate, so one
 * design serves univariate, multivariate, covariate-informed and cross-series forecasts.
 *
 * Paper        Ansari et al., "Chronos-2: From Univariate to Universal Forecasting", 2025 (arXiv 2510.15821)
 * Reference    github.com/amazon-science/chronos-forecasting, src/chronos/chronos2/ (Apache-2.0)
 * Checkpoints  amazon/chronos-2, autogluon/chronos-2-small, autogluon/chronos-2-synth (Apache-2.0)
 */
import {
  add,
  addDims,
  and,
  asinh,
  attend,
  cast,
  concat,
  constant,
  type Dim,
  defineGraph,
  dimOf,
  div,
  equal,
  type Graph,
  greater,
  input,
  iota,
  max,
  mul,
  multiplyDims,
  rearrange,
  repeat,
  sinh,
  slice,
  sub,
  subtractDims,
  symbol,
  type Tensor,
  type Weights,
  where,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { instanceNorm } from '../nn/instance-norm.ts';
import { linear } from '../nn/linear.ts';
import { FLOAT_MIN } from '../nn/masks.ts';
import { patches } from '../nn/patches.ts';
import { residualBlock } from '../nn/residual-block.ts';
import { type Rotation, rotate, rotationOf } from '../nn/rotary.ts';
import { t5Attention, t5AttentionToItself, t5FeedForward, t5Norm } from '../nn/t5.ts';
import { feedForwardKind } from '../nn/t5-config.ts';
import { Chronos2Config, patchesOf } from './chronos-2/config.ts';
import { embed, forecast } from './chronos-2/predict.ts';
import { training } from './chronos-2/training.ts';

const REG_TOKEN = 1;

/**
 * What a run is fed. Rows of a group lie together and all groups have the same number of members, so that
 * the rows are [groups, members]; a row looks at the members of its group that have its id.
 */
interface Inputs {
  readonly batch: Dim;
  /** [b, points], NaN where missing, and 1 where the value counts. */
  readonly context: Tensor;
  readonly contextMask: Tensor;
  /** int64 [patches]: where the patches of the context start, unless they lie side by side. */
  readonly starts: Tensor | undefined;
  /** [b, p*future_patches], anything where unknown, and 1 where the value is known. */
  readonly future: Tensor;
  readonly futureMask: Tensor;
  /** int64 [groups, members]; absent where every row is a group of its own. */
  readonly groupIds: Tensor | undefined;
}

const inputsOf = ({ chronos_config: c }: Chronos2Config, hasGroups: boolean): Inputs => {
  const batch = hasGroups ? multiplyDims(symbol('groups'), symbol('members')) : symbol('batch');
  const isSideBySide = c.input_patch_stride === c.input_patch_size;
  const points = [
    batch,
    isSideBySide ? multiplyDims(c.input_patch_size, symbol('patches')) : symbol('points'),
  ];
  const steps = [batch, multiplyDims(c.input_patch_size, symbol('future_patches'))];
  return {
    batch,
    context: input('context', points),
    contextMask: input('context_mask', points),
    starts: isSideBySide ? undefined : input('patch_starts', ['patches'], 'int64'),
    future: input('future', steps),
    futureMask: input('future_mask', steps),
    groupIds: hasGroups ? input('group_ids', ['groups', 'members'], 'int64') : undefined,
  };
};

/** Attention among rows: x [b, s, d] -> [b, s, d] */
type RowMixing = (x: Tensor, w: Weights) => Tensor;

/**
 * At each position, the rows of a group look at each other; attended [b, s]. Where no row may be looked
 * at, a row looks at all of them, also at those of other ids, as in the reference.
 */
const groupAttention =
  (c: Chronos2Config, groupIds: Tensor, attended: Tensor): RowMixing =>
  (x, w) => {
    const [g, m, s] = [dimOf(groupIds, 0), dimOf(groupIds, 1), dimOf(attended, 1)] as const;
    const same = equal(
      rearrange(groupIds, 'g q -> g 1 q 1'),
      rearrange(groupIds, 'g k -> g 1 1 k'),
    );
    const open = and(same, greater(rearrange(attended, '(g k) s -> g s 1 k', { k: m }), 0));
    const mask = rearrange(where(open, 0, FLOAT_MIN), 'g s q k -> (g s) 1 q k');
    const together = rearrange(x, '(g m) s d -> (g s) m d', { m });
    const mixed = t5Attention(together, together, w, c, mask);
    return rearrange(mixed, '(g s) m d -> (g m) s d', { s, g });
  };

/** A row that is a group of its own sees only itself. */
const noAttention =
  (c: Chronos2Config): RowMixing =>
  (x, w) =>
    t5AttentionToItself(x, w, c);

/** Some positions of a row as queries, all as keys. */
interface Positions {
  /** How many positions at the end ask; all of them when absent. */
  readonly last: Dim | undefined;
  readonly mix: RowMixing;
}

const lastOf = (x: Tensor, axis: number, { last }: Positions): Tensor =>
  last === undefined ? x : slice(x, axis, { start: subtractDims(dimOf(x, axis), last) });

/** Attention along time, without 1/sqrt(d_kv). x [b, s, d], attended [b, s] -> [b, s or last, d] */
const timeAttention = (
  x: Tensor,
  w: Weights,
  c: Chronos2Config,
  rotation: Rotation,
  attended: Tensor,
  at: Positions,
): Tensor => {
  const project = (y: Tensor, name: string): Tensor =>
    linear(y, w.at(name), c.num_heads * c.d_kv, { bias: false });
  const asking = lastOf(x, 1, at);
  const turn = { cos: lastOf(rotation.cos, 0, at), sin: lastOf(rotation.sin, 0, at) };
  const query = rotate(project(asking, 'q'), turn, c.num_heads);
  const key = rotate(project(x, 'k'), rotation, c.num_heads);
  const mask = rearrange(where(greater(attended, 0), 0, FLOAT_MIN), 'b k -> b 1 1 k');
  const options = { heads: c.num_heads, scale: 1, bias: mask };
  const mixed = attend(query, key, project(x, 'v'), options);
  return linear(mixed, w.at('o'), c.d_model, { bias: false });
};

interface Trunk {
  readonly rotation: Rotation;
  readonly attended: Tensor;
}

/** x [b, s, d] -> [b, s or last, d] */
const encoderBlock = (
  x: Tensor,
  w: Weights,
  c: Chronos2Config,
  { rotation, attended }: Trunk,
  at: Positions,
  name: string,
  probe: Probe,
): Tensor => {
  const [time, group, feed] = [w.at('layer.0'), w.at('layer.1'), w.at('layer.2')];
  const normed = t5Norm(x, time.at('layer_norm'), c);
  const y = add(
    lastOf(x, 1, at),
    timeAttention(normed, time.at('self_attention'), c, rotation, attended, at),
  );
  probe(`${name}_after_time_attention`, y);
  const z = add(y, at.mix(t5Norm(y, group.at('layer_norm'), c), group.at('self_attention')));
  probe(`${name}_after_group_attention`, z);
  const fed = t5FeedForward(t5Norm(z, feed.at('layer_norm'), c), feed.at('mlp'), c);
  return probe(name, add(z, fed));
};

/** Steps relative to the forecast's start, as a share of the scale: context [n, p] and future [f, p]. */
const timeEncoding = (c: Chronos2Config['chronos_config'], count: Dim, futurePatches: Dim) => {
  const { input_patch_size: p, context_length: length } = c;
  const scale = c.time_encoding_scale ?? length;
  const longest = patchesOf(Math.ceil(length / p) * p, c);
  const past = Array.from({ length: longest * p }, (_, i) => (i - longest * p) / scale);
  const ahead = cast(iota(multiplyDims(p, futurePatches)), 'float32');
  return {
    past: slice(constant(past, 'float32', [longest, p]), 0, {
      start: subtractDims(longest, count),
    }),
    ahead: rearrange(div(ahead, scale), '(f p) -> f p', { p }),
  };
};

/** The tokens [b, n+f, d] with REG behind the n of the context. */
const withReg = (tokens: Tensor, n: Dim, x: Inputs, w: Weights, c: Chronos2Config): Tensor => {
  const shared = w.get('shared.weight', [REG_TOKEN + 1, c.d_model]);
  const reg = repeat(slice(shared, 0, { start: REG_TOKEN }), '1 d -> b 1 d', { b: x.batch });
  return concat([slice(tokens, 1, { end: n }), reg, slice(tokens, 1, { start: n })], 1);
};

/** Context patches, REG and future patches: tokens [b, n+1+f, d], and which of them are attended. */
const embedInputs = (x: Inputs, w: Weights, c: Chronos2Config, probe: Probe) => {
  const { input_patch_size: p, use_arcsinh } = c.chronos_config;
  const squash = (y: Tensor): Tensor => (use_arcsinh ? asinh(y) : y);
  const { activation } = feedForwardKind(c);
  const { loc, scale, scaled } = instanceNorm(x.context);
  const n = dimOf(patches(x.context, p, x.starts), 1);
  const f = dimOf(patches(x.future, p, undefined), 1);
  const time = timeEncoding(c.chronos_config, n, f);
  const patched = (
    name: string,
    at: Tensor,
    values: Tensor,
    mask: Tensor,
    starts: Tensor | undefined,
  ): Tensor => {
    const known = where(greater(mask, 0), squash(values), 0);
    const parts = [known, mask].map((y) => patches(y, p, starts));
    return probe(name, concat([repeat(at, 'n p -> b n p', { b: x.batch }), ...parts], -1));
  };
  const past = patched('patched_context', time.past, scaled, x.contextMask, x.starts);
  const ahead = div(sub(x.future, probe('loc', loc)), probe('scale', scale));
  const future = patched('patched_future', time.ahead, ahead, x.futureMask, undefined);
  const embedding = w.at('input_patch_embedding');
  const both = concat([past, future], 1);
  const embedded = residualBlock(both, embedding, c.d_ff, c.d_model, activation);
  const tokens = withReg(embedded, n, x, w, c);
  const observed = max(patches(x.contextMask, p, x.starts), -1);
  const always = repeat(constant([1]), '1 -> b s', { b: x.batch, s: addDims(f, 1) });
  return {
    tokens: probe('input_embeds', tokens),
    attended: probe('attention_mask', concat([observed, always], 1)),
    futurePatches: f,
    loc,
    scale,
  };
};

/** The encoder over all positions, or over all but giving only the future ones: [b, s or f, d] */
const encode = (
  x: Inputs,
  embedded: ReturnType<typeof embedInputs>,
  w: Weights,
  c: Chronos2Config,
  only: 'all' | 'future',
  probe: Probe,
): Tensor => {
  const { tokens, attended, futurePatches } = embedded;
  const rotation = rotationOf(iota(dimOf(tokens, 1)), c.d_kv, c.rope_theta);
  const positions = (last: Dim | undefined): Positions => {
    const asking = lastOf(attended, 1, { last, mix: noAttention(c) });
    return { last, mix: x.groupIds ? groupAttention(c, x.groupIds, asking) : noAttention(c) };
  };
  const every = positions(undefined);
  // Nothing looks at the other positions after the last block.
  const final = only === 'all' ? every : positions(futurePatches);
  let states = tokens;
  for (let i = 0; i < c.num_layers; i++) {
    const at = i === c.num_layers - 1 ? final : every;
    const block = w.at(`block.${i}`);
    states = encoderBlock(states, block, c, { rotation, attended }, at, `block${i}`, probe);
  }
  return t5Norm(states, w.at('final_layer_norm'), c);
};

const listed = (x: Inputs): Tensor[] => [
  x.context,
  x.contextMask,
  ...(x.starts ? [x.starts] : []),
  x.future,
  x.futureMask,
  ...(x.groupIds ? [x.groupIds] : []),
];

/** -> quantiles [b, Q, p*future_patches] of every row, covariates included */
const forward = (c: Chronos2Config, w: Weights, probe: Probe, hasGroups: boolean): Graph => {
  const { quantiles, input_patch_size: p, use_arcsinh } = c.chronos_config;
  const x = inputsOf(c, hasGroups);
  const embedded = embedInputs(x, w, c, probe);
  const states = encode(x, embedded, w.at('encoder'), c, 'future', probe);
  const head = w.at('output_patch_embedding');
  const { activation } = feedForwardKind(c);
  const wide = residualBlock(states, head, c.d_ff, quantiles.length * p, activation);
  const raw = probe('head_raw', wide);
  const fan = rearrange(raw, 'b n (q p) -> b q (n p)', { p });
  const [loc, scale] = [embedded.loc, embedded.scale].map((y) => rearrange(y, 'b 1 -> b 1 1'));
  const output = add(mul(use_arcsinh ? sinh(fan) : fan, scale!), loc!);
  const name = hasGroups ? 'chronos-2-grouped' : 'chronos-2-alone';
  return defineGraph(name, listed(x), { quantile_preds: output });
};

/** -> states [b, n+1+f, d] with loc and scale [b, 1] */
const embedding = (c: Chronos2Config, w: Weights, probe: Probe): Graph => {
  const x = inputsOf(c, true);
  const embedded = embedInputs(x, w, c, probe);
  const states = probe(
    'encoder_final',
    encode(x, embedded, w.at('encoder'), c, 'all', (_, tensor) => tensor),
  );
  const { loc, scale } = embedded;
  return defineGraph('chronos-2-embed', listed(x), { states, loc, scale });
};

export const chronos2 = defineFamily({
  name: 'chronos-2',
  config: Chronos2Config,
  recognizes: (config) => config.chronos_pipeline_class === 'Chronos2Pipeline',
  graphs: (c, w, probe) => ({
    alone: forward(c, w, probe, false),
    grouped: forward(c, w, probe, true),
    embed: embedding(c, w, probe),
  }),
  capabilities: ({ chronos_config: c }) => ({
    covariates: {
      past_covariates_numeric: true,
      past_covariates_categorical: true,
      future_covariates_numeric: true,
      future_covariates_categorical: true,
      static_covariates: false,
    },
    contextLength: c.context_length,
    nativeHorizon: c.max_output_patches * c.output_patch_size,
    maxHorizon: null,
    quantiles: c.quantiles,
    multivariate: true,
    samples: false,
  }),
  forecast,
  embed,
  training,
  // sinh stretches the errors of the last layers.
  keepFloat32: /^(input|output)_patch_embedding\./,
});
