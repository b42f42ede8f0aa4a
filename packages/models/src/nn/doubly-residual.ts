/** Doubly residual stacking of perceptrons (Oreshkin et al., "N-BEATS", ICLR 2020, section 3.2). */
import {
  add,
  dimOf,
  rearrange,
  relu,
  repeat,
  slice,
  sub,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { linear } from './linear.ts';

export interface BlockOutput {
  /** [b, input_size] */
  readonly backcast: Tensor;
  /** [b, levels, horizon] */
  readonly forecast: Tensor;
}

export interface Window {
  readonly input_size: number;
  readonly horizon: number;
  readonly quantiles: readonly number[];
}

/** The body of a block: `layers.0`, `layers.1`, ... each with a ReLU. */
export const perceptron = (x: Tensor, w: Weights, widths: readonly number[]): Tensor =>
  widths.reduce((y, width, i) => relu(linear(y, w.at(`layers.${i}`), width)), x);

/**
 * Begins with the last value; each block, at `stacks.S.blocks.B`, takes from the input what it explains and adds its
 * share of the forecast. x [b, input_size] -> [b, levels * horizon]
 */
export const doublyResidual = (
  x: Tensor,
  { input_size, horizon, quantiles }: Window,
  w: Weights,
  counts: readonly number[],
  block: (residual: Tensor, w: Weights, stack: number) => BlockOutput,
): Tensor => {
  const last = slice(x, 1, { start: input_size - 1, end: input_size });
  const sizes = { b: dimOf(x, 0), q: quantiles.length, h: horizon };
  let forecast = repeat(last, 'b 1 -> b q h', sizes);
  let residual = x;
  counts.forEach((count, stack) => {
    for (let i = 0; i < count; i++) {
      const out = block(residual, w.at(`stacks.${stack}.blocks.${i}`), stack);
      residual = sub(residual, out.backcast);
      forecast = add(forecast, out.forecast);
    }
  });
  return rearrange(forecast, 'b q h -> b (q h)');
};
