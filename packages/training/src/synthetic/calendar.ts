/**
 * Trend x seasons x noise by clocks (the prior of ForecastPFN, Dooley et al. 2023), with fractional clocks: an hour's
 * phase moves within the hour, and hourly series have weeks and years too.
 */
import { drawIndex, type Generator } from './generator.ts';
import type { Random } from './random.ts';
import { addWave } from './waves.ts';

interface Clock {
  readonly weight: number;
  /** Period in steps, harmonics, largest weight of the season, and its probability. */
  readonly seasons: readonly (readonly [
    period: number,
    harmonics: number,
    weight: number,
    chance: number,
  ])[];
  /** Steps of a year, to which trends refer. */
  readonly year: number;
}

const CLOCKS: readonly Clock[] = [
  {
    weight: 1,
    year: 105_120,
    seasons: [
      [12, 3, 0.3, 0.3],
      [288, 10, 1, 1],
      [2016, 5, 0.4, 0.6],
    ],
  },
  {
    weight: 2,
    year: 35_040,
    seasons: [
      [4, 2, 0.2, 0.3],
      [96, 10, 1, 1],
      [672, 5, 0.5, 0.6],
    ],
  },
  {
    weight: 1,
    year: 52_560,
    seasons: [
      [144, 10, 1, 1],
      [1008, 5, 0.5, 0.5],
    ],
  },
  {
    weight: 4,
    year: 8766,
    seasons: [
      [24, 10, 1, 1],
      [168, 5, 0.5, 0.6],
      [8766, 2, 0.5, 0.5],
    ],
  },
  {
    weight: 3,
    year: 365.25,
    seasons: [
      [7, 3, 1, 0.8],
      [30.44, 5, 0.2, 0.3],
      [365.25, 4, 0.6, 0.6],
    ],
  },
  {
    weight: 2,
    year: 52.18,
    seasons: [
      [4.35, 2, 0.2, 0.3],
      [52.18, 6, 0.6, 1],
    ],
  },
  {
    weight: 3,
    year: 12,
    seasons: [
      [12, 5, 0.5, 1],
      [3, 1, 0.1, 0.3],
    ],
  },
  { weight: 1.5, year: 4, seasons: [[4, 2, 0.5, 1]] },
  { weight: 0.7, year: 1, seasons: [] },
];

/** Sum of harmonics with root sum of squares 1. */
const shapeOf = (
  random: Random,
  length: number,
  period: number,
  harmonics: number,
): Float64Array => {
  const isFalling = random.chance(0.5);
  const count = Math.max(1, Math.min(harmonics, Math.floor(period / 2)));
  const sizes = Array.from({ length: 2 * count }, (_, i) =>
    random.normal(0, isFalling ? 1 / (1 + (i >> 1)) : 1),
  );
  const norm = Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0));
  const shape = new Float64Array(length);
  for (let j = 0; j < count; j++) {
    const [a, b] = [sizes[2 * j]! / norm, sizes[2 * j + 1]! / norm];
    addWave(shape, (2 * Math.PI * (j + 1)) / period, a, b);
  }
  return shape;
};

/** Growth at most tenfold over the run either way. */
export const trendOf = (random: Random, length: number, year: number): Float64Array => {
  const years = length / year;
  const slope = random.normal(0, 0.1);
  const most = Math.log(10);
  const growth = Math.max(-most, Math.min(most, random.normal(0, 0.06) * years));
  const offset = random.between(-0.1, 0.5);
  return Float64Array.from({ length }, (_, t) => {
    const x = t / length;
    return Math.max(0.05, 1 + slope * Math.min(5, years) * (x - offset)) * Math.exp(growth * x);
  });
};

const noiseSize = (random: Random): number => {
  const kind = drawIndex(random, [0.6, 0.3, 0.1]);
  return kind === 0
    ? random.between(0, 0.1)
    : kind === 1
      ? random.between(0.2, 0.5)
      : random.between(0.7, 0.9);
};

const drawRun = (random: Random, length: number, clock: Clock): Float64Array => {
  const values = trendOf(random, length, clock.year);
  const isAdditive = random.chance(0.4);
  for (const [period, harmonics, weight, chance] of clock.seasons) {
    if (period > 4 * length || !random.chance(chance)) continue;
    const size = random.between(0.02, weight);
    const shape = shapeOf(random, length, period, harmonics);
    for (let t = 0; t < length; t++) {
      values[t] = isAdditive ? values[t]! + size * shape[t]! : values[t]! * (1 + size * shape[t]!);
    }
  }
  // Weibull noise of median 1.
  const scale = noiseSize(random);
  const shape = random.between(1, 5);
  const median = Math.log(2) ** (1 / shape);
  for (let t = 0; t < length; t++) {
    const weibull = (-Math.log(random.uniform())) ** (1 / shape) / median;
    values[t]! *= 1 + scale * (weibull - 1);
  }
  return values;
};

export const calendar: Generator = (random, length) => {
  const fitting = CLOCKS.filter(({ seasons }) => (seasons[0]?.[0] ?? 1) * 2 <= length);
  const clock =
    fitting[
      drawIndex(
        random,
        fitting.map(({ weight }) => weight),
      )
    ]!;
  const values = drawRun(random, length, clock);
  if (random.chance(0.2)) {
    const later = drawRun(random, length, clock);
    const steepness = (2 * Math.log(9)) / (0.6 * length);
    for (let t = 0; t < length; t++) {
      const share = 1 / (1 + Math.exp(-steepness * (t - 0.5 * length)));
      values[t] = values[t]! * (1 - share) + later[t]! * share;
    }
  }
  const periods = clock.seasons
    .map(([period]) => Math.round(period))
    .filter((period) => period >= 4 && period <= length);
  return { values, periods };
};
