/**
 * TiRex: blocks of sLSTM, a recurrent layer with exponential gates, over patches of the series. Whatever is
 * not there, padding, gaps and the future alike, is a masked patch; the state of the last patches becomes the
 * quantiles of the points to come.
 *
 * Paper        Auer et al., "TiRex: Zero-Shot Forecasting Across Long and Short Horizons with Enhanced
 *              In-Context Learning", 2025 (arXiv 2505.23719); Beck et al., "xLSTM", NeurIPS 2024
 * Reference    github.com/NX-AI/tirex (tirex-ts), backend torch, its cell in float32
 * Checkpoints  NX-AI/TiRex (NXAI community licence); config.json is the checkpoint's hyper_parameters
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  concat,
  constant,
  type Dim,
  defineGraph,
  dimOf,
  div,
  exp,
  type Graph,
  input,
  layerNormalize,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  rearrange,
  repeat,
  rmsNormalize,
  scan,
  sigmoid,
  silu,
  slice,
  softplus,
  sub,
  symbol,
  type Tensor,
  take,
  tanh,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { residualBlock } from '../nn/residual-block.ts';
import { Config, forecast } from './tirex/forecast.ts';
import { training } from './tirex/training.ts';

const RMS_EPSILON = 1e-6;
const GROUP_EPSILON = 1e-5;
/** Forget gates beyond it are all but 1; the reference cuts them there. */
const MAX_FORGET = 15;
const FEED_FORWARD_MULTIPLE = 64;

const rmsNorm = (x: Tensor, w: Weights): Tensor =>
  rmsNormalize(x, w.get('weight', [widthOf(x)]), RMS_EPSILON);

// ---- sLSTM ---------------------------------------------------------------------------------------

/** Output, cell, normaliser and stabiliser of a layer, each [n, b, h]. */
interface State {
  readonly y: Tensor;
  readonly c: Tensor;
  readonly n: Tensor;
  readonly m: Tensor;
}

const stateOf = ([y, c, n, m]: readonly Tensor[]): State => ({ y: y!, c: c!, n: n!, m: m! });

/** log sigmoid(x), for x up to 15 */
const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(minimum(x, MAX_FORGET))));

/**
 * One step of one token. The gates are exponential, so that all is kept relative to exp(m), the largest
 * weight so far. raw [n, b, 4h]: input gate, forget gate, cell input and output gate before their functions
 */
const cell = (raw: Tensor, state: State): State => {
  const width = widthOf(state.y);
  const [i, f, z, o] = [0, 1, 2, 3].map((slot) =>
    slice(raw, -1, { start: slot * width, end: (slot + 1) * width }),
  );
  const kept = add(state.m, logSigmoid(f!));
  const m = maximum(i!, kept);
  const [enter, keep] = [exp(sub(i!, m)), exp(sub(kept, m))];
  const c = add(mul(keep, state.c), mul(enter, tanh(z!)));
  const n = add(mul(keep, state.n), enter);
  return { y: mul(sigmoid(o!), div(c, n)), c, n, m };
};

/**
 * The tokens' part of the gates: x [t, b, n*h] -> [t, n, b, 4h]. The reference joins the gates as forget,
 * input, cell, output, but its cell reads input, forget, cell, output: `fgate` drives the input gate.
 */
const gates = (x: Tensor, w: Weights, heads: number, probe: Probe): Tensor => {
  const width = widthOf(x) / heads;
  const weights = ['fgate', 'igate', 'zgate', 'ogate'].map((name) =>
    w.get(`${name}.weight`, [heads, width, width]),
  );
  const byHead = rearrange(x, 't b (n h) -> n (t b) h', { n: heads });
  const driven = matmul(byHead, concat(weights, 1), { transposeB: true });
  const first = slice(driven, -1, { end: width });
  probe('fgate', rearrange(first, 'n (t b) h -> b t (n h)', { b: dimOf(x, 1) }));
  const bias = w.get('slstm_cell._bias_', [4 * heads * width]);
  const biased = add(driven, rearrange(bias, '(n g) -> n 1 g', { n: heads }));
  return rearrange(biased, 'n (t b) g -> t n b g', { b: dimOf(x, 1) });
};

/** x [t, b, d] after the state -> the layer's output [t, b, d], and the state after the last token */
const slstm = (x: Tensor, w: Weights, heads: number, start: State, probe: Probe) => {
  const width = widthOf(x) / heads;
  const kernel = w.get('slstm_cell._recurrent_kernel_', [heads, width, 4 * width]);
  const { states, outputs } = scan(
    [start.y, start.c, start.n, start.m],
    [gates(x, w, heads, probe)],
    (values, [driven]) => {
      const { y, c, n, m } = cell(add(driven!, matmul(values[0]!, kernel)), stateOf(values));
      return { states: [y, c, n, m], outputs: [y] };
    },
  );
  const [stacked] = outputs;
  probe('cell_out', rearrange(stacked!, 't n b h -> b n t h'));
  probe(
    'cell_last_states',
    concat(
      states.map((s) => rearrange(s, 'n b h -> 1 b (n h)')),
      0,
    ),
  );
  const ones = constant(new Array<number>(width).fill(1));
  const normed = layerNormalize(stacked!, ones, undefined, GROUP_EPSILON);
  const gain = add(w.get('group_norm.weight', [heads * width]), 1);
  const joined = rearrange(normed, 't n b h -> t b (n h)');
  return { output: mul(joined, gain), state: stateOf(states) };
};

// ---- the whole -----------------------------------------------------------------------------------

/** proj_down(silu(proj_up_gate x) * proj_up x), no bias. x [t, b, d] */
const feedForward = (x: Tensor, w: Weights, hidden: number): Tensor => {
  const project = (y: Tensor, name: string, out: number): Tensor =>
    linear(y, w.at(name), out, { bias: false });
  const gated = mul(silu(project(x, 'proj_up_gate', hidden)), project(x, 'proj_up', hidden));
  return project(gated, 'proj_down', widthOf(x));
};

/**
 * The width of the feed-forward layers: a multiple of 64. A factor like 2.6667 can land just above one, so
 * that a checkpoint's own shape goes first.
 */
const feedForwardWidth = (
  w: Weights,
  { embedding_dim, ffn_proj_factor }: Config['model_config']['block_kwargs'],
): number => {
  const [stored] = w.shapeOf('blocks.0.ffn.proj_up.weight') ?? [];
  const steps = Math.floor(
    (embedding_dim * ffn_proj_factor + FEED_FORWARD_MULTIPLE - 1) / FEED_FORWARD_MULTIPLE,
  );
  return stored ?? steps * FEED_FORWARD_MULTIPLE;
};

/** x [t, b, d] after the state -> [t, b, d], and the state of its recurrent layer */
const block = (x: Tensor, w: Weights, c: Config, start: State, hidden: number, probe: Probe) => {
  const { num_heads } = c.model_config.block_kwargs;
  const normed = rmsNorm(x, w.at('norm_slstm'));
  const { output, state } = slstm(normed, w.at('slstm_layer'), num_heads, start, probe);
  probe('slstm_layer', byRow(output));
  const y = add(x, output);
  return { x: add(y, feedForward(rmsNorm(y, w.at('norm_ffn')), w.at('ffn'), hidden)), state };
};

/** For probes: [t, b, d] -> [b, t, d] */
const byRow = (x: Tensor): Tensor => rearrange(x, 't b d -> b t d');

/** The state before the tokens of block i, the same for all rows: states [blocks, 4, n, h] */
const startOf = (states: Tensor, i: number, batch: Dim): State =>
  stateOf(
    [0, 1, 2, 3].map((part) => {
      const own = slice(states, 0, { start: i, end: i + 1 });
      const one = slice(own, 1, { start: part, end: part + 1 });
      return repeat(one, '1 1 n h -> n b h', { b: batch });
    }),
  );

/** [1, 4, b, n, h] */
const stacked = ({ y, c, n, m }: State): Tensor =>
  concat(
    [y, c, n, m].map((part) => rearrange(part, 'n b h -> 1 1 b n h')),
    1,
  );

/**
 * tokens [tokens, batch, 2P] (values and marks) after the states [blocks, 4, n, h] of what was before
 * -> standardised `quantiles` [read, batch, Q * P] after the tokens at `read`, and `next` states
 * [blocks, 4, batch, n, h]
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const { input_patch_size: size, input_ff_dim, quantiles, block_kwargs } = c.model_config;
  const { embedding_dim: width, num_blocks, num_heads } = block_kwargs;
  const batch = symbol('batch');
  const tokens = input('tokens', ['tokens', batch, 2 * size]);
  const states = input('states', [num_blocks, 4, num_heads, width / num_heads]);
  const read = input('read', ['read'], 'int64');
  // Published state_dicts keep the blocks one level deeper.
  const stack = w.has('block_stack.out_norm.weight') ? w.at('block_stack') : w;
  const hidden = feedForwardWidth(stack, block_kwargs);

  let x = residualBlock(tokens, w.at('input_patch_embedding'), input_ff_dim, width);
  probe('after_input_embedding', byRow(x));
  const ends = Array.from({ length: num_blocks }, (_, i) => {
    const inner: Probe = (name, tensor) => probe(`block${i}_${name}`, tensor);
    const done = block(x, stack.at(`blocks.${i}`), c, startOf(states, i, batch), hidden, inner);
    x = done.x;
    probe(`after_block${i}`, byRow(x));
    return stacked(done.state);
  });
  const head = (y: Tensor): Tensor =>
    residualBlock(y, w.at('output_patch_embedding'), input_ff_dim, quantiles.length * size);
  const normed = rmsNorm(x, stack.at('out_norm'));
  probe('out_norm', byRow(normed));
  probe('head', byRow(head(normed)));
  const outputs = { quantiles: head(take(normed, read)), next: concat(ends, 0) };
  return defineGraph('tirex', [tokens, states, read], outputs);
};

export const tirex = defineFamily({
  name: 'tirex',
  config: Config,
  recognizes: (config) => 'train_ctx_len' in config && 'model_config' in config,
  capabilities: ({ model_config, train_ctx_len }) => ({
    covariates: NO_COVARIATES,
    contextLength: train_ctx_len,
    nativeHorizon: model_config.output_patch_size,
    maxHorizon: null,
    quantiles: model_config.quantiles,
    multivariate: false,
    samples: false,
  }),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  forecast,
  training,
  keepFloat32: /^input_patch_embedding\./,
});
