/**
 * The published loss of Chronos-Bolt (chronos_bolt.py, `forward`): quantile loss in the scale of the context's
 * instance norm.
 */
import { div, sub, type Tensor } from '@tollama/graph';
import { observed, pinballLoss } from '../loss/losses.ts';
import type { ObjectiveRecipe } from './objective.ts';

interface Config {
  readonly chronos_config: {
    readonly context_length: number;
    readonly prediction_length: number;
    readonly quantiles: readonly number[];
  };
}

const settings = (config: unknown) => (config as Config).chronos_config;

export const CHRONOS_BOLT: ObjectiveRecipe = {
  graph: 'forward',
  contextLength: (config) => settings(config).context_length,
  horizon: (config) => settings(config).prediction_length,
  loss: ({ config, probes, target }): Tensor => {
    const [prediction, loc, scale] = ['head_raw', 'loc', 'scale'].map((name) => probes.get(name)!);
    const normed = div(sub(target, loc!), scale!);
    const { quantiles: levels } = settings(config);
    return pinballLoss(prediction!, observed(normed), { levels, form: 'chronos-bolt' });
  },
};
