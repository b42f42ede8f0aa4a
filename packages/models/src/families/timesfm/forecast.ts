/** TimesFM 2.5 for a task: missing values, covariates through a linear regression, and the answer. */
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import type { Config } from './config.ts';
import { CHANNELS, MEDIAN } from './decode.ts';
import { Flags, forecastRows } from './flags.ts';
import {
  byCovariates,
  type Channels,
  forecastWithRegression,
  type Network,
  RegressionOptions,
  type Row,
  readRegressionOptions,
} from './regression.ts';
import { firstObserved, withoutGaps } from './windows.ts';

const Options = Flags.extend({
  ...RegressionOptions.shape,
  /** What stands for the forecast: the median, as in the reference, or the mean of the head. */
  point_forecast_mode: z.enum(['median', 'mean']).default('median'),
});
type Options = z.infer<typeof Options>;

const rowOf = (series: ModelSeries): Row => {
  const cut = firstObserved(series);
  const values = withoutGaps(Array.prototype.slice.call(series.targets[0]!, cut));
  return { series, values, cut };
};

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** One channel of [steps, channels]. */
const channelOf = (rows: ArrayLike<number>, channel: number): Float32Array =>
  Float32Array.from(
    { length: rows.length / CHANNELS },
    (_, step) => rows[step * CHANNELS + channel]!,
  );

const readOut = (rows: ArrayLike<number>, levels: readonly number[], o: Options) => ({
  mean: channelOf(rows, o.point_forecast_mode === 'median' ? MEDIAN : 0),
  quantiles: quantilesWithTails(
    DECILES.map((_, i) => channelOf(rows, i + 1)),
    DECILES,
    levels,
  ),
});

const answer = ({ forecast, backcast }: Channels, task: Task, o: Options): SeriesForecast => ({
  targets: [readOut(forecast, task.quantiles, o)],
  ...(o.return_backcast && { explanation: { backcast: readOut(backcast, task.quantiles, o) } }),
});

const NO_WINDOWS = 'window_size has no effect on TimesFM 2.5, as in the reference';

/** Forecasts all series; one regression for all series that have the same covariates. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const o = readRegressionOptions(Options, task, 'timesfm');
  const { horizon } = task;
  const network: Network = {
    forecast: (rows, hasBackcast) =>
      forecastRows(run, rows, horizon, { ...o, return_backcast: hasBackcast }, c),
    channels: CHANNELS,
    point: MEDIAN,
    inputPatch: c.inputPatch,
  };
  const rows = task.series.map(rowOf);
  const forecasts: SeriesForecast[] = [];
  for (const [covariates, places] of byCovariates(task.series)) {
    const own = places.map((i) => rows[i]!);
    const channels =
      covariates === ''
        ? await network.forecast(
            own.map(({ values }) => values),
            o.return_backcast,
          )
        : await forecastWithRegression(network, own, horizon, o, o.return_backcast);
    places.forEach((i, k) => {
      forecasts[i] = answer(channels[k]!, task, o);
    });
  }
  return { forecasts, warnings: o.window_size > 0 ? [NO_WINDOWS] : [] };
};
