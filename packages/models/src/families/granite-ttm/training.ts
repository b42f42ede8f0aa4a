/** How TinyTimeMixer is trained: channels alone, standardised outside as for a forecast. */
import { TollamaError } from '@tollama/core/errors';
import { rearrange, type Tensor } from '@tollama/graph';
import type { FamilyTraining, PointLoss, TrainingWish } from '../../family.ts';
import { contextRows } from '../../training-rows.ts';
import { isMultivariate, quantileLevels, stepsOf, type TtmConfig } from './config.ts';
import { feedsOf } from './feeds.ts';
import { frequencyToken } from './frequency.ts';
import { lastWindow } from './series.ts';
import { standardOf } from './standard-scaler.ts';

const LOSSES: Readonly<Record<NonNullable<TtmConfig['loss']>, PointLoss>> = {
  mse: 'squared',
  mae: 'absolute',
  huber: 'huber',
  // A checkpoint without a quantile head has the median alone.
  pinball: 'absolute',
};

/** forecast [b, c, t] or quantiles [b, c, q, t] -> [rows, q, t] */
const quantilesOf = (outputs: ReadonlyMap<string, Tensor>): Tensor => {
  const quantiles = outputs.get('quantiles');
  return quantiles
    ? rearrange(quantiles, 'b c q t -> (b c) q t')
    : rearrange(outputs.get('forecast')!, 'b c t -> (b c) 1 t');
};

/** @throws TollamaError MODEL_UNSUPPORTED for a checkpoint whose channels see each other */
export const training = (c: TtmConfig, { freq }: TrainingWish = {}): FamilyTraining => {
  if (isMultivariate(c)) {
    throw new TollamaError('MODEL_UNSUPPORTED', 'this TTM mixes channels: it is not trained', {
      hint: 'train a checkpoint whose channels are independent (mode and decoder_mode common_channel)',
    });
  }
  const levels = quantileLevels(c);
  const frequency = frequencyToken(freq ?? 'oov');
  return {
    graph: 'forward',
    contextLength: c.context_length,
    shortestContext: c.patch_length,
    horizon: stepsOf(c),
    levels: levels.length > 0 ? levels : [0.5],
    quantiles: quantilesOf,
    feeds: (contexts, size) => {
      const windows = contextRows(contexts, size).map((row) => ({
        values: [lastWindow(row, c.context_length, standardOf(row))],
        frequency,
      }));
      return feedsOf(windows, c);
    },
    units: (contexts, size) => {
      const standards = contextRows(contexts, size).map(standardOf);
      return {
        loc: Float32Array.from(standards, ({ mean }) => mean),
        scale: Float32Array.from(standards, ({ deviation }) => deviation),
      };
    },
    ...(levels.length === 0 && { loss: LOSSES[c.loss ?? 'mse'] }),
    targets: ['fc1', 'fc2'],
    head: /(^|\.)(head|multi_quantile_head_block|base_forecast_block)\./,
  };
};
