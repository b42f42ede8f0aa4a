/** Calls of the model on windows of series, one after another for long horizons. */
import type { TensorData } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import {
  futureChannels,
  isDecomposed,
  predictedChannels,
  quantileLevels,
  selectsChannels,
  stepsOf,
  type TtmConfig,
} from './config.ts';
import { feedsOf, lengthOf, type TtmWindow } from './feeds.ts';

export type { TtmWindow } from './feeds.ts';

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
