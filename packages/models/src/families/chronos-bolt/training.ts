import type { FamilyTraining } from '../../family.ts';
import type { Config } from './config.ts';
import { feedsOf } from './forecast.ts';

/** contexts [size, length] are whole patches already. */
const trainingFeeds = (contexts: Float32Array, size: number, c: Config) => {
  const { input_patch_size: width, input_patch_stride: stride } = c.chronos_config;
  const length = contexts.length / size;
  const context = { dtype: 'float32', dims: [size, length], data: contexts } as const;
  return feedsOf(context, Math.floor((length - width) / stride) + 1, c);
};

/** How Chronos-Bolt is trained: one pass, all quantiles of its own horizon. */
export const training = (c: Config): FamilyTraining => {
  const {
    context_length,
    input_patch_size: patch,
    prediction_length,
    quantiles,
  } = c.chronos_config;
  return {
    graph: 'forward',
    contextLength: Math.floor(context_length / patch) * patch,
    shortestContext: patch,
    horizon: prediction_length,
    levels: quantiles,
    quantiles: (outputs) => outputs.get('quantiles')!,
    feeds: (contexts, size) => trainingFeeds(contexts, size, c),
    targets: ['q', 'v'],
    head: /^output_patch_embedding\./,
  };
};
