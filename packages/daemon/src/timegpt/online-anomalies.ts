/** `/v2/online_anomaly_detection`: which of the latest points are further off than earlier errors explain. */

import type { ModelCalls } from '../columnar/model-calls.ts';
import { DEFAULT_ANOMALY_LEVEL } from './anomalies.ts';
import { tokens, windowsOptions } from './forecast.ts';
import { type Panel, refuseBody } from './panel.ts';
import type { OnlineAnomalyBody } from './requests.ts';
import { oneSided, robustSpread, type Spread, twoSided } from './residuals.ts';
import type { Window } from './span.ts';
import { forecastWindows } from './windows.ts';

/** Forecasts that a threshold stands on, in detection windows; with fewer all errors are used. */
const THRESHOLD_WINDOWS = 6;
/** Errors that a threshold asks for however short the detection window is. */
const LEAST_ERRORS = 60;

interface Expected {
  /** Forecast points of the series: its last ones. */
  readonly mean: Float64Array;
  /** Observed less expected, NaN where nothing was observed. */
  readonly errors: Float64Array;
}

interface Reach {
  readonly h: number;
  readonly step: number;
  /** Points at the end that should be forecast, and those that must be. */
  readonly wanted: number;
  readonly needed: number;
}

const firstObserved = ({ values, offsets, sizes }: Panel, series: number): number =>
  values
    .subarray(offsets[series], offsets[series]! + sizes[series]!)
    .findIndex((value) => !Number.isNaN(value));

/** Origins from the end backwards, `step` apart, until the points are covered or the history ends. */
const windowsBack = (panel: Panel, { h, step, wanted, needed }: Reach): Window[] =>
  panel.sizes.flatMap((size, series) => {
    const origins: number[] = [];
    const first = firstObserved(panel, series) + 1;
    const last = Math.max(1, size - h);
    for (let origin = last; origin >= Math.max(1, first); origin -= step) {
      origins.push(origin);
      if (size - origin >= wanted) break;
    }
    if (size - (origins.at(-1) ?? size) < needed) origins.push(size - needed);
    return origins.map((origin, round) => ({ series, origin, round })).reverse();
  });

/** Each point from the latest origin before it. */
const expectedOf = async (
  body: OnlineAnomalyBody,
  panel: Panel,
  calls: ModelCalls,
): Promise<Expected[]> => {
  const { h, detection_size: size } = body;
  // Origins further apart than the horizon would leave points without a forecast.
  const step = Math.min(body.step_size ?? h, h);
  const wanted = size + Math.max(THRESHOLD_WINDOWS * size, LEAST_ERRORS);
  const windows = windowsBack(panel, { h, step, wanted, needed: size });
  const rows = await forecastWindows(panel, windows, calls, windowsOptions(body, h, []));
  const expected = panel.sizes.map((points) => new Float64Array(points).fill(Number.NaN));
  windows.forEach(({ series, origin }, w) => {
    const own = expected[series]!;
    own.set(rows[w]!.mean.slice(0, own.length - origin), origin);
  });
  return expected.map((all, series) => {
    const mean = all.subarray(all.findIndex((value) => !Number.isNaN(value)));
    const end = panel.offsets[series]! + panel.sizes[series]!;
    const from = end - mean.length;
    return { mean, errors: mean.map((value, i) => panel.values[from + i]! - value) };
  });
};

/** Errors before the detection window where there are enough forecasts, else all; observed ones only. */
const earlierErrors = (errors: Float64Array, size: number): Float64Array => {
  const isEnough = errors.length >= THRESHOLD_WINDOWS * size;
  const before = isEnough ? errors.subarray(0, errors.length - size) : errors;
  return before.filter((error) => !Number.isNaN(error));
};

const spreadOf = ({ errors, mean }: Expected, size: number): Spread =>
  robustSpread(earlierErrors(errors, size), mean.at(-1) ?? 0);

/** Sums of squared scores over all series at each step back from the end, as a cube root that is nearly normal. */
const accumulate = (scores: readonly Float64Array[], length: number): Float64Array =>
  Float64Array.from({ length }, (_, back) => {
    const own = scores.map((series) => series[series.length - length + back] ?? 0);
    return own.reduce((sum, score) => sum + (Number.isNaN(score) ? 0 : score * score), 0);
  });

/** A chi-squared sum over its degrees of freedom, to the third root, is nearly normal (Wilson and Hilferty 1931). */
const thirdRoot = (sum: number, series: number): number => Math.cbrt(sum / series);

const together = (scores: readonly Float64Array[], size: number, level: number) => {
  const length = Math.min(...scores.map((series) => series.length));
  const sums = accumulate(scores, length);
  const roots = sums.map((sum) => thirdRoot(sum, scores.length));
  const { center, deviation } = robustSpread(earlierErrors(roots, size), 1);
  const threshold = center + oneSided(level) * deviation;
  return {
    sums: sums.subarray(length - size),
    isAnomaly: Array.from(roots.subarray(length - size), (root) => root > threshold),
  };
};

const checkSizes = (
  { sizes }: Panel,
  { detection_size, threshold_method }: OnlineAnomalyBody,
): void => {
  const short = sizes.findIndex((size) => size <= detection_size);
  if (short >= 0) {
    refuseBody(
      ['detection_size'],
      `series ${short} has ${sizes[short]} points; detection_size=${detection_size} needs more of them`,
    );
  }
  if (threshold_method === 'multivariate' && new Set(sizes).size > 1) {
    refuseBody(['threshold_method'], 'multivariate needs series of the same length');
  }
};

export const detectOnline = async (body: OnlineAnomalyBody, panel: Panel, calls: ModelCalls) => {
  checkSizes(panel, body);
  const size = body.detection_size;
  const level = body.level ?? DEFAULT_ANOMALY_LEVEL;
  const expected = await expectedOf(body, panel, calls);
  const spreads = expected.map((one) => spreadOf(one, size));
  const scores = expected.map(({ errors }, s) => {
    const { center, deviation } = spreads[s]!;
    return errors.map((error) => (error - center) / deviation);
  });
  const places = panel.sizes.flatMap((points, s) =>
    Array.from({ length: size }, (_, k) => panel.offsets[s]! + points - size + k),
  );
  const latest = (columns: readonly Float64Array[]): number[] =>
    columns.flatMap((column) => Array.from(column.subarray(column.length - size)));
  const reach = twoSided(level);
  const bound = (side: -1 | 1): number[] =>
    expected.flatMap(({ mean }, s) =>
      Array.from(
        mean.subarray(mean.length - size),
        (value) => value + spreads[s]!.center + side * reach * spreads[s]!.deviation,
      ),
    );
  const isJoint = body.threshold_method === 'multivariate';
  const joint = isJoint ? together(scores, size, level) : null;
  const [low, high] = [bound(-1), bound(1)];
  const isOff = (place: number, i: number): boolean => {
    const value = panel.values[place]!;
    if (Number.isNaN(value)) return false;
    return joint ? joint.isAnomaly[i % size]! : value < low[i]! || value > high[i]!;
  };
  return {
    mean: latest(expected.map(({ mean }) => mean)),
    sizes: panel.sizes.map(() => size),
    idxs: places,
    anomaly: places.map(isOff),
    anomaly_score: latest(scores).map((score) => (Number.isNaN(score) ? 0 : score)),
    accumulated_anomaly_score: joint && panel.sizes.flatMap(() => Array.from(joint.sums)),
    intervals: joint ? null : { [`lo-${level}`]: low, [`hi-${level}`]: high },
    ...tokens(panel.values.length, places.length),
  };
};
