/**
 * Season lengths by autocorrelation: a season's lag agrees well with itself and much better than half of it,
 * which tells a cycle from a slow drift.
 */
import { type Line, linearTrend, withoutLine } from './trend.ts';

export interface FoundSeason {
  readonly period: number;
  /** Autocorrelation at the period, up to 1. */
  readonly strength: number;
}

const LEAST_STRENGTH = 0.3;
const LEAST_CONTRAST = 0.2;
/** A multiple of a season counts only where it agrees this much better. */
const LEAST_GAIN = 0.1;

/** Autocorrelation at a lag of values whose mean is 0, each sum divided by its number of pairs. */
const correlationAt = (values: Float64Array, lag: number, variance: number): number => {
  const n = values.length;
  if (lag >= n || variance <= 0) return 0;
  let sum = 0;
  for (let i = lag; i < n; i++) sum += values[i]! * values[i - lag]!;
  return sum / (n - lag) / variance;
};

const varianceOf = (values: Float64Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum / Math.max(1, values.length);
};

const seasonAt = (
  values: Float64Array,
  period: number,
  variance: number,
): FoundSeason | undefined => {
  if (period < 2 || values.length < 2 * period) return undefined;
  const strength = correlationAt(values, period, variance);
  if (strength < LEAST_STRENGTH) return undefined;
  const half = correlationAt(values, Math.floor(period / 2), variance);
  return strength - half >= LEAST_CONTRAST
    ? { period, strength: Math.min(1, strength) }
    : undefined;
};

/** Detrended; nothing but roundings counts as no variation. */
const prepare = (values: Float64Array, line: Line = linearTrend(values)) => {
  const rest = withoutLine(values, line);
  let size = 0;
  for (const value of values) size = Math.max(size, Math.abs(value));
  const variance = varianceOf(rest);
  return { rest, variance: variance > (1e-9 * size) ** 2 ? variance : 0 };
};

/** The strongest of the given season lengths that the values show. `line`: their trend, where it is known. */
export const strongestSeason = (
  values: Float64Array,
  candidates: readonly number[],
  line?: Line,
): FoundSeason | undefined => {
  if (candidates.length === 0) return undefined;
  const { rest, variance } = prepare(values, line);
  return candidates
    .map((period) => seasonAt(rest, period, variance))
    .filter((season) => season !== undefined)
    .reduce<FoundSeason | undefined>(
      (best, season) => (best && best.strength >= season.strength ? best : season),
      undefined,
    );
};

export interface SeasonSearch {
  /** Lengths that the frequency suggests; they need no peak. */
  readonly candidates: readonly number[];
  readonly maxLag: number;
  /** At most this many are given. */
  readonly top: number;
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= Math.max(1, 0.05 * b);

/**
 * Season lengths that gap-free values show, the strongest first; the calendar's lengths go before neighbours
 * that agree about as well.
 */
export const findSeasons = (values: Float64Array, search: SeasonSearch): readonly FoundSeason[] => {
  const { candidates, maxLag, top } = search;
  const { rest, variance } = prepare(values);
  const longest = Math.min(maxLag, Math.floor(values.length / 2));
  const curve = Array.from({ length: longest + 2 }, (_, lag) =>
    lag === 0 ? 1 : correlationAt(rest, lag, variance),
  );
  const isPeak = (lag: number): boolean =>
    curve[lag]! > curve[lag - 1]! && curve[lag]! >= (curve[lag + 1] ?? -1);
  const lags = Array.from({ length: Math.max(0, longest - 1) }, (_, i) => i + 2);
  const peaks = lags
    .filter((lag) => isPeak(lag) || candidates.includes(lag))
    .map((lag) => seasonAt(rest, lag, variance))
    .filter((season) => season !== undefined);
  const rank = ({ period, strength }: FoundSeason): number =>
    strength + (candidates.includes(period) ? LEAST_GAIN : 0);
  const found: FoundSeason[] = [];
  for (const season of peaks.toSorted((a, b) => rank(b) - rank(a) || a.period - b.period)) {
    const isKnown = found.some(({ period, strength }) => {
      const times = Math.round(season.period / period);
      const divides = Math.round(period / season.period);
      if (isNear(season.period, period)) return true;
      if (times > 1 && isNear(season.period, times * period)) {
        return season.strength < strength + LEAST_GAIN;
      }
      return (
        divides > 1 && isNear(period, divides * season.period) && season.strength < 0.5 * strength
      );
    });
    if (!isKnown) found.push(season);
  }
  return shortestFirst(found).slice(0, top);
};

/** Of two lengths that agree about as well, of which one is a multiple, the shorter one is the season. */
const shortestFirst = (found: readonly FoundSeason[]): FoundSeason[] =>
  found.filter(
    (season) =>
      !found.some(
        (other) =>
          other.period < season.period &&
          isNear(season.period, Math.round(season.period / other.period) * other.period) &&
          season.strength < other.strength + LEAST_GAIN,
      ),
  );

/** Median of each phase of gap-free values around 0; [period] */
export const seasonalProfile = (rest: Float64Array, period: number): Float64Array => {
  const profile = new Float64Array(period);
  for (let phase = 0; phase < period; phase++) {
    const values: number[] = [];
    for (let i = phase; i < rest.length; i += period) values.push(rest[i]!);
    values.sort((a, b) => a - b);
    const half = values.length / 2;
    profile[phase] =
      values.length === 0
        ? 0
        : values.length % 2 === 1
          ? values[Math.floor(half)]!
          : (values[half - 1]! + values[half]!) / 2;
  }
  const center = profile.reduce((sum, value) => sum + value, 0) / period;
  return profile.map((value) => value - center);
};
