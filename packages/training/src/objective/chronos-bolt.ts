import { div, sub, type Tensor } from '@tollama/graph';
import { observed, pinballLoss } from '../loss/losses.ts';
import type { LossParts } from './objective.ts';

/**
 * The published loss of Chronos-Bolt (chronos_bolt.py, `forward`): quantile loss in the scale of the context's
 * instance norm.
 */
export const chronosBoltLoss = ({ levels, probes, target }: LossParts): Tensor => {
  const [prediction, loc, scale] = ['head_raw', 'loc', 'scale'].map((name) => probes.get(name)!);
  const normed = div(sub(target, loc!), scale!);
  return pinballLoss(prediction!, observed(normed), { levels, form: 'chronos-bolt' });
};
