/** What GIFT-Eval forecasts: horizons, windows, seasons, and the seasonal error that scales MASE. */
import { TollamaError } from '@tollama/core/errors';
import { TERM_MULTIPLIER, type Term } from './data-sets.ts';

const NEW_SPELLINGS: Readonly<Record<string, string>> = {
  h: 'H',
  min: 'T',
  s: 'S',
  d: 'D',
  ME: 'M',
  MS: 'M',
  QE: 'Q',
  QS: 'Q',
  YE: 'A',
  YS: 'A',
  Y: 'A',
  AS: 'A',
};

const HORIZON: Readonly<Record<string, number>> = { M: 12, W: 8, D: 30, H: 48, T: 48, S: 60 };
const M4_HORIZON: Readonly<Record<string, number>> = { A: 6, Q: 8, M: 18, W: 13, D: 14, H: 48 };
const BASE_SEASON: Readonly<Record<string, number>> = {
  S: 3600,
  T: 1440,
  H: 24,
  D: 1,
  W: 1,
  M: 12,
  B: 5,
  Q: 4,
};

const TEST_SHARE = 0.1;
const MOST_WINDOWS = 20;

/** The parts of a pandas alias: `15min` -> 15 T, `W-WED` -> 1 W. */
export const frequencyParts = (freq: string): { multiple: number; unit: string } => {
  const match = /^(\d*)([A-Za-z]+)(?:-[A-Za-z]+)?$/.exec(freq.trim());
  if (!match) {
    throw new TollamaError('INVALID_REQUEST', `freq '${freq}' is no frequency`, {
      hint: 'use a pandas alias such as 15T, H, D, W-SUN, M, Q, A',
    });
  }
  const unit = match[2]!;
  return { multiple: match[1] ? Number(match[1]) : 1, unit: NEW_SPELLINGS[unit] ?? unit };
};

/**
 * Steps of a season, for the scale of MASE: a day for hours and what is finer (an hour for seconds), a year
 * for months and quarters; 1 for days and weeks. 1 where the multiple does not divide it.
 */
export const seasonality = (freq: string): number => {
  const { multiple, unit } = frequencyParts(freq);
  const base = BASE_SEASON[unit] ?? 1;
  return base % multiple === 0 ? base / multiple : 1;
};

/**
 * Steps of a forecast.
 *
 * @throws TollamaError INVALID_REQUEST for a frequency that the benchmark has no horizon for
 */
export const predictionLength = (dataSet: string, freq: string, term: Term): number => {
  const { unit } = frequencyParts(freq);
  const horizons = dataSet.includes('m4') ? M4_HORIZON : HORIZON;
  const base = horizons[unit];
  if (base === undefined) {
    const known = Object.keys(horizons).join(', ');
    throw new TollamaError('INVALID_REQUEST', `freq '${freq}' of '${dataSet}' has no horizon`, {
      hint: `GIFT-Eval has horizons for ${known}; give one in configs.json`,
    });
  }
  return base * TERM_MULTIPLIER[term];
};

/** Test windows of each series, from the length of the shortest one. */
export const windowCount = (dataSet: string, horizon: number, shortest: number): number =>
  dataSet.includes('m4')
    ? 1
    : Math.min(MOST_WINDOWS, Math.max(1, Math.ceil((TEST_SHARE * shortest) / horizon)));

/** Where the label of window k (0-based, oldest first) begins in a series of n points. */
export const labelStart = (n: number, horizon: number, windows: number, k: number): number =>
  n - horizon * windows + k * horizon;

/**
 * Mean |x[i] - x[i - season]| over pairs that are both known; season 1 where the season is longer than the
 * input. NaN without a pair.
 */
export const seasonalError = (input: ArrayLike<number>, season: number): number => {
  const lag = season > input.length ? 1 : season;
  let sum = 0;
  let count = 0;
  for (let i = lag; i < input.length; i++) {
    const step = Math.abs(input[i]! - input[i - lag]!);
    if (Number.isNaN(step)) continue;
    sum += step;
    count++;
  }
  return sum / count;
};
