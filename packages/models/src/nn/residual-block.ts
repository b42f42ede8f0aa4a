import { add, relu, type Tensor, type Weights } from '@tollama/graph';
import type { Activation } from './activation.ts';
import { linear } from './linear.ts';

/**
 * Chronos' residual block (chronos_bolt.py, ResidualBlock): a two-layer perceptron beside a linear
 * shortcut. x [..., in] -> [..., out]
 */
export const residualBlock = (
  x: Tensor,
  w: Weights,
  hidden: number,
  out: number,
  activation: Activation = relu,
): Tensor =>
  add(
    linear(activation(linear(x, w.at('hidden_layer'), hidden)), w.at('output_layer'), out),
    linear(x, w.at('residual_layer'), out),
  );
