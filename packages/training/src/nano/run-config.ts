/** The config of a network from the shapes of its weights. */
import type { TensorValue } from '@tollama/graph';
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import {
  type NanoConfig,
  NanoConfig as Schema,
} from '@tollama/models/families/tollama-nano/network';

const sizeOf = (weights: ReadonlyMap<string, TensorValue>, name: string, axis: number): number =>
  weights.get(name)?.dims[axis] ?? Number.NaN;

/** Refuses weights of another network. */
export const configOf = (weights: ReadonlyMap<string, TensorValue>): NanoConfig => {
  const layers = [...weights.keys()].filter((name) => /^step\.layers\.\d+\.up\.weight$/.test(name));
  return Schema.parse({
    model_type: 'tollama-nano',
    d_model: sizeOf(weights, 'step.embed.weight', 0),
    d_hidden: sizeOf(weights, 'step.layers.0.up.weight', 0),
    num_layers: layers.length,
    context_features: sizeOf(weights, 'context.embed.weight', 1),
    step_features: sizeOf(weights, 'step.embed.weight', 1),
    anchors: ANCHORS.length,
  });
};
