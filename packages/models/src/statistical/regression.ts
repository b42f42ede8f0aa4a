/**
 * Direct regression on the past as the season sees it. The forecast of a target is the mean of the latest cycles
 * at its phase, plus what ridge regression learned of the deviations from it: of the last points from the earlier
 * means of their phases (over windows of several lengths), of the last cycle, of a longer season's analogues, of the long
 * run. There is one regression for each of a few steps; between them it is interpolated. Errors count by their
 * absolute size (one reweighting), as the median asks. Quantiles are those of the regression's own errors, in units that a
 * second regression foresees from the phase's usual and the recent deviations: the spread knows night and day, calm and
 * storm.
 */
import { linearQuantile } from '../quantiles.ts';
import type { History, Prediction } from './history.ts';
import { Past, SIZES } from './past.ts';
import { momentsOf, ridge } from './ridge.ts';

/** Origins from which a regression learns, at most. */
export const MOST_SAMPLES = 400;
const MOST_SEASONS = 80;
const MOST_LONG_SEASONS = 8;
const MOST_POINTS = 6000;
/** Ratio of neighbouring steps that have a regression of their own. */
const STEP_RATIO = 3;
/** Pull of each coefficient towards its prior, as a share of what the data say ... */
const PULL = 0.02;
/** ... more of it with few samples, and with few horizons that do not overlap ... */
const SAMPLES_WORTH = 4;
const HORIZONS_WORTH = 1;
/** ... and most for the drift, which one long slope teaches wrongly. */
const DRIFT_PULL = 10;
/** The smallest foreseen size of an error, as a share of the usual one. */
const LEAST_SIZE = 0.1;
/** How much of a deviation over the last season stays, before the data speak. */
const STAYING = 0.7;

/** The regression for one step. */
interface Step {
  readonly coefficients: Float64Array;
  readonly sizes: Float64Array;
  readonly least: number;
  /** Errors in units of their foreseen sizes, ascending. */
  readonly errors: Float64Array;
}

export interface Regression {
  readonly past: Past;
  /** Ascending, from 1 to the horizon. */
  readonly steps: readonly number[];
  readonly fits: readonly Step[];
}

/** The recent stretch of the history that the regression reads. */
export const recentPast = ({ values, seasons }: History, horizon: number): Past => {
  const n = values.length;
  const period = seasons.find((length) => 3 * length <= n) ?? 1;
  const isRoomFor = (length: number): boolean => length + 2 * period + horizon + 20 < n;
  const long = seasons.find((length) => length > period && isRoomFor(length)) ?? 0;
  const wanted = Math.max(MOST_POINTS, MOST_SEASONS * period, MOST_LONG_SEASONS * long) + horizon;
  return new Past(values.subarray(Math.max(0, n - wanted)), period, long);
};

/** Steps with a regression of their own: geometric, and both sides of the first season's end. */
export const stepsFor = (horizon: number, period: number): number[] => {
  const steps = new Set<number>([horizon]);
  for (let h = 1; h < horizon; h *= STEP_RATIO) steps.add(h);
  if (period > 2 && horizon > period) steps.add(period).add(period + 1);
  return [...steps].sort((a, b) => a - b);
};

/** Learns from targets among the first `until` points. */
export const fitRegression = (
  past: Past,
  horizon: number,
  until: number,
  samples: number,
): Regression => {
  const steps = stepsFor(horizon, past.period);
  const reach = Math.max(1, until - past.start);
  const room = roomFor(past, until);
  const fits = steps.map((h) => fitStep(past, { h: Math.min(h, reach), until, samples }, room));
  return { past, steps, fits };
};

interface Sample {
  readonly h: number;
  /** Forecast origins. */
  readonly ends: Int32Array;
  /** [width * ends], feature by feature. */
  readonly features: Float64Array;
  /** Target less base, [ends]. */
  readonly targets: Float64Array;
}

/** Memory that the regressions of a history use one after the other. */
interface Room {
  features: Float64Array;
  weights: Float64Array;
  targets: Float64Array;
}

const roomFor = (past: Past, until: number): Room => {
  const most = Math.max(1, Math.min(until - past.start, 2 * MOST_SAMPLES + 2));
  return {
    features: new Float64Array(most * past.width),
    weights: new Float64Array(most),
    targets: new Float64Array(most),
  };
};

/** The first `length` numbers of a room; a larger one where it is too small. */
const view = (numbers: Float64Array, length: number): Float64Array =>
  length <= numbers.length ? numbers.subarray(0, length) : new Float64Array(length);

interface StepTask {
  readonly h: number;
  /** Points to learn from. */
  readonly until: number;
  readonly samples: number;
}

const fitStep = (past: Past, task: StepTask, room: Room): Step => {
  const sample = sampleOf(past, task, room);
  const coefficients = fitCoefficients(past, sample, room);
  const errors = errorsOf(sample, coefficients);
  const { sizes, least, foreseen } = fitSizes(past, sample, errors, room);
  // What was fitted to errs less there than later; and of errors at ends that share most of their horizon,
  // nearly the same ones, few were seen.
  const fitted = Math.min(1, past.width / (2 * Math.max(1, errors.length)));
  const widening = (1 + fitted) * (1 + Math.min(1, 1 / horizonsIn(sample)));
  for (let k = 0; k < errors.length; k++) errors[k]! *= widening / foreseen[k]!;
  return { coefficients, sizes, least, errors: errors.sort() };
};

/** Origins evenly back from the last one possible, at all phases of the season. */
const sampleOf = (past: Past, { h, until, samples }: StepTask, room: Room): Sample => {
  const last = until - h;
  const span = Math.max(0, last - past.start);
  let stride = Math.max(1, Math.floor(span / samples));
  while (stride > 1 && greatestDivisor(stride, past.period) > 1) stride++;
  const count = last >= past.start ? Math.floor(span / stride) + 1 : 0;
  const ends = new Int32Array(count);
  const features = view(room.features, count * past.width);
  const targets = view(room.targets, count);
  for (let k = 0; k < count; k++) {
    const end = last - k * stride;
    const base = past.base(end, h);
    ends[k] = end;
    past.features(end, h, base, features, k, count);
    targets[k] = past.y[end + h - 1]! - base;
  }
  return { h, ends, features, targets };
};

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Horizons that fit side by side into the sample. */
const horizonsIn = ({ h, ends }: Sample): number => {
  const span = ends.length > 0 ? ends[0]! - ends[ends.length - 1]! + 1 : 0;
  return Math.max(1, span / h);
};

const fitCoefficients = (past: Past, sample: Sample, room: Room): Float64Array => {
  const { features, targets } = sample;
  const { width } = past;
  const count = targets.length;
  const prior = new Float64Array(width);
  if (past.seasonFeature >= 0) prior[past.seasonFeature] = STAYING;
  const extra = SAMPLES_WORTH / Math.max(1, count) + HORIZONS_WORTH / horizonsIn(sample);
  const pulls = new Float64Array(width).fill(PULL + extra);
  pulls[past.driftFeature] = DRIFT_PULL + extra;
  const weights = view(room.weights, count).fill(1);
  // Half of the rows tell well enough which errors are large.
  const rough = momentsOf(features, targets, weights, count > 200 ? 4 : count > 100 ? 2 : 1);
  const errors = errorsOf(sample, ridge(rough, prior, pulls));
  const usual = meanSize(errors);
  if (usual === 0) return ridge(rough, prior, pulls);
  for (let k = 0; k < count; k++) weights[k] = usual / (Math.abs(errors[k]!) + 0.3 * usual);
  return ridge(momentsOf(features, targets, weights), prior, pulls);
};

const meanSize = (errors: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < errors.length; k++) sum += Math.abs(errors[k]!);
  return sum / Math.max(1, errors.length);
};

const errorsOf = ({ features, targets }: Sample, coefficients: Float64Array): Float64Array => {
  const errors = targets.slice();
  const count = errors.length;
  for (let i = 0; i < coefficients.length; i++) {
    const coefficient = coefficients[i]!;
    for (let k = 0; k < count; k++) errors[k]! -= coefficient * features[i * count + k]!;
  }
  return errors;
};

const fitSizes = (past: Past, { h, ends }: Sample, errors: Float64Array, room: Room) => {
  const count = errors.length;
  // The sample's own features are no longer needed.
  const features = view(room.features, SIZES * count);
  for (let k = 0; k < count; k++) past.sizes(ends[k]!, h, features, k, count);
  const usual = meanSize(errors);
  const least = LEAST_SIZE * usual + 1e-12;
  const weights = view(room.weights, count);
  const wanted = view(room.targets, count);
  for (let k = 0; k < count; k++) {
    // Sizes are to be right in proportion, in calm phases as in noisy ones.
    const size = 0.1 * usual + 1e-12 + features[count + k]!;
    weights[k] = 1 / (size * size);
    wanted[k] = Math.abs(errors[k]!);
  }
  const sizes = ridge(momentsOf(features, wanted, weights), [0, 0, 0], [PULL, PULL, PULL]);
  const [always, phase, recent] = [sizes[0]!, sizes[1]!, sizes[2]!];
  const foreseen = wanted;
  for (let k = 0; k < count; k++) {
    const size = always + phase * features[count + k]! + recent * features[2 * count + k]!;
    foreseen[k] = Math.max(size, least);
  }
  return { sizes, least, foreseen };
};

const sizeAt = (sizes: Float64Array, row: Float64Array, least: number): number =>
  Math.max(least, sizes[0]! * row[0]! + sizes[1]! * row[1]! + sizes[2]! * row[2]!);

/** Where a step lies between two regressions: past the lower one, by a share of the way to the next. */
interface Between {
  readonly lower: number;
  readonly next: number;
  readonly share: number;
}

/** Places of the steps 1 to horizon among steps that have a regression of their own, linear in the logarithm. */
const placesBetween = (steps: readonly number[], horizon: number): Between[] => {
  let lower = 0;
  return Array.from({ length: horizon }, (_, i) => {
    const h = i + 1;
    while (lower < steps.length - 2 && steps[lower + 1]! <= h) lower++;
    const next = Math.min(lower + 1, steps.length - 1);
    const from = steps[lower]!;
    const share = next === lower ? 0 : Math.log(h / from) / Math.log(steps[next]! / from);
    return { lower, next, share };
  });
};

/** Forecasts the `horizon` points after the first `end` of the past. */
export const regressAt = (
  { past, steps, fits }: Regression,
  end: number,
  horizon: number,
): Prediction => {
  const places = placesBetween(steps, horizon);
  const mean = new Float64Array(horizon);
  const sizes = new Float64Array(horizon);
  const features = new Float64Array(past.width);
  const row = new Float64Array(SIZES);
  places.forEach(({ lower, next, share }, i) => {
    const h = i + 1;
    const [a, b] = [fits[lower]!, fits[next]!];
    const base = past.base(end, h);
    past.features(end, h, base, features);
    past.sizes(end, h, row);
    let value = base;
    for (let k = 0; k < features.length; k++) {
      value += mixed(a.coefficients[k]!, b.coefficients[k]!, share) * features[k]!;
    }
    mean[i] = value;
    sizes[i] = mixed(sizeAt(a.sizes, row, a.least), sizeAt(b.sizes, row, b.least), share);
  });
  const quantile = (level: number): Float64Array => {
    const units = fits.map(({ errors }) => (errors.length > 0 ? linearQuantile(errors, level) : 0));
    return mean.map((center, i) => {
      const { lower, next, share } = places[i]!;
      return center + sizes[i]! * mixed(units[lower]!, units[next]!, share);
    });
  };
  const explanation = {
    season: past.period,
    long_season: past.long || null,
    windows: past.windows,
  };
  return { mean, quantile, explanation };
};

const mixed = (a: number, b: number, share: number): number => a * (1 - share) + b * share;
