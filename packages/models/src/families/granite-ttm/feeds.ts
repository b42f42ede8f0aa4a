/** Windows of series as the graph's inputs. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorValue } from '@tollama/graph';
import { futureChannels, isDecomposed, stepsOf, type TtmConfig } from './config.ts';
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

export const lengthOf = ({ values }: TtmWindow): number => values[0]!.length;

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

/** Inputs of the graph for windows of one number of channels and, where decomposed, one length. */
export const feedsOf = (
  windows: readonly TtmWindow[],
  c: TtmConfig,
): Record<string, TensorValue> => {
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
