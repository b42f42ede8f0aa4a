/** Plain arrays around the graph: calls of the model on windows, one after another for long horizons. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorData, TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import {
  exogenousChannels,
  isDecomposed,
  predictedChannels,
  quantileLevels,
  selectsChannels,
  stepsOf,
  type TtmConfig,
} from './config.ts';
import { mirroredPlaces, smoothingKernel, smoothingWindow } from './decomposition.ts';

/** What the model is called with for one series, in the units that it shall forecast in. */
export interface TtmWindow {
  /** All channels in the checkpoint's order, [channels][time], NaN where a value is missing. */
  readonly values: readonly ArrayLike<number>[];
  /**
   * [channels][time], not 0 where a value is observed. When given, the zeros that are put in front of a
   * short context do not count as observed; without it they do, as in the reference without a mask.
   */
  readonly observed?: readonly ArrayLike<number>[] | undefined;
  /** Known future of the exogenous channels, [exogenous][steps]. */
  readonly future?: readonly ArrayLike<number>[] | undefined;
  /** Token of the sampling frequency; 0 is the unknown one. */
  readonly frequency?: number | undefined;
  /** Codes of the static categorical covariates. */
  readonly categories?: readonly number[] | undefined;
}

/** Forecasts of the predicted channels, in the units of the window. */
export interface TtmForecast {
  /** [predicted][steps] */
  readonly point: readonly Float32Array[];
  /** [predicted][levels][steps]; no levels without a quantile head */
  readonly quantiles: readonly (readonly Float32Array[])[];
  /** [predicted] */
  readonly loc: Float32Array;
  readonly scale: Float32Array;
}

/** Channels whose known future the model reads. */
export const futureChannels = (c: TtmConfig): readonly number[] =>
  c.enable_forecast_channel_mixing ? exogenousChannels(c) : [];

const lengthOf = ({ values }: TtmWindow): number => values[0]!.length;

const float32 = (data: Float32Array, dims: readonly number[]): TensorValue => ({
  dtype: 'float32',
  dims,
  data,
});

const int64 = (data: Iterable<number>, dims: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(Array.from(data, BigInt)),
});

interface Context {
  readonly data: Float32Array;
  readonly mask: Float32Array;
}

/** One row right-aligned in its place of the batch: 0 where missing, and in front of what is shorter. */
const placeRow = (
  row: ArrayLike<number>,
  observed: ArrayLike<number> | undefined,
  start: number,
  { data, mask }: Context,
  length: number,
): void => {
  const kept = Math.min(row.length, length);
  const from = row.length - kept;
  const at = start + length - kept;
  if (!observed) mask.fill(1, start, at);
  for (let i = 0; i < kept; i++) {
    const value = row[from + i]!;
    if (Number.isNaN(value)) continue;
    data[at + i] = value;
    if (!observed || observed[from + i]) mask[at + i] = 1;
  }
};

const contextFeeds = (windows: readonly TtmWindow[], length: number) => {
  const channels = windows[0]!.values.length;
  const size = windows.length * channels * length;
  const context = { data: new Float32Array(size), mask: new Float32Array(size) };
  windows.forEach(({ values, observed }, b) => {
    values.forEach((row, i) => {
      placeRow(row, observed?.[i], (b * channels + i) * length, context, length);
    });
  });
  const dims = [windows.length, channels, length];
  return {
    past_values: float32(context.data, dims),
    past_observed_mask: float32(context.mask, dims),
  };
};

/** The tables of the smoother, made once for each length of context. */
const tables = new Map<number, Readonly<Record<string, TensorValue>>>();

const smootherFeeds = (length: number): Readonly<Record<string, TensorValue>> => {
  if (length < 3) {
    throw new TollamaError('INVALID_INPUT', `a context of ${length} points cannot be decomposed`, {
      hint: 'give at least 3 points',
    });
  }
  const known = tables.get(length);
  if (known) return known;
  const window = smoothingWindow(length);
  const made = {
    smoothing_kernel: float32(smoothingKernel(window), [window]),
    mirrored_places: {
      dtype: 'int64' as const,
      dims: [length + window - 1],
      data: mirroredPlaces(length, window),
    },
    median_rank: int64([Math.floor((length - 1) / 2)], [1]),
  };
  tables.set(length, made);
  return made;
};

/** Known futures of the exogenous channels: all of them, for the same number of steps. */
const futureFeeds = (windows: readonly TtmWindow[], c: TtmConfig) => {
  const channels = futureChannels(c);
  if (channels.length === 0) return {};
  const steps = Math.min(stepsOf(c), windows[0]!.future?.[0]?.length ?? 0);
  const data = new Float32Array(windows.length * channels.length * steps);
  windows.forEach(({ future }, b) => {
    channels.forEach((_, i) => {
      const row = future?.[i];
      if (!row || row.length < steps || steps === 0) {
        throw new TollamaError(
          'INVALID_REQUEST',
          `this checkpoint needs the future of ${channels.length} covariates, got ${future?.length ?? 0}`,
          { hint: 'give future covariates for every step of the horizon' },
        );
      }
      for (let t = 0; t < steps; t++) data[(b * channels.length + i) * steps + t] = row[t]!;
    });
  });
  return { future_values: float32(data, [windows.length, channels.length, steps]) };
};

const codeOf = (window: TtmWindow, i: number, size: number): number => {
  const code = window.categories?.[i];
  if (code === undefined || !Number.isInteger(code) || code < 0 || code >= size) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `static covariate ${i} must be a category code from 0 to ${size - 1}, got ${code}`,
    );
  }
  return code;
};

const tokenOf = ({ frequency = 0 }: TtmWindow, c: TtmConfig): number => {
  if (Number.isInteger(frequency) && frequency >= 0 && frequency < c.frequency_token_vocab_size) {
    return frequency;
  }
  throw new TollamaError(
    'INVALID_REQUEST',
    `frequency token ${frequency} is not one of this checkpoint's 0 to ${c.frequency_token_vocab_size - 1}`,
  );
};

const feedsOf = (windows: readonly TtmWindow[], c: TtmConfig): Record<string, TensorValue> => {
  const batch = windows.length;
  const length = isDecomposed(c) ? lengthOf(windows[0]!) : c.context_length;
  const feeds: Record<string, TensorValue> = {
    ...contextFeeds(windows, length),
    ...futureFeeds(windows, c),
    ...(isDecomposed(c) && smootherFeeds(length)),
  };
  if (c.resolution_prefix_tuning) {
    feeds.freq_token = int64(
      windows.map((window) => tokenOf(window, c)),
      [batch],
    );
  }
  const sizes = c.use_decoder ? (c.categorical_vocab_size_list ?? []) : [];
  if (sizes.length > 0) {
    const codes = windows.flatMap((window) => sizes.map((size, i) => codeOf(window, i, size)));
    feeds.static_categorical_values = int64(codes, [batch, sizes.length]);
  }
  return feeds;
};

const sameLength = async (
  run: RunGraph,
  c: TtmConfig,
  windows: readonly TtmWindow[],
): Promise<TtmForecast[]> => {
  const outputs = await run('forward', feedsOf(windows, c));
  const [, channels, steps] = outputs.forecast!.dims as [number, number, number];
  const levels = quantileLevels(c).length;
  const rows = (data: TensorData | undefined, first: number, count: number): Float32Array[] =>
    Array.from({ length: count }, (_, i) =>
      (data as Float32Array).slice((first + i) * steps, (first + i + 1) * steps),
    );
  const vector = (name: string, b: number): Float32Array =>
    (outputs[name]!.data as Float32Array).slice(b * channels, (b + 1) * channels);
  return windows.map((_, b) => ({
    point: rows(outputs.forecast!.data, b * channels, channels),
    quantiles: Array.from({ length: channels }, (_, i) =>
      rows(outputs.quantiles?.data, (b * channels + i) * levels, levels),
    ),
    loc: vector('loc', b),
    scale: vector('scale', b),
  }));
};

/**
 * One call of the model on tensors, as the reference's `forward`: contexts longer than the model's lose
 * their oldest steps, shorter ones get zeros in front. Decomposed models scale and smooth the whole
 * context before that.
 *
 * @throws TollamaError INVALID_REQUEST when futures or categories that the checkpoint needs are missing
 */
export const callModel = async (
  run: RunGraph,
  c: TtmConfig,
  windows: readonly TtmWindow[],
): Promise<TtmForecast[]> => {
  if (!isDecomposed(c)) return sameLength(run, c, windows);
  const forecasts: TtmForecast[] = [];
  const lengths = Map.groupBy(windows.keys(), (i) => lengthOf(windows[i]!));
  for (const places of lengths.values()) {
    const some = await sameLength(
      run,
      c,
      places.map((i) => windows[i]!),
    );
    places.forEach((place, i) => {
      forecasts[place] = some[i]!;
    });
  }
  return forecasts;
};

/** The row moved on by the next steps. */
const moved = (row: ArrayLike<number>, next: ArrayLike<number>): Float32Array => {
  const whole = new Float32Array(row.length + next.length);
  whole.set(row);
  whole.set(next, row.length);
  return whole.subarray(Math.min(row.length, next.length));
};

/** The window moved on by one forecast and the known futures; what is neither is missing. */
const advance = (window: TtmWindow, { point }: TtmForecast, c: TtmConfig): TtmWindow => {
  const steps = point[0]!.length;
  const predicted = predictedChannels(c);
  const known = futureChannels(c);
  const nextOf = (channel: number): ArrayLike<number> => {
    const at = selectsChannels(c) ? predicted.indexOf(channel) : channel;
    const next = at >= 0 ? point[at] : window.future?.[known.indexOf(channel)];
    return next ? Array.from(next).slice(0, steps) : new Float32Array(steps).fill(Number.NaN);
  };
  const ones = new Uint8Array(steps).fill(1);
  return {
    ...window,
    values: window.values.map((row, channel) => moved(row, nextOf(channel))),
    observed: window.observed?.map((row) => moved(row, ones)),
    future: window.future?.map((row) => Array.from(row).slice(steps)),
  };
};

const concatenated = (parts: readonly Float32Array[], horizon: number): Float32Array => {
  const whole = new Float32Array(horizon);
  let at = 0;
  for (const part of parts) {
    whole.set(part.subarray(0, Math.min(part.length, horizon - at)), at);
    at += part.length;
  }
  return whole;
};

/**
 * Forecasts of any length as the reference's `RecursivePredictor`: the point forecast is appended to the
 * window, which loses as many steps at its other end. Quantiles are those of each pass given the point
 * forecasts before it (the reference gives none). loc and scale are those of the first pass.
 */
export const rollOut = async (
  run: RunGraph,
  c: TtmConfig,
  windows: readonly TtmWindow[],
  horizon: number,
): Promise<TtmForecast[]> => {
  const passes: TtmForecast[][] = [];
  let current = windows;
  for (let done = 0; done < horizon; done += stepsOf(c)) {
    if (done > 0) current = current.map((window, b) => advance(window, passes.at(-1)![b]!, c));
    passes.push(await callModel(run, c, current));
  }
  const [first] = passes;
  return windows.map((_, b) => ({
    ...first![b]!,
    point: first![b]!.point.map((_, i) =>
      concatenated(
        passes.map((pass) => pass[b]!.point[i]!),
        horizon,
      ),
    ),
    quantiles: first![b]!.quantiles.map((rows, i) =>
      rows.map((_, q) =>
        concatenated(
          passes.map((pass) => pass[b]!.quantiles[i]![q]!),
          horizon,
        ),
      ),
    ),
  }));
};
