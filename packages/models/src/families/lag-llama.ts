/**
 * Lag-Llama: a LLaMA over single time steps. The features of a token are values of the series at fixed lags
 * behind it, what scaled them, and the calendar; the state of the last token gives a distribution of the next
 * value, Student's t in the published model, which is drawn, appended and read again.
 *
 * Paper        Rasul et al., "Lag-Llama: Towards Foundation Models for Probabilistic Time Series
 *              Forecasting", arXiv:2310.08278
 * Reference    github.com/time-series-foundation-models/lag-llama, lag_llama/model/module.py (Apache-2.0)
 * Checkpoints  time-series-foundation-models/Lag-Llama (Apache-2.0), a file of torch.save
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  abs,
  add,
  addDims,
  attend,
  cast,
  concat,
  constant,
  cos,
  type Dim,
  defineGraph,
  dimOf,
  div,
  type Graph,
  input,
  iota,
  log,
  max,
  maximum,
  mul,
  multiplyDims,
  pow,
  rearrange,
  repeat,
  rmsNormalize,
  silu,
  sin,
  slice,
  sub,
  subtractDims,
  symbol,
  type Tensor,
  take,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { causalMask } from '../nn/masks.ts';
import { type Rotation, rotate, rotationOf } from '../nn/rotary.ts';
import { attendInBlocks } from './lag-llama/causal-blocks.ts';
import { Config, farthestLag, TIME_FEATURES } from './lag-llama/config.ts';
import { forecast } from './lag-llama/forecast.ts';
import { headOf } from './lag-llama/heads.ts';

const NORM_EPSILON = 1e-5;
const HIDDEN_MULTIPLE = 256;
const ROTARY_BASE = 10000;

/** Keys, not yet turned, and values of earlier tokens, [r, past, d] each. */
interface Memory {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** What all blocks of one run share. */
interface Surroundings {
  /** Angles of all tokens, remembered ones first; none for `nope`. */
  readonly rotation: Rotation | undefined;
  /** [1, 1, s, past + s] */
  readonly mask: Tensor;
  /** The length of a block of queries; without any they all ask at once. Only where nothing is remembered. */
  readonly block: Dim | undefined;
}

// ---- features ------------------------------------------------------------------------------------

/**
 * The features of the last tokens of a window: values at all lags, scaled; log1p(|loc|) and log(scale); the
 * calendar. values [b, p, lag + s], loc and scale [b, p], calendar [b, s, 6] -> [b * p, s, features]
 */
const features = (
  values: Tensor,
  loc: Tensor,
  scale: Tensor,
  calendar: Tensor | undefined,
  length: Dim,
  c: Config,
): Tensor => {
  const { lags_seq: lags } = c.model_kwargs;
  const back = constant(
    lags.map((lag) => farthestLag(c) - lag),
    'int64',
    [1, lags.length],
  );
  const places = add(rearrange(iota(length), 's -> s 1'), back);
  const perPath = (x: Tensor): Tensor => rearrange(x, 'b p -> (b p) 1');
  const [level, spread] = [perPath(loc), perPath(scale)];
  const window = div(sub(rearrange(values, 'b p t -> (b p) t'), level), spread);
  const lagged = take(window, places, 1); // [b * p, s, lags]
  const facts = concat([log(add(abs(level), 1)), log(spread)], 1);
  const parts = [lagged, repeat(facts, 'r f -> r s f', { s: length })];
  if (calendar) {
    parts.push(repeat(calendar, 'b s f -> (b p) s f', { p: dimOf(values, 1) }));
  }
  return concat(parts, 2);
};

// ---- blocks --------------------------------------------------------------------------------------

const norm = (x: Tensor, w: Weights): Tensor =>
  rmsNormalize(x, w.get('scale', [widthOf(x)]), NORM_EPSILON);

const plain = (x: Tensor, w: Weights, out: number): Tensor => linear(x, w, out, { bias: false });

/** The last `count` tokens of x [r, s, d], all for `count` undefined. */
const lastTokens = (x: Tensor, count: Dim | undefined): Tensor =>
  count === undefined ? x : slice(x, 1, { start: subtractDims(dimOf(x, 1), count) });

/** The rotation of the last `count` of its places. */
const lastPlaces = ({ cos, sin }: Rotation, count: Dim): Rotation => {
  const start = subtractDims(dimOf(cos, 0), count);
  return { cos: slice(cos, 0, { start }), sin: slice(sin, 0, { start }) };
};

/** Causal attention of the last tokens of x [r, s, d]; keys are turned anew in each run. */
const attention = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: Memory | undefined,
  around: Surroundings,
  asked: Dim | undefined,
): { readonly output: Tensor; readonly memory: Memory } => {
  const width = widthOf(x);
  const { n_head: heads } = c.model_kwargs;
  const both = plain(x, w.at('kv_proj'), 2 * width);
  const [key, value] = [slice(both, 2, { end: width }), slice(both, 2, { start: width })];
  const memory = past
    ? { key: concat([past.key, key], 1), value: concat([past.value, value], 1) }
    : { key, value };
  const query = plain(lastTokens(x, asked), w.at('q_proj'), width);
  const { rotation } = around;
  const turned = rotation && rotate(query, lastPlaces(rotation, dimOf(query, 1)), heads);
  const mask =
    asked === undefined
      ? around.mask
      : slice(around.mask, 2, { start: subtractDims(dimOf(x, 1), asked) });
  const keys = rotation ? rotate(memory.key, rotation, heads) : memory.key;
  const { block } = around;
  const mixed =
    block !== undefined && asked === undefined
      ? attendInBlocks(turned ?? query, keys, value, { heads, mask, block })
      : attend(turned ?? query, keys, memory.value, { heads, bias: mask });
  return { output: plain(mixed, w.at('c_proj'), width), memory };
};

/** c_proj(silu(c_fc1 x) * c_fc2 x), two thirds of four times as wide, rounded up. */
const feedForward = (x: Tensor, w: Weights): Tensor => {
  const width = widthOf(x);
  const hidden = Math.ceil(Math.trunc((8 * width) / 3) / HIDDEN_MULTIPLE) * HIDDEN_MULTIPLE;
  const gated = mul(silu(plain(x, w.at('c_fc1'), hidden)), plain(x, w.at('c_fc2'), hidden));
  return plain(gated, w.at('c_proj'), width);
};

/** x [r, s, d] -> its last `asked` tokens, and the longer memory */
const block = (
  x: Tensor,
  w: Weights,
  c: Config,
  past: Memory | undefined,
  around: Surroundings,
  asked?: Dim,
): { readonly x: Tensor; readonly memory: Memory } => {
  const { output, memory } = attention(
    norm(x, w.at('rms_1')),
    w.at('attn'),
    c,
    past,
    around,
    asked,
  );
  const y = add(lastTokens(x, asked), output);
  return { x: add(y, feedForward(norm(y, w.at('rms_2')), w.at('mlp'))), memory };
};

// ---- positions -----------------------------------------------------------------------------------

/** Angles of positions from 0 to `length`, as the checkpoint stretches them (module.py, `_init_rope`). */
const rotation = (length: Dim, { model_kwargs: c }: Config): Rotation | undefined => {
  const { rope_scaling: scaling, n_embd_per_head: width, max_context_length: trained } = c;
  const positions = cast(iota(length), 'float32');
  if (scaling === null) return rotationOf(positions, width);
  if (scaling.type === 'nope') return undefined;
  if (scaling.type === 'linear') return rotationOf(div(positions, scaling.factor), width);
  // A longer base where there are more tokens than the model was trained for.
  const count = add(max(positions, 0, { keepAxes: true }), 1);
  const longer = sub(div(mul(count, scaling.factor), trained), scaling.factor - 1);
  const base = mul(pow(maximum(longer, 1), width / (width - 2)), ROTARY_BASE);
  const exponents = Array.from({ length: width / 2 }, (_, i) => (-2 * i) / width);
  const angles = mul(rearrange(positions, 's -> s 1'), pow(base, constant(exponents)));
  return { cos: cos(angles), sin: sin(angles) };
};

// ---- the whole -----------------------------------------------------------------------------------

/** What a run is fed. */
interface Inputs {
  readonly values: Tensor;
  readonly loc: Tensor;
  readonly scale: Tensor;
  readonly calendar: Tensor;
  /** Of each layer; none in blocks. */
  readonly memory: readonly Memory[];
  /** Levels that an implicit head is asked for; other heads are not fed them. */
  readonly levels: Tensor;
  /** Tells the length of a block by its own; in blocks only. */
  readonly blocks: Tensor | undefined;
  readonly past: Dim;
  readonly fresh: Dim;
}

const inputsOf = (c: Config, isInBlocks: boolean): Inputs => {
  const { n_layer: layers, n_embd_per_head, n_head } = c.model_kwargs;
  const [series, paths, past, fresh] = (['series', 'paths', 'past', 'fresh'] as const).map(
    symbol,
  ) as [Dim, Dim, Dim, Dim];
  const remembered = (name: string): Tensor =>
    input(name, [multiplyDims(series, paths), past, n_embd_per_head * n_head]);
  return {
    values: input('values', [series, paths, addDims(farthestLag(c), fresh)]),
    loc: input('loc', [series, paths]),
    scale: input('scale', [series, paths]),
    calendar: input('calendar', [series, fresh, TIME_FEATURES]),
    memory: Array.from({ length: isInBlocks ? 0 : layers }, (_, i) => ({
      key: remembered(`past_key_${i}`),
      value: remembered(`past_value_${i}`),
    })),
    levels: input('levels', [multiplyDims(series, paths), 'levels']),
    blocks: isInBlocks ? input('block', ['block'], 'int64') : undefined,
    past: isInBlocks ? 0 : past,
    fresh,
  };
};

const listed = (
  { values, loc, scale, calendar, levels, blocks, memory }: Inputs,
  isImplicit: boolean,
): Tensor[] => [
  values,
  loc,
  scale,
  calendar,
  ...(isImplicit ? [levels] : []),
  ...(blocks ? [blocks] : []),
  ...memory.flatMap(({ key, value }) => [key, value]),
];

/**
 * The newest tokens of each path after what is remembered -> the distribution of its next value, and the
 * memory without its oldest token, which the next run slides over. In blocks nothing is remembered before or
 * after; the input `block` tells their length by its own.
 */
const forward = (c: Config, root: Weights, probe: Probe, isInBlocks: boolean): Graph => {
  const { n_layer: layers, n_embd_per_head, n_head, time_feat } = c.model_kwargs;
  const w = root.at('model.transformer');
  const fed = inputsOf(c, isInBlocks);
  const { values, loc, scale, calendar, memory, blocks, past, fresh } = fed;
  const around = {
    rotation: rotation(addDims(past, fresh), c),
    mask: causalMask(past, fresh),
    block: blocks && dimOf(blocks, 0),
  };
  const tokens = features(values, loc, scale, time_feat ? calendar : undefined, fresh, c);
  probe('transformer_input', tokens);
  let x = probe('wte', linear(tokens, w.at('wte'), n_embd_per_head * n_head));
  const outputs: Record<string, Tensor> = {};
  for (let i = 0; i < layers; i++) {
    const at = w.at(`h.${i}`);
    const all = block(x, at, c, memory[i], around);
    probe(`after_h${i}`, all.x);
    // Nobody reads the other tokens of the last block.
    const isLast = i === layers - 1;
    if (isLast) probe('ln_f', norm(all.x, w.at('ln_f')));
    const done = isLast ? block(x, at, c, memory[i], around, 1) : all;
    x = done.x;
    if (isInBlocks) continue;
    outputs[`next_key_${i}`] = slice(done.memory.key, 1, { start: 1 });
    outputs[`next_value_${i}`] = slice(done.memory.value, 1, { start: 1 });
  }
  const head = headOf(c);
  const parameters = head.graph(norm(x, w.at('ln_f')), root.at('model.param_proj'), fed.levels);
  const inputs = listed(fed, head.isImplicit);
  return defineGraph('lag-llama', inputs, { ...parameters, ...outputs });
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

export const lagLlama = defineFamily({
  name: 'lag-llama',
  config: Config,
  recognizes: ({ model_kwargs: kwargs }, tensors) =>
    isRecord(kwargs) && 'lags_seq' in kwargs && tensors.has('model.transformer.wte.weight'),
  graphs: (c, w, probe) => ({
    forward: forward(c, w, probe, false),
    blocks: forward(c, w, (_, tensor) => tensor, true),
  }),
  capabilities: (c) => ({
    covariates: NO_COVARIATES,
    contextLength: c.context_length + farthestLag(c),
    nativeHorizon: 1,
    maxHorizon: null,
    quantiles: [],
    multivariate: false,
    samples: true,
  }),
  forecast,
});
