/** How Chronos-2 is trained: one series a row, each a group of its own. */
import type { FamilyTraining, TrainingWish } from '../../family.ts';
import { contextRows, trainedSteps } from '../../training-rows.ts';
import type { Chronos2Config } from './config.ts';
import { feedsOf } from './passes.ts';

const NOTHING_KNOWN = new Float32Array();

export const training = (c: Chronos2Config, wish: TrainingWish = {}): FamilyTraining => {
  const { input_patch_size: patch, context_length, quantiles } = c.chronos_config;
  const { max_output_patches, output_patch_size } = c.chronos_config;
  const horizon = trainedSteps(wish.horizon, patch, max_output_patches * output_patch_size);
  return {
    graph: 'alone',
    contextLength: Math.floor(context_length / patch) * patch,
    shortestContext: patch,
    horizon,
    levels: quantiles,
    quantiles: (outputs) => outputs.get('quantile_preds')!,
    feeds: (contexts, size) => {
      const rows = contextRows(contexts, size);
      const unknown = rows.map((context) => ({ context, future: NOTHING_KNOWN }));
      return feedsOf(unknown, horizon / patch, c);
    },
    targets: ['q', 'v'],
    head: /^output_patch_embedding\./,
  };
};
