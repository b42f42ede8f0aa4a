/** Values that stand out of what trend and season explain, and the place where a series breaks. */
import { type ChangePoint, findChangePoint } from './change-point.ts';
import { quantileOfSorted } from './observed.ts';
import { seasonalProfile } from './seasonality.ts';
import { robustTrend, withoutLine } from './trend.ts';

export interface Anomaly {
  readonly index: number;
  readonly type: 'spike' | 'dip' | 'shift' | 'trend_break';
  readonly severity: 'low' | 'medium' | 'high';
  readonly value: number;
  readonly range_start: number;
  readonly range_end: number;
  readonly suggested_handling: string;
}

export interface FoundAnomalies {
  readonly anomalies: readonly Anomaly[];
  /** All values that stand out, not only the furthest of each run. */
  readonly indices: readonly number[];
  readonly changePoint: ChangePoint | undefined;
}

const HANDLING: Readonly<Record<Anomaly['type'], string>> = {
  spike: 'check the source; if it is an error, mark it as missing before forecasting',
  dip: 'check the source; if it is an error or an outage, mark it as missing before forecasting',
  shift: 'forecast from the values after the shift, or give its cause as a covariate',
  trend_break: 'forecast from the values after the break',
};

const centered = (values: Float64Array): Float64Array => withoutLine(values, robustTrend(values));

/** Values cut to the fences of the inter-quartile range. */
const winsorized = (values: Float64Array, reach: number): Float64Array => {
  const { low, high } = fencesOf(values, reach);
  return values.map((value) => Math.min(high, Math.max(low, value)));
};

const fencesOf = (values: Float64Array, reach: number) => {
  const sorted = values.slice().sort();
  const [first, third] = [quantileOfSorted(sorted, 0.25), quantileOfSorted(sorted, 0.75)];
  const spread = third - first;
  return { low: first - reach * spread, high: third + reach * spread, spread };
};

/** What trend, season and a break leave of the values. */
const remainder = (values: Float64Array, period: number | undefined) => {
  const detrended = centered(values);
  const profile = period === undefined ? undefined : seasonalProfile(detrended, period);
  const deseasoned = profile
    ? values.map((value, i) => value - profile[i % profile.length]!)
    : values;
  const changePoint = findChangePoint(winsorized(centered(deseasoned), 3));
  if (!changePoint) return { rest: centered(deseasoned), changePoint };
  const { index } = changePoint;
  const rest = new Float64Array(values.length);
  rest.set(centered(deseasoned.slice(0, index)));
  rest.set(centered(deseasoned.slice(index)), index);
  return { rest, changePoint };
};

const severityOf = (distance: number): Anomaly['severity'] => {
  if (distance < 1) return 'low';
  return distance < 3 ? 'medium' : 'high';
};

/** Runs of neighbouring places. */
const runsOf = (places: readonly number[]): number[][] => {
  const runs: number[][] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run && run.at(-1) === place - 1) run.push(place);
    else runs.push([place]);
  }
  return runs;
};

/**
 * Finds anomalies of gap-free values.
 *
 * @param period steps of the season, undefined without one
 * @param reach inter-quartile ranges beyond the quartiles from which a value stands out
 */
export const findAnomalies = (
  values: Float64Array,
  period: number | undefined,
  reach: number,
): FoundAnomalies => {
  if (values.length < 4) return { anomalies: [], indices: [], changePoint: undefined };
  const { rest, changePoint } = remainder(values, period);
  const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const { low, high, spread } = fencesOf(rest, reach);
  // Where most values are exactly on the line, roundings are no anomalies.
  const slack = 1e-9 * size;
  const unit = Math.max(spread, slack, Number.MIN_VALUE);
  const distance = (i: number): number => Math.max(low - rest[i]!, rest[i]! - high, 0);
  const indices = Array.from(rest.keys()).filter((i) => distance(i) > slack);
  const points = runsOf(indices).map((run): Anomaly => {
    const index = run.reduce((a, b) => (distance(b) > distance(a) ? b : a));
    const type = rest[index]! > high ? 'spike' : 'dip';
    return {
      index,
      type,
      severity: severityOf(distance(index) / unit),
      value: values[index]!,
      range_start: run[0]!,
      range_end: run.at(-1)!,
      suggested_handling: HANDLING[type],
    };
  });
  const isTaken = points.some(({ index }) => index === changePoint?.index);
  const breaks = changePoint && !isTaken ? [breakOf(changePoint, values)] : [];
  return {
    anomalies: [...points, ...breaks].toSorted((a, b) => a.index - b.index),
    indices,
    changePoint,
  };
};

const breakOf = ({ index, kind, size }: ChangePoint, values: Float64Array): Anomaly => ({
  index,
  type: kind,
  severity: size < 6 ? 'low' : size < 12 ? 'medium' : 'high',
  value: values[index]!,
  range_start: index,
  range_end: values.length - 1,
  suggested_handling: HANDLING[kind],
});
