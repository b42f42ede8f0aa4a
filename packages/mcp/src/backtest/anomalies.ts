/**
 * Values that a forecast did not expect. Models know quantiles between 0.1 and 0.9 well and further ones
 * badly or not at all; the distance of these two from the median gives a standard deviation on each side, and
 * that the interval of any level, as of a normal distribution with two halves.
 */
import type { WindowForecast } from './forecast-windows.ts';

const [LOW, MEDIAN, HIGH] = [0.1, 0.5, 0.9];

/** Quantiles to ask for. */
export const LEVELS = [LOW, MEDIAN, HIGH] as const;

export const SURE_LEVELS = [80, 90, 95, 98, 99, 99.9] as const;
export type SureLevel = (typeof SURE_LEVELS)[number];

/** Standard normal quantiles of (1 + level) / 2. */
export const NORMAL_QUANTILES: Readonly<Record<SureLevel, number>> = {
  80: 1.2815515655,
  90: 1.644853627,
  95: 1.9599639845,
  98: 2.326347874,
  99: 2.5758293035,
  99.9: 3.2905267315,
};

/** A forecast without any spread still leaves room for roundings, in shares of the largest value. */
const LEAST_SPREAD = 1e-6;
const MOST = 1 / LEAST_SPREAD;

export interface Unexpected {
  /** Place in the series. */
  readonly index: number;
  readonly value: number;
  readonly expected: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviations from the median. */
  readonly score: number;
}

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, Math.abs(value))), 0);

/** The values of a window that lie further from the median than `width` standard deviations. */
export const judgeWindow = (
  { window, mean, quantiles }: WindowForecast,
  width: number,
): readonly Unexpected[] => {
  const { actual, past, origin } = window;
  const middle = quantiles.get(MEDIAN) ?? mean;
  const least = LEAST_SPREAD * Math.max(largest(past), largest(actual));
  const spreadTo = (level: number, h: number): number => {
    const distance = Math.abs((quantiles.get(level) ?? middle)[h]! - middle[h]!);
    return Math.max(distance / NORMAL_QUANTILES[80], least);
  };
  return actual.flatMap((value, h) => {
    const expected = middle[h]!;
    if (Number.isNaN(value) || value === expected) return [];
    const [below, above] = [spreadTo(LOW, h), spreadTo(HIGH, h)];
    const distance = value < expected ? (expected - value) / below : (value - expected) / above;
    const score = Math.min(distance, MOST);
    if (score <= width) return [];
    const interval = { low: expected - width * below, high: expected + width * above };
    return [{ index: origin + h, value, expected, ...interval, score }];
  });
};
