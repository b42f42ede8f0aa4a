/**
 * TimesFM 1.0's and 2.0's decoding (v1/src/timesfm/pytorch_patched_decoder.py): one patch gives the moments
 * that normalise all of them; blocks beyond the first come from a window that slides over the means of the
 * blocks before.
 */
import type { TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import type { Config } from './config.ts';

/** Values that stand for padding wherever they occur; float32's neighbour of 1123581321. */
const SENTINEL = Math.fround(1123581321);
/** A patch with as many values gives the moments. */
const ENOUGH = 3;
const SMALLEST_SIGMA = 1e-6;

export interface SlideOptions {
  readonly horizon: number;
  /** Values that the network reads, whole patches. */
  readonly context: number;
  /** Whether forecasts of the context are asked for. */
  readonly hasBackcast: boolean;
  /** Most rows of a run. */
  readonly batch: number;
}

/** One row to forecast: its history and the class of its frequency. */
export interface SlideRow {
  readonly values: ArrayLike<number>;
  readonly frequency: number;
}

/** A row's window as the tokenizer sees it. */
interface Patches {
  readonly mu: number;
  readonly sigma: number;
  /** Values in units of the moments, then 1 where they are padding; [patches, 2p] flat */
  readonly tokens: Float32Array;
  /** 1 for patches without any value: [patches] */
  readonly isPadding: Float32Array;
}

/** The values of a patch that are not padding, by their places. */
const placesIn = (window: Float32Array, padding: number, patch: number, p: number): number[] => {
  const places: number[] = [];
  for (let at = Math.max(padding, patch * p); at < (patch + 1) * p; at++) {
    if (window[at] !== SENTINEL) places.push(at);
  }
  return places;
};

/** Mean and population standard deviation. */
const momentsOf = (values: readonly number[]): { mu: number; sigma: number } => {
  const count = Math.max(1, values.length);
  const mu = values.reduce((sum, value) => sum + value, 0) / count;
  const square = values.reduce((sum, value) => sum + (value - mu) ** 2, 0);
  return { mu, sigma: Math.max(SMALLEST_SIGMA, Math.sqrt(square / count)) };
};

/** The last values of a row as `count` patches, with padding before them. */
const patchesOf = (row: ArrayLike<number>, count: number, p: number): Patches => {
  const window = new Float32Array(count * p);
  const kept = Math.min(row.length, window.length);
  for (let i = 1; i <= kept; i++) window[window.length - i] = row[row.length - i]!;
  const padding = window.length - kept;
  const places = Array.from({ length: count }, (_, patch) => placesIn(window, padding, patch, p));
  const first = places.findIndex(({ length }) => length >= ENOUGH);
  const { mu, sigma } = momentsOf(places.at(first)!.map((at) => window[at]!));
  const tokens = new Float32Array(count * 2 * p);
  places.forEach((own, patch) => {
    const start = 2 * patch * p;
    tokens.fill(1, start + p, start + 2 * p);
    for (const at of own) {
      tokens[start + (at % p)] = (window[at]! - mu) / sigma;
      tokens[start + p + (at % p)] = 0;
    }
  });
  const isPadding = Float32Array.from(places, ({ length }) => (length === 0 ? 1 : 0));
  return { mu, sigma, tokens, isPadding };
};

const stack = (rows: readonly Float32Array[], dims: readonly number[]): TensorValue => {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  rows.forEach((row, i) => {
    data.set(row, i * row.length);
  });
  return { dtype: 'float32', dims, data };
};

const integers = (values: readonly number[], dims: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(values, (value) => BigInt(value)),
});

/** The number of each patch, counted from the first that is not padding and around the end. */
const positionsOf = ({ isPadding }: Patches): number[] => {
  const first = isPadding.indexOf(0);
  return Array.from(isPadding, (_, i) => (i - first + isPadding.length) % isPadding.length);
};

/** The heads of the tokens in raw units: [row][token] of [steps, channels]. */
const runWindow = async (
  run: RunGraph,
  rows: readonly ArrayLike<number>[],
  frequencies: readonly number[],
  { count, hasAll }: { readonly count: number; readonly hasAll: boolean },
  c: Config,
): Promise<Float32Array[][]> => {
  const p = c.inputPatch;
  const windows = rows.map((row) => patchesOf(row, count, p));
  const read = hasAll ? Array.from({ length: count }, (_, i) => i) : [count - 1];
  const { point } = await run('forward', {
    tokens: stack(
      windows.map(({ tokens }) => tokens),
      [rows.length, count, 2 * p],
    ),
    padding: stack(
      windows.map(({ isPadding }) => isPadding),
      [rows.length, count],
    ),
    position: integers(windows.flatMap(positionsOf), [rows.length, count]),
    frequency: integers(frequencies, [rows.length]),
    read: integers(read, [read.length]),
  });
  const head = point!.data as Float32Array;
  const width = c.outputPatch * c.channels;
  return windows.map(({ mu, sigma }, row) =>
    read.map((_, token) => {
      const from = (row * read.length + token) * width;
      return head.subarray(from, from + width).map((value) => value * sigma + mu);
    }),
  );
};

const extended = (row: ArrayLike<number>, block: Float32Array, channels: number): Float32Array => {
  const all = new Float32Array(row.length + block.length / channels);
  all.set(row);
  // The mean is fed back, whatever stands for the forecast.
  for (let i = 0; i < block.length / channels; i++) all[row.length + i] = block[i * channels]!;
  return all;
};

const slideBatch = async (
  run: RunGraph,
  rows: readonly SlideRow[],
  o: SlideOptions,
  c: Config,
): Promise<Float32Array[]> => {
  const { horizon, context, hasBackcast } = o;
  const [p, block] = [c.inputPatch, c.outputPatch];
  const frequencies = rows.map(({ frequency }) => frequency);
  const before = hasBackcast ? context - p : 0;
  const outputs = rows.map(() => new Float32Array((before + horizon) * c.channels));
  let windows = rows.map(({ values }) => values);
  for (let done = 0; done < horizon; done += block) {
    const longest = windows.reduce((most, { length }) => Math.max(most, length), 1);
    const hasAll = hasBackcast && done === 0;
    // Leading patches that are padding in all rows change nothing but their own forecast.
    const count = hasAll ? context / p : Math.ceil(Math.min(longest, context) / p);
    const heads = await runWindow(run, windows, frequencies, { count, hasAll }, c);
    const steps = Math.min(block, horizon - done);
    heads.forEach((tokens, row) => {
      const own = tokens.map((head) => head.subarray(0, p * c.channels)).slice(0, -1);
      for (const [i, part] of own.entries()) outputs[row]!.set(part, i * p * c.channels);
      const last = tokens.at(-1)!.subarray(0, steps * c.channels);
      outputs[row]!.set(last, (before + done) * c.channels);
    });
    windows = windows.map((row, i) => extended(row, heads[i]!.at(-1)!, c.channels));
  }
  return outputs;
};

/** Forecasts every row: [context - patch (where asked for) + horizon, channels], flat. */
export const slide = async (
  run: RunGraph,
  rows: readonly SlideRow[],
  o: SlideOptions,
  c: Config,
): Promise<Float32Array[]> => {
  const outputs: Float32Array[] = [];
  for (let from = 0; from < rows.length; from += o.batch) {
    outputs.push(...(await slideBatch(run, rows.slice(from, from + o.batch), o, c)));
  }
  return outputs;
};
