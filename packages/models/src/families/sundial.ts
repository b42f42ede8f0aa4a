/**
 * Sundial: a decoder over patches of the series whose last state conditions a small network. The network
 * is a velocity field that carries Gaussian noise to sample paths of the next points (flow matching).
 *
 * Paper        Liu et al., "Sundial: A Family of Highly Capable Time Series Foundation Models", ICML 2025
 * Reference    modeling_sundial.py, flow_loss.py and ts_generation_mixin.py of the checkpoint (Apache-2.0)
 * Checkpoints  thuml/sundial-base-128m (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  concat,
  constant,
  cos,
  defineGraph,
  dimOf,
  type Graph,
  input,
  layerNormalize,
  mul,
  rearrange,
  repeat,
  scan,
  silu,
  sin,
  slice,
  sub,
  subtractDims,
  symbol,
  type Tensor,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { ACTIVATIONS, type Activation } from '../nn/activation.ts';
import { linear } from '../nn/linear.ts';
import {
  gatedFeedForward,
  type LayerMemory,
  layerNorm,
  memoryInputs,
  type Positions,
  positions,
  rotaryAttention,
} from '../nn/timer-layers.ts';
import { CONTEXT_LENGTH, Config, forecast, pathLength } from './sundial/forecast.ts';

/** Two layers beside a linear shortcut. x [b, s, 2P] -> [b, s, d] */
const embed = (x: Tensor, w: Weights, c: Config): Tensor => {
  const activate: Activation = ACTIVATIONS[c.hidden_act];
  const hidden = activate(linear(x, w.at('hidden_layer'), c.intermediate_size));
  const shortcut = linear(x, w.at('residual_layer'), c.hidden_size);
  return add(linear(hidden, w.at('output_layer'), c.hidden_size), shortcut);
};

/** Normalised before each of its two steps. x [b, s, d] -> [b, s, d] */
const layer = (x: Tensor, w: Weights, c: Config, at: Positions, past: LayerMemory) => {
  const normed = layerNorm(x, w.at('norm1'));
  const { output, memory } = rotaryAttention(normed, w.at('self_attn'), c, at, past);
  const y = add(x, output);
  const branch = gatedFeedForward(layerNorm(y, w.at('norm2')), w.at('ffn_layer'), c);
  return { x: add(y, branch), memory };
};

// ---- the flow ------------------------------------------------------------------------------------

const TIME_FEATURES = 256;
const FLOW_EPSILON = 1e-6;

/** Times [steps] -> their embedding [steps, w], by 128 cosines and 128 sines. */
const timeEmbedding = (times: Tensor, w: Weights, width: number): Tensor => {
  const half = TIME_FEATURES / 2;
  const frequencies = Array.from({ length: half }, (_, i) =>
    Math.exp((-Math.log(10000) * i) / half),
  );
  const angle = mul(rearrange(times, 's -> s 1'), constant(frequencies));
  const features = concat([cos(angle), sin(angle)], -1);
  return linear(silu(linear(features, w.at('mlp.0'), width)), w.at('mlp.2'), width);
};

/** How a step bends a normalised state: u * scale + shift. Both [steps, b, w], of one step [b, w]. */
interface Modulation {
  readonly shift: Tensor;
  /** One is added already. */
  readonly scale: Tensor;
}

/** What all steps of the flow need of the condition and of time, computed once for all. */
interface Schedule {
  readonly blocks: readonly (Modulation & { readonly gate: Tensor })[];
  readonly final: Modulation;
}

/** condition [steps, b, w] -> the parts of `adaLN_modulation` */
const schedule = (condition: Tensor, w: Weights, { flow_loss_depth }: Config): Schedule => {
  const width = widthOf(condition);
  const bent = silu(condition);
  const parts = (name: string, count: number): readonly Tensor[] => {
    const all = linear(bent, w.at(`${name}.adaLN_modulation.1`), count * width);
    return Array.from({ length: count }, (_, i) =>
      slice(all, -1, { start: i * width, end: (i + 1) * width }),
    );
  };
  const blocks = Array.from({ length: flow_loss_depth }, (_, k) => {
    const [shift, scale, gate] = parts(`res_blocks.${k}`, 3);
    return { shift: shift!, scale: add(scale!, 1), gate: gate! };
  });
  const [shift, scale] = parts('final_layer', 2);
  return { blocks, final: { shift: shift!, scale: add(scale!, 1) } };
};

/** The schedule as a list of sequences, and back from a list of their elements. */
const sequencesOf = ({ blocks, final }: Schedule): readonly Tensor[] => [
  ...blocks.flatMap(({ shift, scale, gate }) => [shift, scale, gate]),
  final.shift,
  final.scale,
];
const scheduleFrom = (elements: readonly Tensor[]): Schedule => {
  const depth = (elements.length - 2) / 3;
  const blocks = Array.from({ length: depth }, (_, k) => {
    const [shift, scale, gate] = elements.slice(3 * k);
    return { shift: shift!, scale: scale!, gate: gate! };
  });
  return { blocks, final: { shift: elements.at(-2)!, scale: elements.at(-1)! } };
};

const modulate = (x: Tensor, { shift, scale }: Modulation): Tensor => add(mul(x, scale), shift);

/** h [n, b, w] -> [n, b, w] */
const flowBlock = (h: Tensor, w: Weights, at: Schedule['blocks'][number]): Tensor => {
  const width = widthOf(h);
  const norm = w.at('in_ln');
  const [gain, offset] = [norm.get('weight', [width]), norm.get('bias', [width])];
  const u = modulate(layerNormalize(h, gain, offset, FLOW_EPSILON), at);
  const branch = linear(silu(linear(u, w.at('mlp.0'), width)), w.at('mlp.2'), width);
  return add(h, mul(at.gate, branch));
};

/** The clean path that the network sees behind x at one step. x [n, b, O] -> [n, b, O] */
const target = (x: Tensor, w: Weights, at: Schedule, c: Config, probe: Probe): Tensor => {
  let h = linear(x, w.at('input_proj'), c.hidden_size);
  at.blocks.forEach((block, k) => {
    h = probe(`res_block${k}`, flowBlock(h, w.at(`res_blocks.${k}`), block));
  });
  const ones = constant(new Array<number>(c.hidden_size).fill(1));
  const normed = layerNormalize(h, ones, undefined, FLOW_EPSILON);
  return linear(modulate(normed, at.final), w.at('final_layer.linear'), widthOf(x));
};

/** Marks the inner points of the first two steps; their tensors are made for tests alone. */
const probeSteps = (
  noise: Tensor,
  interval: Tensor,
  steps: Schedule,
  { c, w, probe }: { readonly c: Config; readonly w: Weights; readonly probe: Probe },
): void => {
  let x = noise;
  for (const i of [0, 1]) {
    const at = scheduleFrom(
      sequencesOf(steps).map((s) =>
        rearrange(slice(s, 0, { start: i, end: i + 1 }), '1 b w -> b w'),
      ),
    );
    const clean = target(x, w, at, c, (name, tensor) => probe(`${name}_step${i}`, tensor));
    probe(`net_out_step${i}`, clean);
    x = add(x, mul(sub(clean, noise), interval));
  }
};

/**
 * Noise becomes paths in equal steps along the straight line to the target that the network sees from
 * each. z [b, d], noise [n, b, O], times [steps], interval [] -> [n, b, O]
 */
const flow = (
  z: Tensor,
  w: Weights,
  c: Config,
  { noise, times, interval }: Readonly<Record<'noise' | 'times' | 'interval', Tensor>>,
  probe: Probe,
): Tensor => {
  const time = timeEmbedding(times, w.at('time_embed'), c.hidden_size);
  const condition = linear(z, w.at('cond_embed'), c.hidden_size);
  for (const i of [0, 1]) probe(`time_embed_step${i}`, slice(time, 0, { start: i, end: i + 1 }));
  probe('cond_embed', repeat(condition, 'b w -> n b w', { n: dimOf(noise, 0) }));
  const both = add(rearrange(time, 's w -> s 1 w'), rearrange(condition, 'b w -> 1 b w'));
  const steps = schedule(both, w, c);
  probeSteps(noise, interval, steps, { c, w, probe });
  const unmarked: Probe = (_, tensor) => tensor;
  const { states } = scan([noise], sequencesOf(steps), ([x], elements) => {
    const clean = target(x!, w, scheduleFrom(elements), c, unmarked);
    return { states: [add(x!, mul(sub(clean, noise), interval))], outputs: [] };
  });
  return states[0]!;
};

// ---- the whole -----------------------------------------------------------------------------------

/**
 * tokens [batch, tokens, 2P] (values, and 1 where they are real) after the past tokens of the memory
 * `key.i`, `value.i` [batch, past, d]; noise [samples, batch, O] -> `paths` [samples, batch, O] of the next
 * O points, and the longer memory `next.key.i`, `next.value.i`
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const [batch, past] = [symbol('batch'), symbol('past')];
  const tokens = input('tokens', [batch, 'tokens', 2 * c.input_token_len]);
  const memory = memoryInputs(batch, past, c);
  const noise = input('noise', ['samples', batch, pathLength(c)]);
  const times = input('times', ['steps']);
  const interval = input('interval', []);

  const at = positions(past, dimOf(tokens, 1), c);
  const outputs: Record<string, Tensor> = {};
  let x = probe('after_embed', embed(tokens, w.at('model.embed_layer'), c));
  memory.forEach((known, i) => {
    const done = layer(x, w.at(`model.layers.${i}`), c, at, known);
    x = probe(`after_layer${i}`, done.x);
    outputs[`next.key.${i}`] = done.memory.key;
    outputs[`next.value.${i}`] = done.memory.value;
  });
  const hidden = probe('hidden_last', layerNorm(x, w.at('model.norm')));
  const length = dimOf(hidden, 1);
  const last = slice(hidden, 1, { start: subtractDims(length, 1), end: length });
  const z = rearrange(last, 'b 1 d -> b d');
  outputs.paths = flow(z, w.at('flow_loss.net'), c, { noise, times, interval }, probe);
  const inputs = [
    tokens,
    ...memory.flatMap(({ key, value }) => [key, value]),
    noise,
    times,
    interval,
  ];
  return defineGraph('sundial', inputs, outputs);
};

export const sundial = defineFamily({
  name: 'sundial',
  config: Config,
  recognizes: (config) => config.model_type === 'sundial',
  capabilities: (c) => ({
    covariates: NO_COVARIATES,
    contextLength: CONTEXT_LENGTH,
    nativeHorizon: pathLength(c),
    maxHorizon: pathLength(c) < c.input_token_len ? pathLength(c) : null,
    quantiles: [],
    multivariate: false,
    samples: true,
  }),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  forecast,
  // A loop of 50 steps adds up what rounding does to one.
  keepFloat32: /^flow_loss\./,
});
