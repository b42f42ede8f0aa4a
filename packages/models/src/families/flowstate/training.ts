/** How FlowState is trained: the first patch after the context, at the scale of the series' frequency. */
import { rearrange } from '@tollama/graph';
import type { FamilyTraining, TrainingWish } from '../../family.ts';
import { CHUNK, type Config, limitsOf, passFeeds, scaleCausally } from './forecast.ts';
import { scaleFactorOf } from './scale-factor.ts';

export const training = (c: Config, { freq }: TrainingWish = {}): FamilyTraining => {
  const own = freq === undefined ? undefined : scaleFactorOf(freq, undefined);
  const scale = own !== undefined && limitsOf(c, own).patch >= 1 ? own : c.scale_factor;
  const { patch, contextLength } = limitsOf(c, scale);
  /** Steps before the first point of a short row are missing ones: rows of a run are of one length. */
  const scaledRows = (contexts: Float32Array, size: number) => {
    const length = contexts.length / size;
    return Array.from({ length: size }, (_, b) =>
      scaleCausally(contexts.subarray(b * length, (b + 1) * length), 0),
    );
  };
  return {
    graph: 'forward',
    contextLength,
    shortestContext: Math.min(CHUNK, contextLength),
    horizon: patch,
    levels: c.quantiles,
    quantiles: (outputs) => rearrange(outputs.get('curves')!, 'j b q p -> (j b) q p'),
    feeds: (contexts, size) => {
      const at = { points: patch, known: contexts.length / size, missing: 0, scale };
      return passFeeds(scaledRows(contexts, size), c, at);
    },
    units: (contexts, size) => {
      const rows = scaledRows(contexts, size);
      return {
        loc: Float32Array.from(rows, ({ mean }) => mean),
        scale: Float32Array.from(rows, ({ deviation }) => deviation),
      };
    },
    targets: 'all-linear',
    head: /^model\.decoder\.lin\./,
  };
};
