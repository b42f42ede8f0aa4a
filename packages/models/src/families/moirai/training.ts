/** How Moirai 2 is trained: the patches after the last one of a single variate. */
import { rearrange } from '@tollama/graph';
import type { FamilyTraining } from '../../family.ts';
import { contextRows } from '../../training-rows.ts';
import { readFeeds } from './roll-out.ts';
import { gridOf, packTokens, selectTokens } from './tokens.ts';
import { forecastWindow, historyOf, imputeCausalMean } from './windows.ts';

export interface MoiraiSizes {
  readonly patch_size: number;
  readonly num_predict_token: number;
  readonly quantile_levels: readonly number[];
  readonly max_seq_len: number;
}

export const training = (c: MoiraiSizes): FamilyTraining => {
  const { patch_size: patch, num_predict_token: patches, quantile_levels: levels } = c;
  const horizon = patches * patch;
  return {
    graph: 'forward',
    contextLength: c.max_seq_len * patch,
    shortestContext: patch,
    horizon,
    levels,
    quantiles: (outputs) => rearrange(outputs.get('quantiles')!, 'b r k q p -> (b r) q (k p)'),
    feeds: (contexts, size) => {
      const context = contexts.length / size;
      const windows = contextRows(contexts, size).map((row) =>
        forecastWindow(historyOf({ id: '', targets: [row] }, imputeCausalMean), {
          context,
          horizon,
        }),
      );
      const { pastTokens } = gridOf(context, horizon, patch);
      const past = Array.from({ length: pastTokens }, (_, i) => i);
      return readFeeds(selectTokens(packTokens(windows, { patch }), past), [pastTokens - 1]);
    },
    targets: ['q_proj', 'v_proj'],
    head: /^out_proj\./,
  };
};
