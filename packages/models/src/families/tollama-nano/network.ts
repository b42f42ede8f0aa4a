/**
 * The network: a perceptron reads the series as a whole, a residual perceptron each step of the horizon with that
 * reading added. It weighs the anchors, shifts the mixture, and sets the spread of nine quantiles. With a head of
 * zeros it gives the mixture that the rehearsals suggest, with the spread that they had.
 */
import {
  add,
  constant,
  defineGraph,
  exp,
  type Graph,
  input,
  mul,
  relu,
  reshape,
  rmsNormalize,
  slice,
  softmax,
  sum,
  symbol,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import { linear } from '../../nn/linear.ts';
import { ANCHORS } from './anchors.ts';
import { CONTEXT_FEATURES, STEP_FEATURES } from './prepare.ts';

export const NanoConfig = z.object({
  model_type: z.literal('tollama-nano'),
  d_model: z.int().positive(),
  d_hidden: z.int().positive(),
  num_layers: z.int().positive(),
  context_features: z.literal(CONTEXT_FEATURES),
  step_features: z.literal(STEP_FEATURES),
  anchors: z.literal(ANCHORS.length),
});
export type NanoConfig = z.infer<typeof NanoConfig>;

export const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** Quantiles of a normal variable of mean absolute value 1. */
const NORMAL = [-1.6062, -1.0548, -0.6572, -0.3175, 0, 0.3175, 0.6572, 1.0548, 1.6062] as const;
/** Weights of the anchors before the network speaks: error^-4, as in the rehearsal. */
const SHARPNESS = -4;
const EPSILON = 1e-6;
/** So that a freshly drawn head learns at the pace of the body. */
const SPREAD_RATE = 0.5;

export interface NanoInputs {
  /** [batch, CONTEXT_FEATURES] */
  readonly context: Tensor;
  /** [batch, steps, STEP_FEATURES] */
  readonly features: Tensor;
  /** [batch, steps, anchors] */
  readonly deviations: Tensor;
}

const residual = (x: Tensor, w: Weights, c: NanoConfig): Tensor => {
  const normal = rmsNormalize(x, w.at('norm').get('weight', [c.d_model]), EPSILON);
  return add(x, linear(relu(linear(normal, w.at('up'), c.d_hidden)), w.at('down'), c.d_model));
};

/** Nine quantiles of each step in units of its scale around its center: [batch, steps, 9]. */
export const nanoQuantiles = (inputs: NanoInputs, w: Weights, c: NanoConfig): Tensor => {
  const { context, features, deviations } = inputs;
  let whole = linear(context, w.at('context.embed'), c.d_model);
  whole = residual(whole, w.at('context.layers.0'), c);
  whole = residual(whole, w.at('context.layers.1'), c);
  const shared = reshape(whole, [symbol('batch'), 1, c.d_model]);
  let x = add(linear(features, w.at('step.embed'), c.d_model), shared);
  for (let i = 0; i < c.num_layers; i++) x = residual(x, w.at(`step.layers.${i}`), c);
  const normal = rmsNormalize(x, w.at('head.norm').get('weight', [c.d_model]), EPSILON);
  const count = ANCHORS.length;
  const head = linear(normal, w.at('head.out'), count + 2 + LEVELS.length);
  const errors = slice(features, -1, { start: count, end: 2 * count });
  const gates = softmax(add(mul(errors, SHARPNESS), slice(head, -1, { start: 0, end: count })));
  const mixture = sum(mul(gates, deviations), -1, { keepAxes: true });
  const shift = slice(head, -1, { start: count, end: count + 1 });
  const spread = exp(mul(slice(head, -1, { start: count + 1, end: count + 2 }), SPREAD_RATE));
  const shape = add(slice(head, -1, { start: count + 2 }), constant([...NORMAL]));
  return add(add(mixture, shift), mul(shape, spread));
};

export const nanoInputs = (): NanoInputs => ({
  context: input('context', ['batch', CONTEXT_FEATURES]),
  features: input('features', ['batch', 'steps', STEP_FEATURES]),
  deviations: input('deviations', ['batch', 'steps', ANCHORS.length]),
});

/** context, features and deviations -> quantiles [batch, steps, 9] */
export const nanoGraph = (c: NanoConfig, w: Weights): Graph => {
  const inputs = nanoInputs();
  return defineGraph('tollama-nano', Object.values(inputs), {
    quantiles: nanoQuantiles(inputs, w, c),
  });
};
