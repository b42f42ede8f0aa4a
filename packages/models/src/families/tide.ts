/**
 * TiDE: covariates projected step by step to a few numbers, a dense encoder of the context and of these, a dense decoder
 * to a vector for each step, a small perceptron that all steps share and that sees the step's own covariates, and a
 * linear shortcut from the context to the forecast.
 *
 * Paper        Das et al., "Long-term Forecasting with TiDE: Time-series Dense Encoder", TMLR 2023
 * Reference    github.com/google-research/google-research, folder tide; github.com/Nixtla/neuralforecast,
 *              models/tide.py (both Apache-2.0)
 * Checkpoints  none: `tollama train --from-scratch` makes them, with quantiles in place of points
 */
import {
  add,
  concat,
  layerNormalize,
  rearrange,
  relu,
  slice,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import { defineFamily } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { COVARIATE_FIELDS, type CovariateTensors } from '../nn/window-covariates.ts';
import { WINDOW_FIELDS, windowFamily } from '../nn/window-model.ts';

const Config = z.object({
  model_type: z.literal('tide'),
  ...WINDOW_FIELDS,
  hidden_size: z.int().positive().default(256),
  num_encoder_layers: z.int().positive().default(1),
  num_decoder_layers: z.int().positive().default(1),
  /** Width of the vector of a step. */
  decoder_output_dim: z.int().positive().default(16),
  temporal_decoder_dim: z.int().positive().default(64),
  layer_norm: z.boolean().default(true),
  ...COVARIATE_FIELDS,
  /** Numbers that the covariates of a step become. */
  temporal_width: z.int().positive().default(4),
});
type Config = z.infer<typeof Config>;

const EPSILON = 1e-5;

/** A hidden layer beside a linear shortcut, then layer normalisation. x [..., in] -> [..., out] */
const residual = (
  x: Tensor,
  w: Weights,
  {
    hidden,
    out,
    isNormed,
  }: { readonly hidden: number; readonly out: number; readonly isNormed: boolean },
): Tensor => {
  const inner = linear(relu(linear(x, w.at('dense'), hidden)), w.at('output'), out);
  const y = add(inner, linear(x, w.at('skip'), out));
  const norm = w.at('layer_norm');
  return isNormed
    ? layerNormalize(y, norm.get('weight', [out]), norm.get('bias', [out]), EPSILON)
    : y;
};

const flat = (x: Tensor): Tensor => rearrange(x, 'b t k -> b (t k)');

const forward = (x: Tensor, c: Config, w: Weights, covariates: CovariateTensors): Tensor => {
  const { hidden_size: hidden, decoder_output_dim: width, horizon, quantiles } = c;
  const isNormed = c.layer_norm;
  const projected = (steps: Tensor | undefined, name: string): Tensor | undefined =>
    steps && residual(steps, w.at(name), { hidden, out: c.temporal_width, isNormed });
  const past = projected(covariates.past, 'past_projection');
  const future = projected(covariates.future, 'future_projection');
  const read = [x, past && flat(past), future && flat(future), covariates.statics];
  let y = concat(
    read.filter((part) => part !== undefined),
    1,
  );
  for (let i = 0; i < c.num_encoder_layers; i++)
    y = residual(y, w.at(`encoder.${i}`), { hidden, out: hidden, isNormed });
  for (let i = 0; i < c.num_decoder_layers; i++) {
    const out = i === c.num_decoder_layers - 1 ? horizon * width : hidden;
    y = residual(y, w.at(`decoder.${i}`), { hidden, out, isNormed });
  }
  const decoded = rearrange(y, 'b (h p) -> b h p', { h: horizon });
  const ahead = future && slice(future, 1, { start: c.input_size, end: c.input_size + horizon });
  const steps = ahead ? concat([decoded, ahead], 2) : decoded;
  const fan = residual(steps, w.at('temporal_decoder'), {
    hidden: c.temporal_decoder_dim,
    out: quantiles.length,
    isNormed: false,
  });
  const shortcut = rearrange(linear(x, w.at('lookback_skip'), horizon), 'b h -> b 1 h');
  return rearrange(add(rearrange(fan, 'b h q -> b q h'), shortcut), 'b q h -> b (q h)');
};

export const tide = defineFamily(
  windowFamily<Config>({
    name: 'tide',
    modelType: 'tide',
    config: Config as unknown as z.ZodType<Config>,
    forward,
    targets: ['dense', 'output'],
    head: /^(temporal_decoder|lookback_skip)\./,
  }),
);
