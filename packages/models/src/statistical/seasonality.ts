/**
 * Which season lengths a series has. Lengths come from the calendar (the frequency's candidates) and from
 * the data (peaks of the periodogram, moved to the autocorrelation's maximum nearby); each must prove itself:
 * different cycles of the detrended series must agree more than independent ones would. What was found is
 * taken out before the next is looked for, so 24 and 168 are both found and 48 beside 24 is not.
 */

import { linearQuantile } from '../quantiles.ts';
import { spectrumOf } from './fourier.ts';
import { movingAverage } from './moving-average.ts';

export interface Season {
  readonly length: number;
  /** Mean correlation between cycles, in (0, 1], of what the seasons found before it left over. */
  readonly strength: number;
  readonly from: 'frequency' | 'data';
}

/** Longest stretch that is looked at; the most recent points tell which seasons there are now. */
const LONGEST = 16_384;
const LONGEST_SPECTRUM = 4096;
const MOST_SEASONS = 3;
/** Needed agreement of cycles, in standard deviations of that of independent cycles, and at least. */
const PROOF = {
  frequency: { deviations: 3, strength: 0.06, cycles: 2 },
  data: { deviations: 6, strength: 0.15, cycles: 3 },
} as const;

/**
 * Seasons of gap-free values, the strongest first; `candidates` are the lengths that the frequency suggests.
 *
 * @example
 * findSeasons(Float64Array.from({ length: 240 }, (_, t) => Math.sin((2 * Math.PI * t) / 24)), [])[0].length; // 24
 */
export const findSeasons = (
  values: Float64Array,
  candidates: readonly number[],
): readonly Season[] => {
  const longest = Math.max(LONGEST, 4 * Math.max(0, ...candidates));
  let rest = winsorized(values.subarray(Math.max(0, values.length - longest)));
  const found: Season[] = [];
  while (found.length < MOST_SEASONS) {
    const season = bestSeason(rest, candidates, found);
    if (!season) break;
    found.push(season);
    rest = withoutSeason(rest, season.length);
  }
  return found.sort((a, b) => Number(isMultiple(a, b)) - Number(isMultiple(b, a)) || 0);
};

/** A weekly shape found first does not come before the daily one inside it. */
const isMultiple = (a: Season, b: Season): boolean =>
  a.length > b.length && a.length % b.length === 0;

const bestSeason = (
  rest: Float64Array,
  candidates: readonly number[],
  found: readonly Season[],
): Season | undefined => {
  const isNew = (length: number): boolean =>
    found.every((season) => Math.abs(season.length - length) > 0.05 * season.length);
  const isOwn = (length: number): boolean =>
    found.every((season) => !isEcho(length, season.length));
  const proven = [
    ...candidates.filter(isNew).map((length) => prove(rest, length, 'frequency')),
    ...spectralLengths(rest)
      .map((length) => (12 * length > rest.length ? snapped(length, candidates, found) : length))
      .filter((length) => isNew(length) && isOwn(length) && !candidates.includes(length))
      .map((length) => prove(rest, length, 'data')),
  ].filter((season) => season !== undefined);
  if (proven.length === 0) return undefined;
  const strongest = proven.reduce((a, b) => (b.strength > a.strength ? b : a));
  return proven
    .filter((season) => season.strength >= shareNeeded(season, strongest) * strongest.strength)
    .sort((a, b) => a.length - b.length)[0];
};

/**
 * The shortest length that agrees nearly as well as the strongest is the season: its multiples are seasons,
 * too. A season inside the strongest (24 in 168) comes first even where much is left to the longer one.
 */
const shareNeeded = (season: Season, strongest: Season): number => {
  if (strongest.length % season.length !== 0)
    return season.length > 0.6 * strongest.length ? 1 : 0.8;
  return season.from === 'frequency' ? 0.25 : 0.7;
};

/** A season whose amplitude changes leaves traces at its double and its half, and so on. */
const isEcho = (length: number, season: number): boolean => {
  const ratio = length > season ? length / season : season / length;
  const whole = Math.round(ratio);
  return whole <= 4 && Math.abs(ratio - whole) <= 0.04 * whole;
};

/** Long periods are read off few cycles: one near a calendar length or near whole shorter seasons is that. */
const snapped = (
  length: number,
  candidates: readonly number[],
  found: readonly Season[],
): number => {
  const calendar = candidates.find((candidate) => Math.abs(candidate - length) <= 0.05 * candidate);
  if (calendar !== undefined) return calendar;
  for (const season of found) {
    const multiple = Math.round(length / season.length) * season.length;
    if (multiple > season.length && Math.abs(multiple - length) <= 0.03 * multiple) return multiple;
  }
  return length;
};

/** The season if different cycles agree enough; undefined where they do not or are too few. */
const prove = (rest: Float64Array, length: number, from: Season['from']): Season | undefined => {
  const needed = PROOF[from];
  if (length < 2 || rest.length < needed.cycles * length) return undefined;
  const { strength, deviations } = cycleAgreement(rest, length);
  if (strength < needed.strength || deviations < needed.deviations) return undefined;
  return { length, strength, from };
};

/** Mean correlation between pairs of cycles after the trend is out, and how far from chance it is. */
export const cycleAgreement = (
  values: Float64Array,
  length: number,
): { strength: number; deviations: number } => {
  const n = values.length;
  const trend = movingAverage(values, length);
  const cycles = Math.floor(n / length);
  const start = n - cycles * length;
  let between = 0;
  let total = 0;
  let neighbours = 0;
  for (let phase = 0; phase < length; phase++) {
    let sum = 0;
    let squares = 0;
    for (let i = start + phase; i < n; i += length) {
      const x = values[i]! - trend[i]!;
      sum += x;
      squares += x * x;
      neighbours += i > start ? x * (values[i - 1]! - trend[i - 1]!) : 0;
    }
    between += sum * sum - squares;
    total += squares;
  }
  if (total <= 1e-18 * n) return { strength: 0, deviations: 0 };
  const strength = between / ((cycles - 1) * total);
  // A smooth cycle holds fewer independent points than it has points.
  const smoothness = Math.min(0.98, Math.max(0, neighbours / total));
  const independent = Math.max(2, (length * (1 - smoothness)) / (1 + smoothness));
  return { strength, deviations: strength * Math.sqrt((cycles * (cycles - 1) * independent) / 2) };
};

const withoutSeason = (values: Float64Array, length: number): Float64Array => {
  const trend = movingAverage(values, length);
  const profile = new Float64Array(length);
  const counts = new Float64Array(length);
  for (let i = 0; i < values.length; i++) {
    profile[i % length]! += values[i]! - trend[i]!;
    counts[i % length]! += 1;
  }
  return values.map((value, i) => value - profile[i % length]! / counts[i % length]!);
};

/** Periods of peaks that stand out of the spectrum around them, moved to the best whole lag. */
const spectralLengths = (rest: Float64Array): number[] => {
  const recent = rest.subarray(Math.max(0, rest.length - LONGEST_SPECTRUM));
  const n = recent.length;
  if (n < 6) return [];
  const { power, correlation } = spectrumOf(detrended(recent));
  const periods = spectralPeaks(power, n).map((k) => (2 * power.length) / k);
  const lengths = new Set<number>();
  for (const period of periods) {
    const width = Math.max(1, Math.min(0.5 * period, (0.6 * period * period) / n));
    let best = Math.round(period);
    for (let lag = Math.ceil(period - width); lag <= period + width; lag++) {
      if (lag >= 2 && lag <= n / 3 && correlation[lag]! > (correlation[best] ?? 0)) best = lag;
    }
    for (const multiple of [1, 2, 3]) lengths.add(best * multiple);
  }
  return [...lengths];
};

const MOST_PEAKS = 4;

/** The highest bins that stand well above the median of the bins within a factor of 1.5 in frequency. */
const spectralPeaks = (power: Float64Array, n: number): number[] => {
  const lowest = Math.ceil((3 * 2 * power.length) / n); // three cycles within the stretch
  const peaks: number[] = [];
  for (let k = lowest; k < power.length - 1; k++) {
    if (power[k]! >= power[k - 1]! && power[k]! > power[k + 1]!) peaks.push(k);
  }
  peaks.sort((a, b) => power[b]! - power[a]!);
  return peaks.slice(0, MOST_PEAKS).filter((k) => {
    const end = Math.min(power.length, Math.ceil(k * 1.5) + 8);
    const around = power.slice(Math.max(1, Math.floor(k / 1.5)), end).sort();
    return power[k]! > 8 * linearQuantile(around, 0.5);
  });
};

/** Without its straight line through time. */
const detrended = (values: Float64Array): Float64Array => {
  const n = values.length;
  const middle = (n - 1) / 2;
  let sum = 0;
  let product = 0;
  for (let i = 0; i < n; i++) {
    sum += values[i]!;
    product += (i - middle) * values[i]!;
  }
  const slope = product / ((n * (n * n - 1)) / 12);
  return values.map((value, i) => value - sum / n - slope * (i - middle));
};

/** Single wild values must not make or hide a season: steps from the median beyond 6 deviations are cut. */
const winsorized = (values: Float64Array): Float64Array => {
  const sorted = values.slice().sort();
  const center = linearQuantile(sorted, 0.5);
  const spread = linearQuantile(sorted, 0.9) - linearQuantile(sorted, 0.1);
  if (spread <= 0) return values.slice();
  const reach = 3 * spread;
  return values.map((value) => Math.min(center + reach, Math.max(center - reach, value)));
};
