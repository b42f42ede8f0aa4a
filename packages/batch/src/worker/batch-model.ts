/** Models as a worker uses them: the ones that are always there in its own process, all others in a daemon. */
import type { ForecastBody, TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { quantileKey } from '@tollama/core/forecast-response';
import { candidateSeasons } from '@tollama/core/frequency';
import { isNanoName, isStatisticalName } from '@tollama/core/statistical';
import type { Outcome, Task } from '@tollama/models/family';
import type { BatchSettings } from '../settings.ts';
import type { RequestCovariates } from './covariates.ts';

/** One regular series. */
export interface ModelInput {
  readonly id: string;
  readonly freq: string;
  /** [length] ISO 8601, made when a model asks for them. */
  readonly timestamps: () => string[];
  /** [length], NaN where missing. */
  readonly values: Float64Array;
  readonly covariates?: RequestCovariates | undefined;
}

/** [horizon] each: the mean, then one for each level (NaN of models that give points only). */
export type ModelOutput = readonly ArrayLike<number>[];

/** Forecasts of some series at once, in their order; undefined where the model gave nothing. */
export type ForecastSeries = (
  series: readonly ModelInput[],
  settings: BatchSettings,
  signal: AbortSignal,
) => Promise<readonly (ModelOutput | undefined)[]>;

/** Between so many series, timers and signals get their turn; a network takes more of them at once. */
const SERIES_PER_TURN = { statistical: 16, nano: 64 } as const;
/** Points of one request to a daemon. */
const POINTS_PER_REQUEST = 200_000;

/** Of a frequency that nobody can read, none. */
const seasonsOf = (freq?: string): readonly number[] => {
  try {
    return candidateSeasons(freq);
  } catch {
    return [];
  }
};

const turn = (): Promise<void> =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

type Run = (task: Task) => Outcome | Promise<Outcome>;

const inTurns =
  (run: Run, seriesPerTurn: number): ForecastSeries =>
  async (series, { horizon, quantiles, options }, signal) => {
    const outputs: ModelOutput[] = [];
    for (let from = 0; from < series.length; from += seriesPerTurn) {
      signal.throwIfAborted();
      const part = series
        .slice(from, from + seriesPerTurn)
        .map(({ id, freq, values }) => ({ id, freq, targets: [values] }));
      const { forecasts } = await run({ series: part, horizon, quantiles, options });
      for (const { targets } of forecasts) {
        outputs.push([targets[0]!.mean, ...targets[0]!.quantiles]);
      }
      await turn();
    }
    return outputs;
  };

/** A model that is always there, of one thread: workers are what uses the processors. */
const embedded = async (model: string): Promise<ForecastSeries | undefined> => {
  if (isNanoName(model)) {
    const { openBoxed } = await import('@tollama/models/in-the-box');
    const boxed = openBoxed(model, { threads: 1, candidates: seasonsOf });
    return inTurns((task) => boxed.forecast(task), SERIES_PER_TURN.nano);
  }
  if (!isStatisticalName(model)) return undefined;
  const { forecastStatistical } = await import('@tollama/models/statistical');
  return inTurns(
    (task) => forecastStatistical(model, task, seasonsOf),
    SERIES_PER_TURN.statistical,
  );
};

type BodySeries = ForecastBody['series'][number];

/** The parts of a request that are there. */
const covariateFields = ({ past, future, statics }: RequestCovariates) => ({
  ...(Object.keys(past).length > 0 && { past_covariates: { ...past } }),
  ...(Object.keys(future).length > 0 && { future_covariates: { ...future } }),
  ...(Object.keys(statics).length > 0 && { static_covariates: { ...statics } }),
});

const toBody = ({ freq, timestamps, values, covariates }: ModelInput, at: number): BodySeries => {
  const missing = Array.from(values.keys()).filter((i) => !Number.isFinite(values[i]));
  return {
    // A number, so that an answer finds its series whatever the ids are.
    id: String(at),
    freq,
    timestamps: timestamps(),
    target: Array.from(values, (value) => (Number.isFinite(value) ? value : 0)),
    ...(missing.length > 0 && { missing_indices: missing }),
    ...(covariates && covariateFields(covariates)),
  };
};

/** Numbers of a series, those of its covariates too. */
const sizeOf = ({ target, past_covariates }: BodySeries): number =>
  target.length * (1 + Object.keys(past_covariates ?? {}).length);

const inRequests = (series: readonly BodySeries[]): BodySeries[][] => {
  const requests: BodySeries[][] = [];
  let points = Number.POSITIVE_INFINITY;
  for (const one of series) {
    if (points + sizeOf(one) > POINTS_PER_REQUEST) {
      requests.push([]);
      points = 0;
    }
    requests.at(-1)!.push(one);
    points += sizeOf(one);
  }
  return requests;
};

const throughDaemon =
  (client: Pick<TollamaClient, 'forecast'>): ForecastSeries =>
  async (inputs, { model, horizon, quantiles, options }, signal) => {
    const outputs: (ModelOutput | undefined)[] = inputs.map(() => undefined);
    const nothing = new Float64Array(horizon).fill(Number.NaN);
    const asked = { model, horizon, quantiles, options, keep_alive: '30m' };
    for (const series of inRequests(inputs.map(toBody))) {
      const { forecasts } = await client.forecast(
        // What the model cannot use was left out before.
        { ...asked, series, parameters: { covariates_mode: 'strict' } },
        { signal },
      );
      for (const { id, mean, quantiles: found } of forecasts) {
        const levels = quantiles.map((level) => found?.[quantileKey(level)] ?? nothing);
        outputs[Number(id)] = [mean, ...levels];
      }
    }
    return outputs;
  };

/** Opens a model by its name; a daemon is asked for only when a model needs one. */
export const openBatchModel = async (
  model: string,
  connect: () => Promise<Pick<TollamaClient, 'forecast'>>,
): Promise<ForecastSeries> => {
  return (await embedded(model)) ?? throughDaemon(await connect());
};

/** For models that answer with another length, or with what is no number. */
export const checkOutput = (output: ModelOutput | undefined, horizon: number): ModelOutput => {
  const mean = output?.[0];
  if (!output || !mean)
    throw new TollamaError('FORECAST_UNAVAILABLE', 'the model gave no forecast');
  if (mean.length < horizon) {
    throw new TollamaError(
      'FORECAST_UNAVAILABLE',
      `the model gave ${mean.length} of ${horizon} steps`,
    );
  }
  for (let h = 0; h < horizon; h++) {
    if (Number.isFinite(mean[h])) continue;
    throw new TollamaError('FORECAST_UNAVAILABLE', `step ${h + 1} of the forecast is no number`);
  }
  return output;
};
