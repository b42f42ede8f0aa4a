/**
 * From series to windows of equal length, as uni2ts and GluonTS cut them: `context` points of history and
 * `horizon` points of future for the target and every covariate.
 */
import type { ModelSeries } from '../../family.ts';

/** Values over time and 1 where they were observed. */
export interface Track {
  readonly values: Float32Array;
  readonly observed: Uint8Array;
}

/** A series ready to be cut: `length` points of history, `length` + horizon points of `known`. */
export interface History {
  readonly length: number;
  readonly targets: readonly Track[];
  /** Covariates known over the horizon. */
  readonly known: readonly Track[];
  /** Covariates known over the history alone. */
  readonly past: readonly Track[];
}

/** All tracks have `context` + `horizon` points, those of `past` only `context`. */
export interface SeriesWindow {
  readonly context: number;
  readonly horizon: number;
  readonly targets: readonly Track[];
  readonly known: readonly Track[];
  readonly past: readonly Track[];
  /** 1 where the series had not begun: [context + horizon] */
  readonly isPad: Uint8Array;
}

/** Turns values with NaN where missing into numbers that stand in for them. */
export type Imputation = (values: Float32Array, observed: Uint8Array) => Float32Array;

/** Missing values become 0. */
export const imputeZero: Imputation = (values, observed) =>
  values.map((value, t) => (observed[t] ? value : 0));

/**
 * A missing value becomes the mean of all values before it, after these were filled forwards; missing
 * values at the start become the first observed one (GluonTS, CausalMeanValueImputation).
 */
export const imputeCausalMean: Imputation = (values, observed) => {
  const first = observed.indexOf(1);
  if (first < 0) return new Float32Array(values.length);
  const imputed = Float32Array.from(values);
  let filled = values[first]!;
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    if (observed[t]) filled = values[t]!;
    else imputed[t] = t === 0 ? filled : sum / t;
    sum += filled;
  }
  return imputed;
};

/** A track of raw values, NaN where missing. */
export const trackOf = (raw: ArrayLike<number>, impute: Imputation): Track => {
  const values = Float32Array.from(raw);
  const observed = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
  return { values: impute(values, observed), observed };
};

const join = (a: ArrayLike<number>, b: ArrayLike<number>): Float32Array => {
  const joined = new Float32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
};

/** Reads a series with its numeric covariates. */
export const historyOf = (series: ModelSeries, imputeTarget: Imputation): History => {
  const { targets, pastCovariates = {}, futureCovariates = {} } = series;
  const names = Object.keys(pastCovariates);
  const numbers = (name: string): ArrayLike<number> => pastCovariates[name] as ArrayLike<number>;
  const isKnown = (name: string): boolean => Object.hasOwn(futureCovariates, name);
  const known = names
    .filter(isKnown)
    .map((name) => join(numbers(name), futureCovariates[name] as ArrayLike<number>));
  return {
    length: targets[0]!.length,
    targets: targets.map((target) => trackOf(target, imputeTarget)),
    known: known.map((values) => trackOf(values, imputeZero)),
    past: names.filter((name) => !isKnown(name)).map((name) => trackOf(numbers(name), imputeZero)),
  };
};

/** Places of the histories that can be batched: those with as many variates and covariates. */
export const placesByLayout = (histories: readonly History[]): readonly (readonly number[])[] => {
  const places = new Map<string, number[]>();
  histories.forEach(({ targets, known, past }, i) => {
    const layout = [targets.length, known.length, past.length].join('/');
    const group = places.get(layout);
    if (group) group.push(i);
    else places.set(layout, [i]);
  });
  return [...places.values()];
};

/** What stands before the first point of a series that is shorter than its window. */
export type Padding = 'unobserved zeros' | 'first value';

/** The last `length` points of a track, or the whole of it behind padding. */
const lastOf = ({ values, observed }: Track, length: number, padding: Padding): Track => {
  const missing = Math.max(0, length - values.length);
  const from = Math.max(0, values.length - length);
  const repeatsFirst = padding === 'first value' && values.length > 0;
  const cut = {
    values: new Float32Array(length).fill(repeatsFirst ? values[0]! : 0, 0, missing),
    observed: new Uint8Array(length).fill(repeatsFirst ? observed[0]! : 0, 0, missing),
  };
  cut.values.set(values.subarray(from), missing);
  cut.observed.set(observed.subarray(from), missing);
  return cut;
};

const firstOf = ({ values, observed }: Track, length: number): Track => ({
  values: values.subarray(0, length),
  observed: observed.subarray(0, length),
});

/** The future that is asked for: zeros that count as observed. */
const extend = ({ values, observed }: Track, horizon: number): Track => ({
  values: join(values, new Float32Array(horizon)),
  observed: Uint8Array.from({ length: values.length + horizon }, (_, t) => observed[t] ?? 1),
});

export interface WindowOptions {
  readonly context: number;
  readonly horizon: number;
  readonly padding?: Padding;
}

const windowOf = (
  length: number,
  tracks: Omit<History, 'length'>,
  o: WindowOptions,
): SeriesWindow => {
  const { context, horizon, padding = 'unobserved zeros' } = o;
  const size = context + horizon;
  const cut = (track: Track): Track => lastOf(track, size, padding);
  return {
    context,
    horizon,
    targets: tracks.targets.map(cut),
    known: tracks.known.map(cut),
    past: tracks.past.map((track) => firstOf(cut(track), context)),
    isPad: new Uint8Array(size).fill(1, 0, Math.max(0, size - length)),
  };
};

/** The last `context` points, and the horizon after them. */
export const forecastWindow = (history: History, options: WindowOptions): SeriesWindow => {
  const { horizon } = options;
  const tracks = {
    targets: history.targets.map((track) => extend(track, horizon)),
    known: history.known,
    past: history.past.map((track) => extend(track, horizon)),
  };
  return windowOf(history.length + horizon, tracks, options);
};

/** The last `horizon` points of the history as if they were the future, and the context before them. */
export const validationWindow = (history: History, options: WindowOptions): SeriesWindow => {
  const known = history.known.map((track) => firstOf(track, history.length));
  return windowOf(history.length, { ...history, known }, options);
};
