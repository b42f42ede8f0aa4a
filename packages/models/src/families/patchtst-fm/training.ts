/** How PatchTST-FM is trained: the masked end of its window. */
import { addDims, dimOf, slice, type Tensor } from '@tollama/graph';
import type { FamilyTraining, TrainingWish } from '../../family.ts';
import { contextRows, TRAINED_STEPS } from '../../training-rows.ts';
import { leastForecast, type PatchTstConfig, quantileLevels } from './config.ts';
import { feedsOf, placementOf } from './feeds.ts';

export const training = (c: PatchTstConfig, wish: TrainingWish = {}): FamilyTraining => {
  const longest = c.context_length - c.d_patch;
  const horizon = Math.min(wish.horizon ?? TRAINED_STEPS, longest);
  const steps = Math.max(horizon, leastForecast(c));
  /** The first asked ones of the last steps. [b, q, t] -> [b, q, horizon] */
  const askedOf = (quantiles: Tensor): Tensor => {
    const start = addDims(dimOf(quantiles, 2), -steps);
    return slice(quantiles, 2, { start, end: addDims(start, horizon) });
  };
  return {
    graph: 'forward',
    contextLength: Math.floor((c.context_length - steps) / c.d_patch) * c.d_patch,
    shortestContext: c.d_patch,
    horizon,
    levels: quantileLevels(c),
    quantiles: (outputs) => askedOf(outputs.get('quantiles')!),
    feeds: (contexts, size) => {
      const placed = contextRows(contexts, size).map((values) => ({
        row: { values },
        place: placementOf(values.length, steps, c, c.use_pruning),
      }));
      // All leave out as much as the longest can.
      const skipped = Math.min(...placed.map(({ place }) => place.skipped));
      const alike = placed.map(({ row, place }) => ({ row, place: { ...place, skipped } }));
      return feedsOf(alike, steps, c, undefined);
    },
    targets: ['qkv', 'proj'],
    head: /^backbone\.out_layer\./,
  };
};
