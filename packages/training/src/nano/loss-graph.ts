/** The pinball loss of the network over a batch of examples, in units of the scales that the context gave. */
import {
  constant,
  defineGraph,
  type Graph,
  input,
  maximum,
  mean,
  mul,
  reshape,
  sub,
  symbol,
  type Weights,
} from '@tollama/graph';
import {
  LEVELS,
  type NanoConfig,
  nanoInputs,
  nanoQuantiles,
} from '@tollama/models/families/tollama-nano/network';

/** target and weight [batch, steps] -> loss [], and `losses` [batch, steps]: twice the pinball, mean over levels. */
export const nanoLossGraph = (c: NanoConfig, w: Weights): Graph => {
  const inputs = nanoInputs();
  const target = input('target', ['batch', 'steps']);
  const weight = input('weight', ['batch', 'steps']);
  const quantiles = nanoQuantiles(inputs, w, c);
  const error = sub(reshape(target, [symbol('batch'), symbol('steps'), 1]), quantiles);
  const above = mul(error, constant(LEVELS.map((level) => 2 * level)));
  const below = mul(error, constant(LEVELS.map((level) => 2 * level - 2)));
  const losses = mul(mean(maximum(above, below), -1), weight);
  return defineGraph('tollama-nano-loss', [...Object.values(inputs), target, weight], {
    loss: mean(losses, [0, 1]),
    losses,
    quantiles,
  });
};
