/** A forward pass with the loss that families of quantiles are trained by. */
import {
  add,
  constant,
  defineGraph,
  type Feeds,
  type Graph,
  input,
  maximum,
  mul,
  rearrange,
  sub,
  sum,
} from '@tollama/graph';
import type { FamilyTraining } from '@tollama/models/family';
import type { WindowBatch } from '../data/windows.ts';

/**
 * Adds inputs target and weight [batch, horizon] and the outputs
 *
 *   loss = sum of weight[b, h] max(q e, (q - 1) e) over samples, levels and steps, e = target - quantile
 *
 * and quantiles [batch, levels, horizon]. The weights carry mask, scale and divisor (`lossFeeds`).
 */
export const quantileLossGraph = (forward: Graph, training: FamilyTraining): Graph => {
  const { horizon, levels } = training;
  const quantiles = training.quantiles(forward.outputs);
  const [batch] = quantiles.shape;
  const target = input('target', [batch!, horizon]);
  const weight = input('weight', [batch!, horizon]);
  const level = constant([...levels], 'float32', [1, levels.length, 1]);
  const error = sub(rearrange(target, 'b h -> b 1 h'), quantiles);
  // max(q e, (q - 1) e) = q e + max(0, -e)
  const pinball = add(mul(level, error), maximum(sub(0, error), 0));
  const loss = sum(mul(pinball, rearrange(weight, 'b h -> b 1 h')), [0, 1, 2]);
  return defineGraph(`${forward.name}-loss`, [...forward.inputs, target, weight], {
    loss,
    quantiles,
  });
};

/** Standard deviation of what is known; its size, or 1, where there is no spread. */
export const spreadOf = (values: Float32Array): number => {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const step = value - mean;
    mean += step / count;
    squares += step * (value - mean);
  }
  const deviation = count > 0 ? Math.sqrt(squares / count) : 0;
  // A constant in float32 has a spread of rounding errors alone.
  if (deviation > Math.abs(mean) * 1e-6) return deviation;
  return Math.abs(mean) > 0 ? Math.abs(mean) : 1;
};

/** Feeds of the loss beside those of the family: twice the mean pinball loss in units of the context's spread. */
export const lossFeeds = (batch: WindowBatch, training: FamilyTraining): Feeds => {
  const { contexts, labels, size, context, horizon } = batch;
  const target = new Float32Array(size * training.horizon);
  const weight = new Float32Array(size * training.horizon);
  const known = labels.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
  const divisor = Math.max(1, known) * training.levels.length;
  for (let row = 0; row < size; row++) {
    const spread = spreadOf(contexts.subarray(row * context, (row + 1) * context));
    for (let h = 0; h < horizon; h++) {
      const label = labels[row * horizon + h]!;
      if (Number.isNaN(label)) continue;
      target[row * training.horizon + h] = label;
      weight[row * training.horizon + h] = 2 / (divisor * spread);
    }
  }
  const dims = [size, training.horizon];
  return {
    ...training.feeds(contexts, size),
    target: { dtype: 'float32', dims, data: target },
    weight: { dtype: 'float32', dims, data: weight },
  };
};
