/** What a forecast of one series says, in numbers: its direction, its spread, and how both compare to the history. */
import type { Forecast } from '@tollama/core/forecast-response';
import { parseFrequency, seasonLengths } from '@tollama/core/frequency';
import type { Series } from '@tollama/core/series';
import {
  deviation,
  mean,
  observedTarget,
  quantileOfSorted,
  withoutGaps,
} from '../analysis/observed.ts';
import { type FoundSeason, strongestSeason } from '../analysis/seasonality.ts';
import { type Direction, directionOf, linearTrend } from '../analysis/trend.ts';

export interface Outlook {
  readonly points: number;
  readonly missing: number;
  readonly historyMean: number;
  readonly historyDeviation: number;
  readonly historyLowest: number;
  readonly historyHighest: number;
  readonly historySlope: number;
  readonly forecastMean: number;
  readonly forecastDeviation: number;
  readonly forecastLowest: number;
  readonly forecastHighest: number;
  readonly direction: Direction;
  /** Change over the horizon in deviations of the history, 0 to 1. */
  readonly strength: number;
  /** Levels of the outermost quantiles and their mean distance; undefined without two of them. */
  readonly band:
    | {
        readonly low: number;
        readonly high: number;
        readonly width: number;
        readonly ratio: number;
      }
    | undefined;
  readonly season: FoundSeason | undefined;
  /** Places of the history beyond three inter-quartile ranges. */
  readonly outliers: readonly number[];
}

/** Latest points that are looked at; what came before says little of what comes next. */
const LATEST = 2048;
const FAR = 3;

/** Requests come with few frequencies; reading one costs as much as the rest of an explanation. */
const known = new Map<string, readonly number[]>();
const MOST_KNOWN = 256;

const candidateSeasons = (freq: string): readonly number[] => {
  const found = known.get(freq);
  if (found) return found;
  let lengths: readonly number[];
  try {
    lengths = seasonLengths(parseFrequency(freq));
  } catch {
    lengths = [];
  }
  if (known.size < MOST_KNOWN) known.set(freq, lengths);
  return lengths;
};

const outliersOf = (values: Float64Array, sorted: Float64Array, offset: number): number[] => {
  const low = quantileOfSorted(sorted, 0.25);
  const high = quantileOfSorted(sorted, 0.75);
  const reach = FAR * (high - low);
  const isInside = sorted[0]! >= low - reach && sorted.at(-1)! <= high + reach;
  if (reach <= 0 || isInside) return [];
  const found: number[] = [];
  values.forEach((value, i) => {
    if (value < low - reach || value > high + reach) found.push(offset + i);
  });
  return found;
};

/** Width of the outermost quantiles against the history's own central spread of that level. */
const bandOf = ({ quantiles }: Forecast, sorted: Float64Array, level: number): Outlook['band'] => {
  const levels = Object.keys(quantiles ?? {})
    .map(Number)
    .toSorted((a, b) => a - b);
  const [low, high] = [levels[0], levels.at(-1)];
  if (!quantiles || low === undefined || high === undefined || low === high) return undefined;
  const [below, above] = [quantiles[String(low)], quantiles[String(high)]];
  if (!below || !above) return undefined;
  const width = mean(below.map((value, i) => (above[i] ?? value) - value));
  const usual = quantileOfSorted(sorted, high) - quantileOfSorted(sorted, low);
  const scale = usual > 0 ? usual : Math.abs(level);
  return { low, high, width, ratio: scale > 0 ? Math.max(0, width / scale) : Number(width > 0) };
};

const extremes = (values: ArrayLike<number>): readonly [lowest: number, highest: number] => {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    lowest = Math.min(lowest, values[i]!);
    highest = Math.max(highest, values[i]!);
  }
  return [lowest, highest];
};

/** The facts of one series and its forecast; the series' freq is known by now. */
export const outlookOf = (series: Series, forecast: Forecast): Outlook => {
  const observed = observedTarget(series);
  const offset = Math.max(0, observed.length - LATEST);
  const history = withoutGaps(observed.subarray(offset));
  const sorted = history.slice().sort();
  const [historyLowest, historyHighest] = [sorted[0]!, sorted.at(-1)!];
  const [forecastLowest, forecastHighest] = extremes(forecast.mean);
  const historyDeviation = deviation(history);
  const historyMean = mean(history);
  const line = linearTrend(history);
  const last = history.at(-1) ?? 0;
  const change = linearTrend([last, ...forecast.mean]).slope * forecast.mean.length;
  const usual = historyDeviation > 0 ? historyDeviation : Math.abs(historyMean);
  return {
    points: series.target.length,
    missing: series.missing_indices?.length ?? 0,
    historyMean,
    historyDeviation,
    historyLowest,
    historyHighest,
    historySlope: line.slope,
    forecastMean: mean(forecast.mean),
    forecastDeviation: deviation(forecast.mean),
    forecastLowest,
    forecastHighest,
    direction: directionOf(change, usual),
    strength: usual > 0 ? Math.min(1, Math.abs(change) / (2 * usual)) : Number(change !== 0),
    band: bandOf(forecast, sorted, historyMean),
    season: strongestSeason(history, candidateSeasons(series.freq), line),
    outliers: outliersOf(history, sorted, offset),
  };
};

export type ConfidenceLevel = 'high' | 'medium' | 'low' | 'unknown';

/** How wide the band is against what the history spread: under half is high, past one and a quarter low. */
export const confidenceOf = ({ band, points }: Outlook): ConfidenceLevel => {
  if (!band) return 'unknown';
  if (points < 8 || band.ratio > 1.25) return 'low';
  return band.ratio < 0.5 ? 'high' : 'medium';
};

/** Change of the mean in percent of the history's; null where that is 0. */
export const meanChangePercent = ({ historyMean, forecastMean }: Outlook): number | null =>
  historyMean === 0 ? null : (100 * (forecastMean - historyMean)) / Math.abs(historyMean);
