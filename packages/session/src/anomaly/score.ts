/** How odd a value is under a forecast: its distance in interval widths, and the probability of one as odd. */

export interface AnomalyScore {
  /** 1 at the edge of the interval, 2 at twice its distance from the median; negative below the median. */
  readonly score: number;
  /** Two-sided: how probable a value at least as far out is. */
  readonly probability: number;
  readonly isAnomaly: boolean;
  readonly expected: number;
  readonly lower: number;
  readonly upper: number;
}

/** Levels and the values of one step, both ascending. */
export interface StepQuantiles {
  readonly levels: readonly number[];
  readonly values: readonly number[];
}

/** Quantile at any level: linear inside, the outer slope's exponential beyond. */
export const valueAt = ({ levels, values }: StepQuantiles, level: number): number => {
  const last = levels.length - 1;
  if (last < 1) return values[0] ?? Number.NaN;
  if (level <= levels[0]!) {
    const slope = (values[1]! - values[0]!) / Math.log(levels[1]! / levels[0]!);
    return values[0]! + slope * Math.log(level / levels[0]!);
  }
  if (level >= levels[last]!) {
    const rest = (l: number): number => 1 - l;
    const slope =
      (values[last]! - values[last - 1]!) / Math.log(rest(levels[last - 1]!) / rest(levels[last]!));
    return values[last]! + slope * Math.log(rest(levels[last]!) / rest(level));
  }
  const right = levels.findIndex((known) => known >= level);
  const part = (level - levels[right - 1]!) / (levels[right]! - levels[right - 1]!);
  return values[right - 1]! + part * (values[right]! - values[right - 1]!);
};

/** Share of the forecast at or below a value, the inverse of `valueAt`. */
export const probabilityBelow = (step: StepQuantiles, value: number): number => {
  const { levels, values } = step;
  const last = levels.length - 1;
  if (last < 1) return value < values[0]! ? 0 : 1;
  if (value < values[0]!) {
    const slope = (values[1]! - values[0]!) / Math.log(levels[1]! / levels[0]!);
    return slope > 0 ? levels[0]! * Math.exp((value - values[0]!) / slope) : 0;
  }
  if (value > values[last]!) {
    const slope =
      (values[last]! - values[last - 1]!) / Math.log((1 - levels[last - 1]!) / (1 - levels[last]!));
    return slope > 0 ? 1 - (1 - levels[last]!) * Math.exp(-(value - values[last]!) / slope) : 1;
  }
  const right = Math.max(
    1,
    values.findIndex((known) => known >= value),
  );
  const width = values[right]! - values[right - 1]!;
  const part = width > 0 ? (value - values[right - 1]!) / width : 0.5;
  return levels[right - 1]! + part * (levels[right]! - levels[right - 1]!);
};

/** A distance that counts where a forecast has no spread at all, relative to its size. */
const LEAST_SPREAD = 1e-9;

/**
 * @param level central interval in percent, outside of which a value is an anomaly
 */
export const scoreValue = (step: StepQuantiles, value: number, level: number): AnomalyScore => {
  const tail = (100 - level) / 200;
  const sorted = { levels: step.levels, values: [...step.values].sort((a, b) => a - b) };
  const expected = valueAt(sorted, 0.5);
  const [lower, upper] = [valueAt(sorted, tail), valueAt(sorted, 1 - tail)];
  const side = value < expected ? expected - lower : upper - expected;
  const least = LEAST_SPREAD * Math.max(Math.abs(expected), LEAST_SPREAD);
  const below = probabilityBelow(sorted, value);
  const score = value === expected ? 0 : (value - expected) / Math.max(side, least);
  return {
    score,
    probability: Math.min(1, 2 * Math.min(below, 1 - below)),
    isAnomaly: Math.abs(score) > 1,
    expected,
    lower,
    upper,
  };
};
