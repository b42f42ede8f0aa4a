/** `/v2/anomaly_detection`: which points of the history lie outside of the interval that the model expected. */

import type { ModelCalls } from '../columnar/model-calls.ts';
import { tokens, windowsOptions } from './forecast.ts';
import { fitHistory } from './history-fit.ts';
import type { Panel } from './panel.ts';
import type { AnomalyBody } from './requests.ts';

export const DEFAULT_ANOMALY_LEVEL = 99;

export const detectAnomalies = async (
  body: AnomalyBody,
  panel: Panel,
  calls: ModelCalls,
  season: number,
) => {
  const level = body.level ?? DEFAULT_ANOMALY_LEVEL;
  const fit = await fitHistory(panel, calls, season, (horizon) =>
    windowsOptions(body, horizon, [level]),
  );
  const intervals = fit.intervals([level])!;
  const low = intervals[`lo-${level}`]!;
  const high = intervals[`hi-${level}`]!;
  return {
    mean: fit.mean,
    sizes: fit.sizes,
    idxs: fit.places,
    intervals,
    anomaly: fit.places.map((place, i) => {
      const value = panel.values[place]!;
      return value < low[i]! || value > high[i]!;
    }),
    weights_x: null,
    ...tokens(panel.values.length, fit.mean.length),
  };
};
