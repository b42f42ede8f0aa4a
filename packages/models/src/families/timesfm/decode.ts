/**
 * TimesFM 2.5's decoding (timesfm_2p5_torch.py, `decode`): every patch is normalised by the moments of all
 * values up to it; blocks beyond the first read one channel, the median, of the block before, with the keys and values
 * of all tokens kept between the passes.
 */
import type { TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import type { Config } from './config.ts';
import { divisorOf, type Moments, runningMoments, type Window } from './windows.ts';

/** Outputs of a head at each step: the mean, and the deciles. */
export const CHANNELS = 10;
/** The channel that stands for the forecast: the median. */
export const MEDIAN = 5;

export interface DecodeOptions {
  /** Blocks of `output_patch_len` steps. */
  readonly blocks: number;
  /** Whether the forecasts of the context are asked for. */
  readonly hasBackcast: boolean;
  /** Whether the continuous quantile head is asked for. */
  readonly hasSpread: boolean;
  /** Most series of a run; by default as many as the memory should bear. */
  readonly batch?: number | undefined;
}

/** What decoding gives of one series; [steps, channels], flat. */
export interface Decoded {
  readonly forecast: Float32Array;
  /** What was forecast for all but the first patch of the window. */
  readonly backcast: Float32Array;
  readonly spread: Float32Array;
}

/** A batch under way. */
interface Batch {
  readonly moments: Moments[][];
  /** Keys and values of all layers for all tokens so far, by the name of their input. */
  readonly memory: Readonly<Record<string, TensorValue>>;
  /** Where the first token lies that is not padding. */
  readonly first: TensorValue;
}

type Values = Readonly<Record<string, TensorValue>>;

const floats = (dims: readonly number[], data: Float32Array): TensorValue => ({
  dtype: 'float32',
  dims,
  data,
});

const integers = (values: readonly number[]): TensorValue => ({
  dtype: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, (value) => BigInt(value)),
});

/** What goes into the tokenizer: normalised values, and 1 where they are padding. [batch, n, 2p] */
const tokensOf = (
  windows: readonly Window[],
  patches: number,
  p: number,
  before: readonly Moments[],
): { readonly tokens: TensorValue; readonly moments: Moments[][] } => {
  const data = new Float32Array(windows.length * patches * 2 * p);
  const moments = windows.map((window, row) => runningMoments(window, p, before[row]));
  windows.forEach(({ values, padding }, row) => {
    for (let patch = 0; patch < patches; patch++) {
      const start = patch * p;
      const { mu, sigma } = moments[row]![patch]!;
      const [at, divisor] = [(row * patches + patch) * 2 * p, divisorOf(sigma)];
      const padded = Math.min(Math.max(padding - start, 0), p);
      for (let i = padded; i < p; i++) data[at + i] = (values[start + i]! - mu) / divisor;
      data.fill(1, at + p, at + p + padded);
    }
  });
  return { tokens: floats([windows.length, patches, 2 * p], data), moments };
};

const inRawUnits = (head: Float32Array, { mu, sigma }: Moments): Float32Array =>
  head.map((value) => value * sigma + mu);

/** Row `row`, token `token` of a head [batch, tokens, width]. */
const headOf = ({ dims, data }: TensorValue, row: number, token: number): Float32Array => {
  const [, tokens, width] = dims as [number, number, number];
  const from = (row * tokens + token) * width;
  return (data as Float32Array).subarray(from, from + width);
};

const emptyMemory = (batch: number, c: Config): Values =>
  Object.fromEntries(
    memoryNames(c).map((name) => [pastOf(name), floats([batch, 0, c.width], new Float32Array(0))]),
  );

/** Names of the outputs that hold keys and values. */
export const memoryNames = ({ layers }: Config): string[] =>
  Array.from({ length: layers }, (_, i) => [`key.${i}`, `value.${i}`]).flat();

/** Name of the input for what an output gave in the pass before. */
export const pastOf = (name: string): string => `past.${name}`;

/** What the next block reads: one channel of the block before. */
const fedBack = (block: Float32Array, { decodeIndex }: Config): Float32Array =>
  Float32Array.from(
    { length: block.length / CHANNELS },
    (_, i) => block[i * CHANNELS + decodeIndex]!,
  );

/** What the first pass over windows of one length is fed; the heads of its last token are read. */
export const contextFeeds = (windows: readonly Window[], c: Config) => {
  const p = c.inputPatch;
  const patches = windows[0]!.values.length / p;
  const { tokens, moments } = tokensOf(windows, patches, p, []);
  const first = integers(windows.map(({ padding }) => Math.floor(padding / p)));
  const read = integers([patches - 1]);
  const feeds: Values = { tokens, first, read, ...emptyMemory(windows.length, c) };
  return { feeds, moments, first, patches };
};

/** The first pass over the context: the heads, and what later blocks need. */
const prefill = async (
  run: RunGraph,
  windows: readonly Window[],
  c: Config,
  { blocks, hasBackcast }: DecodeOptions,
) => {
  const { feeds, moments, first, patches } = contextFeeds(windows, c);
  const all = hasBackcast && { read: integers(Array.from({ length: patches }, (_, i) => i)) };
  const results = await run(
    'decode',
    { ...feeds, ...all },
    blocks > 1 ? ['point', 'state', ...memoryNames(c)] : ['point', 'state'],
  );
  const batch: Batch = { moments, memory: results, first };
  return { batch, results, patches };
};

/** The block after the one whose channels are given; continues the batch. */
const nextBlock = async (
  run: RunGraph,
  previous: readonly Float32Array[],
  { moments, memory, first }: Batch,
  c: Config,
) => {
  const [p, m] = [c.inputPatch, c.outputPatch / c.inputPatch];
  const windows = previous.map((block) => ({ values: fedBack(block, c), padding: 0 }));
  const next = tokensOf(
    windows,
    m,
    p,
    moments.map((patches) => patches.at(-1)!),
  );
  const past = Object.fromEntries(memoryNames(c).map((name) => [pastOf(name), memory[name]!]));
  const feeds = { tokens: next.tokens, first, read: integers([m - 1]), ...past };
  const results = await run('decode', feeds);
  const blocks = next.moments.map((patches, row) =>
    inRawUnits(headOf(results.point!, row, 0), patches.at(-1)!),
  );
  return { batch: { moments: next.moments, memory: results, first }, blocks };
};

/** The first steps of the heads of all tokens but the last: a patch each. */
const backcastOf = (point: TensorValue, moments: readonly Moments[], row: number, c: Config) => {
  const size = c.inputPatch * CHANNELS;
  const backcast = new Float32Array((moments.length - 1) * size);
  for (let token = 0; token < moments.length - 1; token++) {
    const head = headOf(point, row, token).subarray(0, size);
    backcast.set(inRawUnits(head, moments[token]!), token * size);
  }
  return backcast;
};

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Decodes windows of equal length together. */
const decodeBatch = async (
  run: RunGraph,
  windows: readonly Window[],
  c: Config,
  options: DecodeOptions,
): Promise<Decoded[]> => {
  const { blocks, hasBackcast, hasSpread } = options;
  const { batch: started, results, patches } = await prefill(run, windows, c, options);
  const { point, state } = results as { point: TensorValue; state: TensorValue };
  const last = started.moments.map((moments) => moments.at(-1)!);
  const token = hasBackcast ? patches - 1 : 0;
  let block = last.map((moments, row) => inRawUnits(headOf(point, row, token), moments));
  const forecasts = block.map((own) => [own]);
  let batch = started;
  for (let i = 1; i < blocks; i++) {
    const next = await nextBlock(run, block, batch, c);
    batch = next.batch;
    block = next.blocks;
    for (const [row, own] of block.entries()) forecasts[row]!.push(own);
  }
  const spread = hasSpread ? (await run('spread', { state })).spread! : undefined;
  return windows.map((_, row) => ({
    forecast: joined(forecasts[row]!),
    backcast: hasBackcast ? backcastOf(point, started.moments[row]!, row, c) : new Float32Array(0),
    spread: spread ? inRawUnits(headOf(spread, row, 0), last[row]!) : new Float32Array(0),
  }));
};

/** The last `steps` steps, behind zeros where there are fewer. */
const lastSteps = (rows: Float32Array, steps: number): Float32Array => {
  const last = new Float32Array(steps * CHANNELS);
  const kept = rows.subarray(Math.max(0, rows.length - last.length));
  last.set(kept, last.length - kept.length);
  return last;
};

/** Tokens of a run: beyond, more rows do not make it faster, but its memory grows. */
const TOKENS_PER_RUN = 2048;

/** The last patches of a window, or the whole of it behind more padding. */
const fitted = ({ values, padding }: Window, patches: number, p: number): Window => {
  const missing = patches * p - values.length;
  if (missing <= 0) return { values: values.subarray(-missing), padding: padding + missing };
  const wide = new Float32Array(patches * p);
  wide.set(values, missing);
  return { values: wide, padding: padding + missing };
};

/**
 * Decodes windows of whole patches. Windows of similar length share a run, without the patches that are
 * padding in all of them; their backcast is 0 there.
 */
export const decode = async (
  run: RunGraph,
  windows: readonly Window[],
  c: Config,
  options: DecodeOptions,
): Promise<Decoded[]> => {
  const p = c.inputPatch;
  const filled = ({ values, padding }: Window): number => Math.ceil((values.length - padding) / p);
  const order = windows
    .map((window, at) => ({ window, at, patches: Math.max(1, filled(window)) }))
    .sort((a, b) => b.patches - a.patches);
  const decoded: Decoded[] = [];
  for (let from = 0; from < order.length; ) {
    const { patches } = order[from]!;
    const batch = options.batch ?? Math.max(1, Math.floor(TOKENS_PER_RUN / patches));
    const group = order.slice(from, from + batch);
    const rows = group.map(({ window }) => fitted(window, patches, p));
    const results = await decodeBatch(run, rows, c, options);
    group.forEach(({ window, at }, row) => {
      const { backcast, ...rest } = results[row]!;
      const steps = options.hasBackcast ? window.values.length - p : 0;
      decoded[at] = { ...rest, backcast: lastSteps(backcast, steps) };
    });
    from += batch;
  }
  return decoded;
};
