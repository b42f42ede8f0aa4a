/**
 * One series made ready for the network: seasons are searched, anchors rehearsed, and each step of the horizon gets
 * a row of numbers in units of the error that the mixture of anchors had that far ahead.
 */
import { linearQuantile } from '../../quantiles.ts';
import { toHistory } from '../../statistical/history.ts';
import { cycleAgreement, findSeasons } from '../../statistical/seasonality.ts';
import { ANCHORS, Anchors, type Seasons } from './anchors.ts';
import {
  CONTEXT_FEATURES,
  contextFeatures,
  type Described,
  LONGEST_TRAINED,
} from './context-features.ts';
import { BUCKETS, planOf, type Rehearsal, rehearsalOf, weightsOf } from './rehearsal.ts';

export { CONTEXT_FEATURES };

/** Latest points that are read; more where a calendar suggests seasons that are longer than a quarter of them. */
export const LONGEST_CONTEXT = 4096;
const LONGEST_OF_ALL = 16_384;
const LONG_CYCLES = 4;
const LONGEST_SEARCH = 2048;
const WIDTH = ANCHORS.length;
const OTHERS = 29;
/** Numbers that describe one step of the horizon. */
export const STEP_FEATURES = 2 * WIDTH + OTHERS;
/** Deviations of anchors beyond this many units count as this. */
const FARTHEST = 25;
/** Errors below this part of a usual step do not count. */
const LEAST_ERROR = 0.02;

export interface StepRows {
  /** [steps][STEP_FEATURES] */
  readonly features: Float32Array;
  /** [steps][anchors]: anchor less center, in units of the scale. */
  readonly deviations: Float32Array;
  /** [steps]: the mixture of the anchors, in the units of the history. */
  readonly centers: Float64Array;
  /** [steps]: the error that the mixture had that far ahead. */
  readonly scales: Float64Array;
}

export interface PreparedSeries {
  /** [CONTEXT_FEATURES] */
  readonly context: Float32Array;
  readonly seasons: Seasons;
  /** Raw value = value * scale + shift. */
  readonly scale: number;
  readonly shift: number;
  readonly isNonNegative: boolean;
  /** Usual error of the last season's value, in the units of the history. */
  readonly unit: number;
  /** The rows of ascending steps, from 1. */
  readonly rows: (steps: ArrayLike<number>) => StepRows;
}

/** The season and a longer one beside it; `candidates` are lengths that a calendar suggests. */
export const seasonsOf = (y: Float64Array, candidates: readonly number[]): Seasons => {
  const near = candidates.filter((length) => 2 * length <= Math.min(y.length, LONGEST_SEARCH));
  const recent = y.subarray(Math.max(0, y.length - LONGEST_SEARCH));
  const found = findSeasons(recent, near).map(({ length }) => length);
  const period = found.find((length) => 3 * length <= y.length) ?? found[0] ?? 1;
  let long = found.find((length) => length > 1.5 * period && 2 * length <= y.length) ?? 0;
  for (const length of candidates) {
    if (long > 0 || length <= 1.5 * period || near.includes(length) || 2 * length > y.length)
      continue;
    const { strength, deviations } = cycleAgreement(y, length);
    if (strength > 0.1 && deviations > 3) long = length;
  }
  return { period, long };
};

const usualError = (y: Float64Array, period: number): number => {
  const lag = 2 * period <= y.length ? period : 1;
  let sum = 0;
  const from = Math.max(lag, y.length - 1500);
  for (let t = from; t < y.length; t++) sum += Math.abs(y[t]! - y[t - lag]!);
  return sum / Math.max(1, y.length - from) + 1e-3;
};

const isWholeNumbers = (raw: Float64Array): boolean =>
  raw.every((value) => Number.isInteger(value));

/** Errors of anchors and mixture at any step, between the middles of buckets by the logarithm of the step. */
const errorsAt = ({ errors, mixture }: Rehearsal, h: number, out: Float64Array): number => {
  const place = Math.max(0, Math.min(BUCKETS - 1, Math.log2(h / 1.4)));
  const below = Math.floor(place);
  const above = Math.min(BUCKETS - 1, below + 1);
  const share = place - below;
  for (let a = 0; a < WIDTH; a++) {
    out[a] = errors[below * WIDTH + a]! * (1 - share) + errors[above * WIDTH + a]! * share;
  }
  return mixture[below]! * (1 - share) + mixture[above]! * share;
};

const bounded = (value: number): number =>
  Number.isFinite(value) ? Math.max(-FARTHEST, Math.min(FARTHEST, value)) : 0;

interface Whole {
  readonly described: Described;
  /** Minimum, deciles 1, 5, 9 and maximum of the history. */
  readonly range: readonly number[];
  /** Mean absolute deviation at each point from the earlier mean of its phase. */
  readonly sizes: Float64Array;
}

/** The numbers of a step beside its anchors. */
const others = (whole: Whole, h: number, center: number, scale: number): number[] => {
  const { anchors, rehearsal, unit, zero, isNonNegative } = whole.described;
  const { phases, seasons } = anchors;
  const n = phases.y.length;
  const same = phases.latestSame(n, h);
  const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(h)));
  const shape = rehearsal.shape.subarray(4 * bucket, 4 * bucket + 4);
  const here = anchors.seasonal(n, h);
  const beside = (apart: number): number =>
    seasons.period > 3 ? (anchors.seasonal(n, Math.max(1, h + apart)) - here) / scale : 0;
  const earlier = (cycles: number): number => {
    const t = same - cycles * seasons.period;
    return t >= 0 && seasons.period > 1 ? (phases.y[t]! - center) / scale : 0;
  };
  const size = seasons.period > 1 ? sizeAtPhase(whole, same) : unit;
  const logRatio = (a: number, b: number): number =>
    Math.max(-4, Math.min(4, Math.log((a + 1e-6) / (b + 1e-6))));
  return [
    ...[zero, ...whole.range].map((value) => Math.asinh(bounded((value - center) / scale))),
    isNonNegative ? Math.asinh(bounded((center - zero) / scale)) : 3,
    Math.log(h) / 3 - 1,
    logRatio(h, seasons.period) / 2,
    h <= seasons.period ? 1 : 0,
    seasons.long > 0 ? logRatio(h, seasons.long) / 2 : 0,
    logRatio(h, Math.min(n, LONGEST_TRAINED)) / 2,
    Math.log1p(rehearsal.counts[bucket]!) / 2 - 1,
    logRatio(scale, unit),
    logRatio(scale, Math.exp(rehearsal.mixture[0]!)),
    ...shape.map((value) => Math.asinh(bounded(value))),
    logRatio(size, scale),
    ...[-2, -1, 1, 2].map((apart) => Math.asinh(bounded(beside(apart)))),
    ...[1, 2, 3].map((cycles) => Math.asinh(bounded(earlier(cycles)))),
    1 / h,
    bucket > 0
      ? logRatio(Math.exp(rehearsal.mixture[bucket]!), Math.exp(rehearsal.mixture[bucket - 1]!))
      : 0,
  ];
};

/** Mean size of the deviations over the last cycles at a phase. */
const sizeAtPhase = ({ described, sizes }: Whole, same: number): number => {
  const { period } = described.anchors.seasons;
  let sum = 0;
  let count = 0;
  for (let t = same; t >= period && count < 12; t -= period) {
    sum += sizes[t]!;
    count++;
  }
  return count > 0 ? sum / count : described.unit;
};

const rowsOf = (whole: Whole, steps: ArrayLike<number>): StepRows => {
  const { anchors, rehearsal, unit } = whole.described;
  const n = anchors.phases.y.length;
  const count = steps.length;
  const forecasts = new Float64Array(count * WIDTH);
  anchors.forecast(n, steps, forecasts);
  const features = new Float32Array(count * STEP_FEATURES);
  const deviations = new Float32Array(count * WIDTH);
  const centers = new Float64Array(count);
  const scales = new Float64Array(count);
  const errors = new Float64Array(WIDTH);
  const weights = new Float64Array(WIDTH);
  for (let k = 0; k < count; k++) {
    const h = steps[k]!;
    const logError = errorsAt(rehearsal, h, errors);
    weightsOf(errors, 0, weights);
    const scale = Math.max(Math.exp(logError), LEAST_ERROR * unit);
    let center = 0;
    for (let a = 0; a < WIDTH; a++) center += weights[a]! * forecasts[k * WIDTH + a]!;
    centers[k] = center;
    scales[k] = scale;
    const at = k * STEP_FEATURES;
    for (let a = 0; a < WIDTH; a++) {
      const deviation = bounded((forecasts[k * WIDTH + a]! - center) / scale);
      deviations[k * WIDTH + a] = deviation;
      features[at + a] = Math.asinh(deviation);
      features[at + WIDTH + a] = Math.max(-3, Math.min(4, errors[a]! - Math.log(scale)));
    }
    features.set(others(whole, h, center, scale), at + 2 * WIDTH);
  }
  return { features, deviations, centers, scales };
};

export interface PrepareOptions {
  readonly horizon: number;
  /** Season lengths that a calendar suggests. */
  readonly candidates: readonly number[];
  /** Seasons that are known, in place of a search. */
  readonly seasons?: Seasons | undefined;
}

/** Prepares finite raw values, oldest first, at least one. */
export const prepareSeries = (
  raw: Float64Array,
  { horizon, candidates, seasons: known }: PrepareOptions,
): PreparedSeries => {
  const wanted = LONG_CYCLES * Math.max(0, ...candidates) + horizon;
  const reach = Math.max(LONGEST_CONTEXT, wanted <= LONGEST_OF_ALL ? wanted : 0);
  const recent = raw.subarray(Math.max(0, raw.length - reach));
  const { values: y, scale, shift, zero, isNonNegative } = toHistory(recent, []);
  const seasons = known ?? seasonsOf(y, candidates);
  const unit = usualError(y, seasons.period);
  const plan = planOf(y.length, horizon);
  const isPositive = isNonNegative;
  const lifted = isPositive ? y.map((value) => value - zero) : y;
  const origin = isPositive ? zero : 0;
  const learnt = new Anchors(lifted, seasons, plan.until, horizon, isPositive);
  const rehearsal = rehearsalOf(learnt, plan, unit, 1e-4 + LEAST_ERROR * 0.1 * unit);
  const anchors =
    y.length <= 600 || plan.until < 0.85 * y.length
      ? new Anchors(lifted, seasons, y.length, horizon, isPositive)
      : learnt;
  const sorted = lifted.slice().sort();
  const described: Described = {
    anchors,
    rehearsal,
    unit,
    zero: zero - origin,
    isNonNegative,
    isWhole: isWholeNumbers(recent),
  };
  const whole: Whole = {
    described,
    range: [0, 0.1, 0.5, 0.9, 1].map((q) => linearQuantile(sorted, q)),
    sizes: anchors.deviations.map(Math.abs),
  };
  return {
    context: contextFeatures(described),
    seasons,
    scale,
    shift: shift + origin * scale,
    isNonNegative,
    unit,
    rows: (steps) => rowsOf(whole, steps),
  };
};
