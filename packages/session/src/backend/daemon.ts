/** Models in a daemon: requests cut so that none grows past its limit. */
import type { ForecastBody, TollamaClient } from '@tollama/client';
import { quantileKey } from '@tollama/core/forecast-response';
import { isEmbeddedName } from '@tollama/core/statistical';
import type {
  ForecastResult,
  ForecastTask,
  LoadedModel,
  ModelBackend,
  SeriesForecast,
  TaskSeries,
} from './backend.ts';

export interface DaemonBackendOptions {
  readonly client: Pick<TollamaClient, 'forecast' | 'unload' | 'show'>;
  /** How long models stay loaded between requests. */
  readonly keepAlive?: string;
}

type BodySeries = ForecastBody['series'][number];

/** Points of one request. */
const POINTS_PER_REQUEST = 200_000;

const ordinals = (length: number): string[] => Array.from({ length }, (_, i) => String(i + 1));

const missingPlaces = (values: Float64Array): number[] => {
  const places: number[] = [];
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) places.push(i);
  });
  return places;
};

/** Covariates have no sign for a missing value: the one before stands in, at the start the first that is known. */
const carried = (values: readonly number[]): number[] => {
  let last = values.find(Number.isFinite) ?? 0;
  return values.map((value) => {
    if (Number.isFinite(value)) last = value;
    return last;
  });
};

/** A series, cut to what the model reads. */
const toBody = (one: TaskSeries, contextLength: number | null, at: number): BodySeries => {
  const from = contextLength === null ? 0 : Math.max(0, one.target.length - contextLength);
  const values = one.target.subarray(from);
  const missing = missingPlaces(values);
  const past = Object.entries(one.pastCovariates ?? {}).map(([name, all]) => [
    name,
    carried(all.slice(from)),
  ]);
  return {
    // A number, so that an answer finds its series whatever the ids are.
    id: String(at),
    freq: one.freq,
    timestamps: one.timestamps?.slice(from) ?? ordinals(values.length),
    target: Array.from(values, (value) => (Number.isFinite(value) ? value : 0)),
    ...(missing.length > 0 && { missing_indices: missing }),
    ...(past.length > 0 && { past_covariates: Object.fromEntries(past) }),
    ...(one.futureCovariates && {
      future_covariates: Object.fromEntries(
        Object.entries(one.futureCovariates).map(([name, values]) => [name, carried(values)]),
      ),
    }),
    ...(one.staticCovariates && { static_covariates: { ...one.staticCovariates } }),
  };
};

const inChunks = (series: readonly BodySeries[]): BodySeries[][] => {
  const chunks: BodySeries[][] = [];
  let points = Number.POSITIVE_INFINITY;
  for (const one of series) {
    if (points + one.target.length > POINTS_PER_REQUEST) {
      chunks.push([]);
      points = 0;
    }
    chunks.at(-1)!.push(one);
    points += one.target.length;
  }
  return chunks;
};

type Answer = Awaited<ReturnType<TollamaClient['forecast']>>['forecasts'][number];

const fromAnswer = (answer: Answer, id: string, levels: readonly number[]): SeriesForecast => ({
  id,
  mean: Float64Array.from(answer.mean),
  quantiles: answer.quantiles
    ? levels.map((level) => Float64Array.from(answer.quantiles![quantileKey(level)] ?? []))
    : [],
  explanation: answer.explanation ?? undefined,
});

/** `context_length` of what the daemon knows of a model, if it says one. */
const contextLengthOf = (shown: Readonly<Record<string, unknown>>): number | null => {
  const metadata = (shown.metadata ?? shown.details ?? {}) as Readonly<Record<string, unknown>>;
  const found = [shown.context_length, metadata.max_context, metadata.context_length].find(
    (value) => typeof value === 'number' && value > 0,
  );
  return (found as number | undefined) ?? null;
};

const forecastThrough = async (
  { client, keepAlive = '30m' }: DaemonBackendOptions,
  model: string,
  contextLength: number | null,
  task: ForecastTask,
): Promise<ForecastResult> => {
  const { horizon, quantiles, options = {}, signal } = task;
  const forecasts: SeriesForecast[] = [];
  const warnings = new Set<string>();
  const bodies = task.series.map((one, i) => toBody(one, contextLength, i));
  for (const series of inChunks(bodies)) {
    const answer = await client.forecast(
      {
        model,
        horizon,
        series,
        quantiles: [...quantiles],
        options: { ...options },
        keep_alive: keepAlive,
      },
      signal ? { signal } : {},
    );
    for (const one of answer.forecasts) {
      forecasts.push(fromAnswer(one, task.series[Number(one.id)]!.id, quantiles));
    }
    for (const warning of answer.warnings ?? []) warnings.add(warning);
  }
  return { forecasts, warnings: [...warnings] };
};

/** Three steps up: enough for any model to be loaded by. */
const PROBE: BodySeries = {
  id: 'load',
  freq: 'D',
  timestamps: ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04'],
  target: [1, 2, 3, 4],
};

const sizeOf = (shown: Readonly<Record<string, unknown>>): number | undefined =>
  typeof shown.size === 'number' ? shown.size : undefined;

/** A backend over a daemon. Loading is one forecast of a step, after which the model stays in memory. */
export const daemonBackend = (options: DaemonBackendOptions): ModelBackend => ({
  kind: 'daemon',
  identityOf: async (model) => {
    if (isEmbeddedName(model)) return null;
    const shown: Readonly<Record<string, unknown>> = await options.client.show(model);
    const { digest, size, modified_at, parameters } = shown;
    return JSON.stringify([digest, size, modified_at, parameters]);
  },
  async load({ model, device, options: fixed }): Promise<LoadedModel> {
    const { client, keepAlive = '30m' } = options;
    const choice = { ...fixed, ...(device !== null && { device }) };
    const answer = await client.forecast({
      model,
      horizon: 1,
      series: [PROBE],
      options: choice,
      keep_alive: keepAlive,
    });
    const shown = isEmbeddedName(model) ? {} : await client.show(model).catch(() => ({}));
    const contextLength = contextLengthOf(shown);
    return {
      model,
      device: typeof answer.usage?.device === 'string' ? answer.usage.device : 'unknown',
      contextLength,
      memoryBytes: sizeOf(shown),
      forecast: (task) =>
        forecastThrough(options, model, contextLength, {
          ...task,
          options: { ...choice, ...task.options },
        }),
      unload: async () => {
        await client.unload(model);
      },
    };
  },
});
