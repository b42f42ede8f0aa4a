/** Forecasts of test instances: by a model of a pool, or by the benchmark's own baseline. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Adapter } from '@tollama/session/pool/adapter';
import type { StoredForecast } from './forecast-values.ts';
import type { Instance } from './instances.ts';
import { LOSS_LEVELS } from './metrics.ts';
import type { Configuration } from './read-data.ts';
import { seasonalNaive } from './seasonal-naive.ts';

/** One forecast for each instance, in order; undefined where the model gave none. */
export type Predictor = (
  instances: readonly Instance[],
  configuration: Configuration,
  signal?: AbortSignal,
) => Promise<readonly (StoredForecast | undefined)[]>;

export const BASELINE = 'seasonal_naive';

/** The benchmark's seasonal naive, under either spelling of its name. */
export const isBaselineName = (name: string): boolean => name.replace('-', '_') === BASELINE;

export const baselinePredictor: Predictor = async (instances, { horizon, season }) =>
  instances.map(({ input }) => seasonalNaive(input, { horizon, season }));

const isWhole = (row: ArrayLike<number>, horizon: number): boolean =>
  row.length === horizon && Array.from(row).every(Number.isFinite);

/** Forecasts by an adapter; a model that gives points only has its mean at each level. */
export const adapterPredictor =
  (adapter: Adapter): Predictor =>
  async (instances, { freq, horizon }, signal) => {
    const series = instances.map(({ series: { id }, window, input }) => ({
      id: `${id}-${window}`,
      freq,
      target: input,
    }));
    const { forecasts } = await adapter.predict(series, horizon, LOSS_LEVELS, {
      ...(signal && { signal }),
    });
    const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast]));
    return series.map(({ id }) => {
      const forecast = byId.get(id);
      if (!forecast || !isWhole(forecast.mean, horizon)) return undefined;
      const { mean, quantiles } = forecast;
      const rows = LOSS_LEVELS.map((_, l) => quantiles[l] ?? mean);
      return rows.every((row) => isWhole(row, horizon))
        ? { levels: LOSS_LEVELS, quantiles: rows, mean }
        : undefined;
    });
  };

export type OnMissing = 'raise' | 'seasonal-naive';

export interface Filled {
  readonly forecasts: readonly StoredForecast[];
  /** How many came from the baseline in the model's place. */
  readonly replaced: number;
}

/**
 * Fills in what a model did not give: never zeros, and never without a count.
 *
 * @throws TollamaError RUNNER_ERROR that names the series, with `raise`
 */
export const fillMissing = (
  forecasts: readonly (StoredForecast | undefined)[],
  instances: readonly Instance[],
  { name, horizon, season }: Configuration,
  onMissing: OnMissing,
): Filled => {
  let replaced = 0;
  const filled = instances.map((one, i) => {
    const forecast = forecasts[i];
    if (forecast) return forecast;
    if (onMissing === 'raise') {
      throw new TollamaError(
        'RUNNER_ERROR',
        `${name}: no finite forecast for series '${one.series.id}', window ${one.window + 1}`,
        { hint: 'let seasonal naive stand in and be counted (--on-missing seasonal-naive)' },
      );
    }
    replaced++;
    return seasonalNaive(one.input, { horizon, season });
  });
  return { forecasts: filled, replaced };
};

/** Runs a predictor; with `seasonal-naive`, a batch that fails as a whole is halved until the culprits are alone. */
export const predictBatch = async (
  predictor: Predictor,
  instances: readonly Instance[],
  configuration: Configuration,
  {
    onMissing,
    signal,
  }: { readonly onMissing: OnMissing; readonly signal?: AbortSignal | undefined },
): Promise<readonly (StoredForecast | undefined)[]> => {
  try {
    return await predictor(instances, configuration, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (onMissing === 'raise' || !isOfOneSeries(error)) throw error;
    if (instances.length === 1) return [undefined];
    const half = Math.ceil(instances.length / 2);
    const options = { onMissing, ...(signal && { signal }) };
    return [
      ...(await predictBatch(predictor, instances.slice(0, half), configuration, options)),
      ...(await predictBatch(predictor, instances.slice(half), configuration, options)),
    ];
  }
};

/** Whether an error may be one series' fault; a daemon that is gone is not. */
const isOfOneSeries = (error: unknown): boolean =>
  error instanceof TollamaError
    ? ['RUNNER_ERROR', 'INVALID_REQUEST', 'BODY_TOO_LARGE'].includes(error.code)
    : /finite|NaN/.test(errorMessage(error));
