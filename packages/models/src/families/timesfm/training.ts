/** How TimesFM 2.5 is trained: the deciles of the first block after the context. */
import { rearrange, slice } from '@tollama/graph';
import type { FamilyTraining } from '../../family.ts';
import { contextRows } from '../../training-rows.ts';
import type { Config } from './config.ts';
import { CHANNELS, contextFeeds } from './decode.ts';
import { runningMoments, type Window, windowOf, withoutGaps } from './windows.ts';

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** All of one length, whole patches. */
const windowsOf = (contexts: Float32Array, size: number, patch: number): readonly Window[] => {
  const rows = contextRows(contexts, size).map(withoutGaps);
  const longest = Math.max(...rows.map(({ length }) => length));
  return rows.map((row) => windowOf(row, Math.ceil(longest / patch) * patch));
};

export const training = (c: Config): FamilyTraining => ({
  graph: 'decode',
  contextLength: Math.floor((c.contextLimit - c.outputPatch) / c.inputPatch) * c.inputPatch,
  shortestContext: c.inputPatch,
  horizon: c.outputPatch,
  levels: DECILES,
  quantiles: (outputs) => {
    const all = rearrange(outputs.get('point')!, 'b r (o k) -> (b r) k o', { k: CHANNELS });
    // The first channel is the mean.
    return slice(all, 1, { start: 1 });
  },
  feeds: (contexts, size) => contextFeeds(windowsOf(contexts, size, c.inputPatch), c).feeds,
  units: (contexts, size) => {
    const windows = windowsOf(contexts, size, c.inputPatch);
    const last = windows.map((window) => runningMoments(window, c.inputPatch).at(-1)!);
    return {
      loc: Float32Array.from(last, ({ mu }) => mu),
      scale: Float32Array.from(last, ({ sigma }) => sigma),
    };
  },
  targets: ['qkv_proj', 'out'],
  head: /^output_projection_point\./,
});
