/** From columns of numbers to a model and back: series in, rows out, any number, any horizon. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { type Forecast, quantileKey } from '@tollama/core/forecast-response';
import type { CovariateValues, Series } from '@tollama/core/series';
import type { Forecaster } from '../forecast/forecaster.ts';
import type { ModelProfile } from '../forecast/model-profile.ts';
import { planLevels } from './level-plan.ts';

/** A history and what is known of its exogenous rows. */
export interface CallSeries {
  /** NaN where a value is missing. */
  readonly target: Float64Array;
  readonly past?: Readonly<Record<string, CovariateValues>>;
  readonly future?: Readonly<Record<string, CovariateValues>>;
  /** Date of the first point, where one is known. */
  readonly start?: string;
}

export interface CallRows {
  /** [horizon] */
  readonly mean: readonly number[];
  /** [levels][horizon]; null for models that give a point alone. */
  readonly quantiles: readonly (readonly number[])[] | null;
}

export interface CallOptions {
  /** Ascending levels in (0, 1). */
  readonly levels: readonly number[];
  /** Whether the series may look at each other, for models that can. */
  readonly isTogether?: boolean;
}

export interface ModelCallsOptions {
  readonly forecaster: Forecaster;
  readonly profile: ModelProfile;
  /** A pandas alias that is known to be one. */
  readonly freq: string;
  /** The model's own options. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether the family's runner is another program, which needs every timestamp. */
  readonly timestampsOf: (series: CallSeries) => string[];
  readonly signal?: AbortSignal | undefined;
  /** Among the requests that wait; see `priorityLevel`. */
  readonly priority?: number | undefined;
}

/** A line to a runner of more points is cut into several: memory stays bounded and its work overlaps with ours. */
const POINTS_PER_CALL = 1_000_000;
const SERIES_PER_CALL = 2000;
const CALLS_AT_ONCE = 2;
const MEDIAN = 0.5;

/** Families whose own way with covariates looks at one series at a time and always has an effect. */
const COVARIATE_FAMILIES: ReadonlySet<string> = new Set([
  'chronos-2',
  'moirai',
  'moirai2',
  'granite-ttm',
]);

export const readsCovariates = ({ architecture }: ModelProfile): boolean =>
  COVARIATE_FAMILIES.has(architecture);

/** Whether series of one call can look at each other. */
export const readsNeighbours = ({ architecture }: ModelProfile): boolean =>
  architecture === 'chronos-2';

/** Points that the family needs at least: Timer reads whole tokens, which are as long as its steps. */
const leastHistory = ({ architecture, capabilities }: ModelProfile): number =>
  architecture === 'timer' ? (capabilities.nativeHorizon ?? 1) : 1;

/** The series, lengthened at its head by its first value where it is shorter than the model can read. */
const lengthened = (one: CallSeries, least: number): CallSeries => {
  const lacking = least - one.target.length;
  if (lacking <= 0) return one;
  const target = new Float64Array(least);
  target.fill(one.target.find((value) => !Number.isNaN(value)) ?? 0, 0, lacking);
  target.set(one.target, lacking);
  return { ...one, target };
};

/** Points of history that are sent for a model that reads all. */
const UNLIMITED_CONTEXT = 100_000;

export class ModelCalls {
  readonly #options: ModelCallsOptions;
  /** Time in the model, in milliseconds. */
  inferenceMs = 0;

  constructor(options: ModelCallsOptions) {
    this.#options = options;
  }

  get profile(): ModelProfile {
    return this.#options.profile;
  }

  /** Points of history that the model reads. */
  get context(): number {
    return this.profile.capabilities.contextLength ?? UNLIMITED_CONTEXT;
  }

  /** Rows for each series, in their order. Throws what a forecast throws. */
  async forecast(
    series: readonly CallSeries[],
    horizon: number,
    { levels, isTogether = false }: CallOptions,
  ): Promise<CallRows[]> {
    const longest = this.profile.capabilities.maxHorizon ?? horizon;
    const step = Math.min(horizon, longest);
    const rows = await this.#inChunks(series, step, { levels, isTogether });
    const made = Math.min(...rows.map(({ mean }) => mean.length));
    if (made >= horizon) return rows;
    if (!(made > 0)) {
      throw new TollamaError('RUNNER_ERROR', `model '${this.profile.name}' gave no step`);
    }
    const rolled = series.map((one, i) => rolledOn(one, rows[i]!.mean.slice(0, made)));
    const rest = await this.forecast(rolled, horizon - made, { levels, isTogether });
    return rows.map((row, i) => joined(row, rest[i]!, made));
  }

  async #inChunks(
    series: readonly CallSeries[],
    horizon: number,
    options: Required<CallOptions>,
  ): Promise<CallRows[]> {
    if (options.isTogether) return this.#call(series, horizon, options);
    const chunks = chunked(series);
    const results = new Array<CallRows[]>(chunks.length);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < chunks.length; at = next++) {
        results[at] = await this.#call(chunks[at]!, horizon, options);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, chunks.length) }, work));
    return results.flat();
  }

  async #call(
    series: readonly CallSeries[],
    horizon: number,
    { levels, isTogether }: Required<CallOptions>,
  ): Promise<CallRows[]> {
    const { forecaster, profile, options, signal, priority } = this.#options;
    const { quantiles, samples } = profile.capabilities;
    // A model may have a shorter way to its point where no level is asked; the point must not depend on that.
    const plan = planLevels(levels.length === 0 && samples ? [MEDIAN] : levels, quantiles);
    const least = leastHistory(profile);
    const isCrossing = isTogether && readsNeighbours(profile);
    const request: ForecastRequest = {
      model: profile.name,
      horizon,
      series: series.map((one, i) => this.#toSeries(lengthened(one, least), i)),
      quantiles: [...plan.asked],
      options: { ...profile.options, ...options, ...(isCrossing && { cross_learning: true }) },
      parameters: { covariates_mode: 'strict' },
      response_options: { narrative: false, explain: false },
    };
    const prepared = await forecaster.prepare(request, { isPlain: true, priority });
    const { forecasts, timing } = await prepared.run(signal);
    this.inferenceMs += timing.inference_ms;
    return forecasts.map((forecast) => {
      const answered = rowsOf(forecast, plan.asked);
      const rows = answered && plan.rows(answered);
      return { mean: forecast.mean, quantiles: levels.length > 0 ? rows : [] };
    });
  }

  #toSeries(one: CallSeries, index: number): Series {
    const { length } = one.target;
    const target = new Array<number>(length);
    const missing: number[] = [];
    for (let i = 0; i < length; i++) {
      const value = one.target[i]!;
      if (Number.isNaN(value)) missing.push(i);
      target[i] = Number.isNaN(value) ? 0 : value;
    }
    return {
      id: String(index),
      freq: this.#options.freq,
      timestamps: this.#options.timestampsOf(one),
      target,
      ...(missing.length > 0 && { missing_indices: missing }),
      ...(one.past && { past_covariates: { ...one.past } }),
      ...(one.future && { future_covariates: { ...one.future } }),
    };
  }
}

const rowsOf = ({ quantiles }: Forecast, asked: readonly number[]): number[][] | null => {
  if (!quantiles) return null;
  const rows = asked.map((level) => quantiles[quantileKey(level)]);
  return rows.every((row) => row !== undefined) ? rows : null;
};

const chunked = (series: readonly CallSeries[]): CallSeries[][] => {
  const chunks: CallSeries[][] = [];
  let points = Number.POSITIVE_INFINITY;
  for (const one of series) {
    const isFull = points + one.target.length > POINTS_PER_CALL;
    if (isFull || chunks.at(-1)!.length >= SERIES_PER_CALL) {
      chunks.push([]);
      points = 0;
    }
    chunks.at(-1)!.push(one);
    points += one.target.length;
  }
  return chunks;
};

type Rows = Readonly<Record<string, CovariateValues>>;

const mapped = (rows: Rows, change: (values: CovariateValues, name: string) => unknown): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([name, values]) => [name, change(values, name) as CovariateValues]),
  );

/** The series after its first steps came as they were forecast; rows of the past alone keep their last value. */
const rolledOn = (
  { target, past, future, start }: CallSeries,
  mean: readonly number[],
): CallSeries => {
  const longer = new Float64Array(target.length + mean.length);
  longer.set(target);
  longer.set(mean, target.length);
  const came = (values: CovariateValues, name: string): unknown => [
    ...values,
    ...(future?.[name]?.slice(0, mean.length) ?? mean.map(() => values.at(-1)!)),
  ];
  return {
    target: longer,
    ...(past && { past: mapped(past, came) }),
    ...(future && { future: mapped(future, (values) => values.slice(mean.length)) }),
    ...(start !== undefined && { start }),
  };
};

const joined = (first: CallRows, rest: CallRows, made: number): CallRows => ({
  mean: [...first.mean.slice(0, made), ...rest.mean],
  quantiles:
    first.quantiles && rest.quantiles
      ? first.quantiles.map((row, k) => [...row.slice(0, made), ...rest.quantiles![k]!])
      : null,
});
