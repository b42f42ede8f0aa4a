/** Values of a forecast at any quantile level, as the benchmark reads them from stored levels or samples. */
import { TollamaError } from '@tollama/core/errors';

/** Either quantiles at some levels, with or without a mean, or sample paths. */
export type StoredForecast =
  | {
      /** Ascending. */
      readonly levels: readonly number[];
      /** [levels][horizon] */
      readonly quantiles: readonly ArrayLike<number>[];
      /** [horizon] */
      readonly mean?: ArrayLike<number> | undefined;
    }
  | {
      /** [samples][horizon] */
      readonly samples: readonly ArrayLike<number>[];
    };

export interface ForecastValues {
  /** [horizon]; the median where no mean is stored. */
  readonly mean: ArrayLike<number>;
  /** [horizon] at a level in (0, 1). */
  quantile(level: number): ArrayLike<number>;
}

/** Keeps logarithms and divisions of the tails finite. */
const TINY = 1e-8;
const TAIL = 0.1;

const roundHalfToEven = (value: number): number => {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
};

const fromSamples = (samples: readonly ArrayLike<number>[]): ForecastValues => {
  const horizon = samples[0]?.length ?? 0;
  const sorted = Array.from({ length: horizon }, (_, h) =>
    Float64Array.from(samples, (path) => path[h]!).sort(),
  );
  const mean = sorted.map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  return {
    mean,
    quantile(level) {
      const at = roundHalfToEven((samples.length - 1) * level);
      return sorted.map((values) => values[at]!);
    },
  };
};

interface Line {
  readonly base: ArrayLike<number>;
  readonly other: ArrayLike<number>;
  /** The value is base + (base - other) * weight. */
  readonly weight: number;
}

/** Between two levels linear; beyond the outer ones (at most 0.1 and at least 0.9) exponential tails. */
const lineAt = (
  levels: readonly number[],
  rows: readonly ArrayLike<number>[],
  level: number,
): Line => {
  const last = levels.length - 1;
  const [x0, x1] = [levels[0]!, levels[1]!];
  const [before, end] = [levels[last - 1]!, levels[last]!];
  if (level <= Math.max(x0, Math.min(x1, TAIL))) {
    const unit = Math.log((x1 + TINY) / (x0 + TINY) + TINY);
    const weight = Math.log((level + TINY) / (x1 + TINY) + TINY) / unit;
    return { base: rows[1]!, other: rows[0]!, weight };
  }
  if (level >= Math.min(end, Math.max(before, 1 - TAIL))) {
    const unit = Math.log((1 - before + TINY) / (1 - end + TINY) + TINY);
    const weight = Math.log((1 - before + TINY) / (1 - level + TINY) + TINY) / unit;
    return { base: rows[last - 1]!, other: rows[last]!, weight: -weight };
  }
  const right = levels.findIndex((known) => known >= level);
  const weight = (level - levels[right - 1]!) / (levels[right]! - levels[right - 1]!);
  return { base: rows[right - 1]!, other: rows[right]!, weight: -weight };
};

const fromQuantiles = (
  levels: readonly number[],
  rows: readonly ArrayLike<number>[],
  mean: ArrayLike<number> | undefined,
): ForecastValues => {
  const quantile = (level: number): ArrayLike<number> => {
    const stored = levels.indexOf(level);
    if (stored >= 0) return rows[stored]!;
    const horizon = rows[0]?.length ?? mean?.length ?? 0;
    if (levels.length < 2) return new Float64Array(horizon).fill(Number.NaN);
    const { base, other, weight } = lineAt(levels, rows, level);
    return Float64Array.from(base, (value, h) => value + (value - other[h]!) * weight);
  };
  return { mean: mean ?? quantile(0.5), quantile };
};

/**
 * A stored level is taken as it is, crossed or not; others are interpolated. Of samples, level q is the sorted
 * sample at index (n - 1) q, rounded half to even.
 */
export const forecastValues = (stored: StoredForecast): ForecastValues =>
  'samples' in stored
    ? fromSamples(stored.samples)
    : fromQuantiles(stored.levels, stored.quantiles, stored.mean);

/** Throws where a value is not a number: the benchmark then counts no forecast at all. */
export const refuseNaN = (values: ArrayLike<number>, what: string): ArrayLike<number> => {
  for (let h = 0; h < values.length; h++) {
    if (!Number.isNaN(values[h]!)) continue;
    throw new TollamaError(
      'INVALID_REQUEST',
      `Forecast contains NaN values: ${what}, step ${h + 1}`,
      {
        hint: 'give at least two quantile levels, and a number for each step',
      },
    );
  }
  return values;
};
