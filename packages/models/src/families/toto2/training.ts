/** How Toto 2.0 is trained: one pass over the context and the patches of the horizon, a variate a series. */
import { rearrange } from '@tollama/graph';
import type { FamilyTraining, ModelSeries, TrainingWish } from '../../family.ts';
import { contextRows, trainedSteps } from '../../training-rows.ts';
import { CONTEXT_LENGTH, type Config, LEVELS } from './config.ts';
import { passFeeds, statisticsOf } from './forecast.ts';
import { optionsOf } from './options.ts';
import { panelOf } from './panel.ts';

export const training = (c: Config, wish: TrainingWish = {}): FamilyTraining => {
  const { patch_size: patch } = c;
  const horizon = trainedSteps(wish.horizon, patch, CONTEXT_LENGTH);
  const options = optionsOf({ series: [], horizon, quantiles: [], options: {} }, patch);
  const panelOfRows = (contexts: Float32Array, size: number) => {
    const series = contextRows(contexts, size).map(
      (row, i): ModelSeries => ({ id: String(i), targets: [row] }),
    );
    const panel = panelOf(series, [...series.keys()], horizon, c, options);
    return { panel, statistics: statisticsOf(panel, c, options) };
  };
  return {
    graph: 'forward',
    contextLength: Math.floor(CONTEXT_LENGTH / patch) * patch,
    shortestContext: patch,
    horizon,
    levels: LEVELS,
    quantiles: (outputs) => rearrange(outputs.get('quantiles')!, 'b v n p q -> (b v) q (n p)'),
    feeds: (contexts, size) => {
      const { panel, statistics } = panelOfRows(contexts, size);
      return passFeeds(panel, statistics, c, options);
    },
    units: (contexts, size) => {
      const { panel, statistics } = panelOfRows(contexts, size);
      return {
        loc: Float32Array.from(statistics, ({ loc }) => loc[panel.context]!),
        scale: Float32Array.from(statistics, ({ scale }) => scale[panel.context]!),
      };
    },
    targets: ['in_proj', 'out_proj'],
    head: /^output_head\./,
  };
};
