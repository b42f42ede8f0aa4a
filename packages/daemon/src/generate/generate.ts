/** New series like given ones: their level, trend, season and noise, each varied a little. */
import {
  futureTimestamps,
  inferFrequency,
  parseFrequency,
  parseTimestamps,
  seasonLengths,
} from '@tollama/core/frequency';
import type { Series } from '@tollama/core/series';
import type { GenerateRequest, GenerateVariation } from '@tollama/core/series-requests';
import { deviation, observedTarget, withoutGaps } from '../analysis/observed.ts';
import { seasonalProfile, strongestSeason } from '../analysis/seasonality.ts';
import { linearTrend, withoutLine } from '../analysis/trend.ts';
import { normalFrom, uniformFrom } from './random.ts';

/** What a series is made of. */
interface Parts {
  readonly level: number;
  readonly slope: number;
  /** [period], around 0; empty without a season. */
  readonly profile: Float64Array;
  /** Deviation of the noise, and the correlation of its neighbours. */
  readonly noise: number;
  readonly memory: number;
  readonly isNonNegative: boolean;
}

const frequencyOf = ({ freq, timestamps }: Series) => {
  try {
    return freq === 'auto' ? inferFrequency(timestamps).frequency : parseFrequency(freq);
  } catch {
    return undefined;
  }
};

const takeApart = (series: Series): Parts => {
  const values = withoutGaps(observedTarget(series));
  const frequency = frequencyOf(series);
  const season = frequency && strongestSeason(values, seasonLengths(frequency));
  const line = linearTrend(values);
  const detrended = withoutLine(values, line);
  const profile = season ? seasonalProfile(detrended, season.period) : new Float64Array();
  const rest = detrended.map((value, i) => value - (profile[i % (profile.length || 1)] ?? 0));
  const noise = deviation(rest);
  let product = 0;
  for (let i = 1; i < rest.length; i++) product += rest[i]! * rest[i - 1]!;
  const memory = noise > 0 ? product / (rest.length * noise * noise) : 0;
  return {
    level: line.intercept,
    slope: line.slope,
    profile,
    noise,
    memory: Math.min(0.95, Math.max(-0.95, memory)),
    isNonNegative: values.every((value) => value >= 0),
  };
};

/** One new series of the parts. Level moves by shares of the size of the source, the others of themselves. */
const putTogether = (
  parts: Parts,
  length: number,
  variation: GenerateVariation,
  random: { readonly uniform: () => number; readonly normal: () => number },
): number[] => {
  const vary = (share: number): number => 1 + share * (2 * random.uniform() - 1);
  const { level, slope, profile, noise, memory, isNonNegative } = parts;
  const base = level * vary(variation.level_jitter);
  const tilt = slope * vary(variation.trend_jitter);
  const swing = vary(variation.seasonality_jitter);
  const shock = noise * variation.noise_scale * Math.sqrt(1 - memory * memory);
  let rest = noise * variation.noise_scale * random.normal();
  const isBounded = isNonNegative && variation.respect_non_negative;
  return Array.from({ length }, (_, i) => {
    const season = profile.length > 0 ? swing * profile[i % profile.length]! : 0;
    const value = base + tilt * i + season + rest;
    rest = memory * rest + shock * random.normal();
    return isBounded ? Math.max(0, value) : value;
  });
};

/** The source's own timestamps, and as many after them as are needed. */
const timestampsOf = (series: Series, length: number): { stamps: string[]; isCounted: boolean } => {
  const own = series.timestamps.slice(0, length);
  const more = length - own.length;
  if (more === 0) return { stamps: own, isCounted: false };
  const frequency = frequencyOf(series);
  try {
    if (!frequency) throw new Error('no frequency');
    const last = parseTimestamps(series.timestamps).at(-1)!;
    return { stamps: [...own, ...futureTimestamps(last, frequency, more)], isCounted: false };
  } catch {
    return { stamps: Array.from({ length }, (_, i) => String(i + 1)), isCounted: true };
  }
};

const LARGEST_SEED = 2 ** 32;

const freeId = (wanted: string, taken: Set<string>): string => {
  let id = wanted;
  for (let again = 2; taken.has(id); again++) id = `${wanted}_${again}`;
  taken.add(id);
  return id;
};

/** `seed` of the answer makes the same series again. */
export const generateSeries = ({
  series,
  count,
  length,
  method,
  seed,
  variation,
}: GenerateRequest) => {
  const used = seed ?? Math.floor(Math.random() * LARGEST_SEED);
  const uniform = uniformFrom(used);
  const random = { uniform, normal: normalFrom(uniform) };
  const warnings: string[] = [];
  const taken = new Set(series.map(({ id }) => id));
  const generated = series.flatMap((source) => {
    const parts = takeApart(source);
    const points = length ?? source.target.length;
    const { stamps, isCounted } = timestampsOf(source, points);
    if (isCounted) {
      warnings.push(`series '${source.id}': its timestamps cannot be continued, steps are counted`);
    }
    return Array.from({ length: count }, (_, k) => ({
      id: freeId(`${source.id}_synthetic_${k + 1}`, taken),
      source_id: source.id,
      freq: source.freq,
      timestamps: stamps,
      target: putTogether(parts, points, variation, random),
    }));
  });
  return { method, seed: used, generated, warnings: warnings.length > 0 ? warnings : null };
};
