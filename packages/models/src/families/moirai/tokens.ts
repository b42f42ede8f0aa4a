/**
 * From windows to the one token sequence of Moirai (uni2ts, moirai/forecast.py and moirai2/forecast.py,
 * `_convert`): every variate and covariate in patches, one after the other, each token with its ids.
 */
import type { TensorValue } from '@tollama/graph';
import type { SeriesWindow, Track } from './windows.ts';

/** A batch of sequences of `count` tokens; arrays are flat, [batch, count] or [batch, count, width]. */
export interface Tokens {
  readonly batch: number;
  readonly count: number;
  readonly width: number;
  readonly target: Float32Array;
  readonly observed: Float32Array;
  readonly sampleId: Int32Array;
  readonly timeId: Int32Array;
  readonly variateId: Int32Array;
  /** 1 on tokens that are to be forecast. */
  readonly isPredicted: Uint8Array;
}

export interface PatchOptions {
  /** Points in a patch. */
  readonly patch: number;
  /** Room for the points of a patch, zeros behind them; as many when absent. */
  readonly width?: number;
}

/** The tokens of one variate on one side of the present, in the order of the sequence. */
interface Segment {
  readonly track: Track;
  readonly variate: number;
  readonly isFuture: boolean;
  readonly isTarget: boolean;
}

const segmentsOf = ({ targets, known, past }: SeriesWindow): Segment[] => {
  const sides = (tracks: readonly Track[], first: number, isTarget: boolean): Segment[] =>
    [false, true].flatMap((isFuture) =>
      tracks.map((track, i) => ({ track, variate: first + i, isFuture, isTarget })),
    );
  const { length } = targets;
  const covariates = sides(known, length, false);
  const pastOnly = past.map((track, i) => ({
    track,
    variate: length + known.length + i,
    isFuture: false,
    isTarget: false,
  }));
  return [...sides(targets, 0, true), ...covariates, ...pastOnly];
};

/** Where the patches of a window lie: the past fills its patches from the right, the future from the left. */
export interface PatchGrid {
  readonly patch: number;
  readonly pastTokens: number;
  readonly futureTokens: number;
}

export const gridOf = (context: number, horizon: number, patch: number): PatchGrid => ({
  patch,
  pastTokens: Math.ceil(context / patch),
  futureTokens: Math.ceil(horizon / patch),
});

/** Points [from, to) of the window that a token holds, and how many zeros stand before them. */
const spanOf = (window: SeriesWindow, grid: PatchGrid, isFuture: boolean, token: number) => {
  const { patch, pastTokens } = grid;
  const origin = isFuture ? window.context : window.context - patch * pastTokens;
  const start = origin + token * patch;
  const from = isFuture ? start : Math.max(0, start);
  const end = isFuture ? window.context + window.horizon : window.context;
  return { from, to: Math.min(start + patch, end), lead: from - start };
};

/** Time in patches: counted from the first patch with an observed value of any target. [past + future] */
const timeIds = (window: SeriesWindow, grid: PatchGrid): Int32Array => {
  const { pastTokens, futureTokens } = grid;
  const ids = new Int32Array(pastTokens + futureTokens);
  let seen = 0;
  for (let token = 0; token < pastTokens; token++) {
    const { from, to } = spanOf(window, grid, false, token);
    const isObserved = window.targets.some(({ observed }) =>
      observed.subarray(from, to).includes(1),
    );
    if (seen > 0 || isObserved) seen++;
    ids[token] = Math.max(0, seen - 1);
  }
  const last = pastTokens > 0 ? ids[pastTokens - 1]! : 0;
  for (let token = 0; token < futureTokens; token++) ids[pastTokens + token] = last + 1 + token;
  return ids;
};

/**
 * 1 where any point of a token belongs to the series. The zeros that align the first patch count as
 * padding for the target but not for covariates, whose future is never padding.
 */
const sampleId = (
  window: SeriesWindow,
  grid: PatchGrid,
  segment: Segment,
  token: number,
): number => {
  if (segment.isFuture && !segment.isTarget) return 1;
  const { from, to, lead } = spanOf(window, grid, segment.isFuture, token);
  if (lead > 0 && !segment.isTarget) return 1;
  return window.isPad.subarray(from, to).includes(0) ? 1 : 0;
};

const emptyTokens = (batch: number, count: number, width: number): Tokens => ({
  batch,
  count,
  width,
  target: new Float32Array(batch * count * width),
  observed: new Float32Array(batch * count * width),
  sampleId: new Int32Array(batch * count),
  timeId: new Int32Array(batch * count),
  variateId: new Int32Array(batch * count),
  isPredicted: new Uint8Array(batch * count),
});

const packWindow = (tokens: Tokens, row: number, window: SeriesWindow, grid: PatchGrid): void => {
  const times = timeIds(window, grid);
  let at = row * tokens.count;
  for (const segment of segmentsOf(window)) {
    const { track, variate, isFuture, isTarget } = segment;
    const count = isFuture ? grid.futureTokens : grid.pastTokens;
    for (let token = 0; token < count; token++, at++) {
      const { from, to, lead } = spanOf(window, grid, isFuture, token);
      const place = at * tokens.width + lead;
      tokens.target.set(track.values.subarray(from, to), place);
      tokens.observed.set(track.observed.subarray(from, to), place);
      tokens.sampleId[at] = sampleId(window, grid, segment, token);
      tokens.timeId[at] = times[isFuture ? grid.pastTokens + token : token]!;
      tokens.variateId[at] = variate;
      tokens.isPredicted[at] = isFuture && isTarget ? 1 : 0;
    }
  }
};

/** Packs windows of one layout: as many targets, covariates, points of context and horizon each. */
export const packTokens = (windows: readonly SeriesWindow[], options: PatchOptions): Tokens => {
  const { patch, width = patch } = options;
  const first = windows[0]!;
  const grid = gridOf(first.context, first.horizon, patch);
  const count = segmentsOf(first).reduce(
    (sum, { isFuture }) => sum + (isFuture ? grid.futureTokens : grid.pastTokens),
    0,
  );
  const tokens = emptyTokens(windows.length, count, width);
  windows.forEach((window, row) => {
    packWindow(tokens, row, window, grid);
  });
  return tokens;
};

/** Some tokens of every sequence, and every sequence `copies` times in a row. */
export const selectTokens = (tokens: Tokens, places: readonly number[], copies = 1): Tokens => {
  const { count, width } = tokens;
  const selected = emptyTokens(tokens.batch * copies, places.length, width);
  for (let row = 0, at = 0; row < selected.batch; row++) {
    const start = Math.floor(row / copies) * count;
    for (const place of places) {
      const from = start + place;
      selected.target.set(tokens.target.subarray(from * width, (from + 1) * width), at * width);
      selected.observed.set(tokens.observed.subarray(from * width, (from + 1) * width), at * width);
      selected.sampleId[at] = tokens.sampleId[from]!;
      selected.timeId[at] = tokens.timeId[from]!;
      selected.variateId[at] = tokens.variateId[from]!;
      selected.isPredicted[at] = tokens.isPredicted[from]!;
      at++;
    }
  }
  return selected;
};

/** The tokens as inputs of the graphs. */
export const tokenFeeds = (tokens: Tokens): Readonly<Record<string, TensorValue>> => {
  const dims = [tokens.batch, tokens.count];
  const points = [...dims, tokens.width];
  return {
    target: { dtype: 'float32', dims: points, data: tokens.target },
    observed: { dtype: 'float32', dims: points, data: tokens.observed },
    sample_id: { dtype: 'int32', dims, data: tokens.sampleId },
    time_id: { dtype: 'int32', dims, data: tokens.timeId },
    variate_id: { dtype: 'int32', dims, data: tokens.variateId },
    prediction_mask: { dtype: 'bool', dims, data: tokens.isPredicted },
  };
};
