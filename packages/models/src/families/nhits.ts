/**
 * N-HiTS: stacks of perceptrons that see the context through pools of falling width and give few knots of the
 * forecast, which are interpolated: each stack is for its own band of frequencies.
 *
 * Paper        Challu et al., "N-HiTS: Neural Hierarchical Interpolation for Time Series Forecasting", AAAI 2023
 * Reference    github.com/Nixtla/neuralforecast, models/nhits.py (Apache-2.0)
 * Checkpoints  none: `tollama train --from-scratch` makes them, with quantiles in place of points
 */
import { concat, matmul, max, rearrange, slice, type Tensor, type Weights } from '@tollama/graph';
import { z } from 'zod';
import { defineFamily } from '../family.ts';
import { type BlockOutput, doublyResidual, perceptron } from '../nn/doubly-residual.ts';
import { linear } from '../nn/linear.ts';
import { interpolation, WINDOW_FIELDS, windowFamily } from '../nn/window-model.ts';

const Counts = z.array(z.int().positive()).min(1);

const Config = z
  .object({
    model_type: z.literal('nhits'),
    ...WINDOW_FIELDS,
    /** Blocks of each stack. */
    n_blocks: Counts.default([1, 1, 1]),
    /** Layers of each block's perceptron. */
    mlp_units: Counts.default([256, 256]),
    n_pool_kernel_size: Counts.default([8, 4, 1]),
    /** Steps for each knot of the forecast. */
    n_freq_downsample: Counts.default([12, 4, 1]),
  })
  .refine(
    (c) =>
      c.n_pool_kernel_size.length === c.n_blocks.length &&
      c.n_freq_downsample.length === c.n_blocks.length,
    { error: 'n_blocks, n_pool_kernel_size and n_freq_downsample must have one entry a stack' },
  );
type Config = z.infer<typeof Config>;

/** Maxima of whole windows; the left end is filled up with its first value. x [b, t] -> [b, t / width] */
const maxPool = (x: Tensor, length: number, width: number): Tensor => {
  if (width === 1) return x;
  const missing = (width - (length % width)) % width;
  const first = slice(x, 1, { start: 0, end: 1 });
  const filling = Array.from({ length: missing }, () => first);
  const filled = missing > 0 ? concat([...filling, x], 1) : x;
  return max(rearrange(filled, 'b (n w) -> b n w', { w: width }), -1);
};

const block = (x: Tensor, w: Weights, c: Config, stack: number): BlockOutput => {
  const { input_size, horizon, quantiles } = c;
  const pooled = maxPool(x, input_size, c.n_pool_kernel_size[stack]!);
  const y = perceptron(pooled, w, c.mlp_units);
  const knots = Math.max(1, Math.ceil(horizon / c.n_freq_downsample[stack]!));
  const theta = linear(y, w.at('theta'), input_size + quantiles.length * knots);
  const places = slice(theta, 1, { start: input_size, end: input_size + quantiles.length * knots });
  return {
    backcast: slice(theta, 1, { start: 0, end: input_size }),
    forecast: matmul(
      rearrange(places, 'b (q k) -> b q k', { q: quantiles.length }),
      interpolation(knots, horizon),
    ),
  };
};

const forward = (x: Tensor, c: Config, w: Weights): Tensor =>
  doublyResidual(x, c, w, c.n_blocks, (residual, at, stack) => block(residual, at, c, stack));

export const nhits = defineFamily(
  windowFamily<Config>({
    name: 'nhits',
    modelType: 'nhits',
    config: Config as unknown as z.ZodType<Config>,
    forward,
    targets: ['theta'],
    head: /\.theta\./,
  }),
);
