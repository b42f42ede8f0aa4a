/** How TiRex is trained: one run over the context behind its padding, and empty tokens over the horizon. */
import { rearrange } from '@tollama/graph';
import type { FamilyTraining, TrainingWish } from '../../family.ts';
import { contextRows, trainedSteps } from '../../training-rows.ts';
import { type Config, emptyStates, int64, passOf, tokensOf } from './forecast.ts';

export const training = (c: Config, wish: TrainingWish = {}): FamilyTraining => {
  const { input_patch_size: size, quantiles } = c.model_config;
  const tokens = c.train_ctx_len / size;
  const horizon = trainedSteps(wish.horizon, size, c.train_ctx_len);
  const patches = horizon / size;
  const passesOf = (contexts: Float32Array, count: number) =>
    contextRows(contexts, count).map((row, series) => passOf(row, { series, gap: 0, patches }, c));
  return {
    graph: 'forward',
    contextLength: c.train_ctx_len,
    shortestContext: size,
    horizon,
    levels: quantiles,
    quantiles: (outputs) =>
      rearrange(outputs.get('quantiles')!, 'r b (q p) -> b q (r p)', { q: quantiles.length }),
    feeds: (contexts, count) => {
      const last = tokens - 1;
      return {
        tokens: tokensOf(passesOf(contexts, count), size, patches - 1, tokens),
        states: emptyStates(c),
        read: int64(Array.from({ length: patches }, (_, k) => last + k)),
      };
    },
    units: (contexts, count) => {
      const passes = passesOf(contexts, count);
      return {
        loc: Float32Array.from(passes, ({ loc }) => loc),
        scale: Float32Array.from(passes, ({ scale }) => scale),
      };
    },
    targets: ['proj_up', 'proj_up_gate', 'proj_down'],
    head: /^output_patch_embedding\./,
  };
};
