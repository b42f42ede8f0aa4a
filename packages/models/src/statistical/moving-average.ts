/**
 * The trend of a seasonal series: a centred moving average over one season (2 x m for an even m), carried to
 * both ends by the slope of its outermost season, so that neither season nor trend is left in the ends.
 */
export const movingAverage = (values: Float64Array, season: number): Float64Array => {
  const n = values.length;
  const trend = new Float64Array(n);
  const half = Math.floor(season / 2);
  if (n < 2 * half + 1) return trend.fill(mean(values, 0, n));
  const isEven = season % 2 === 0;
  let sum = 0;
  for (let i = 0; i < 2 * half + 1; i++) sum += values[i]!;
  for (let i = half; i < n - half; i++) {
    const ends = isEven ? (values[i - half]! + values[i + half]!) / 2 : 0;
    trend[i] = (sum - ends) / season;
    if (i + half + 1 < n) sum += values[i + half + 1]! - values[i - half]!;
  }
  extendEnds(trend, half, season);
  return trend;
};

/** Carries the slope of the outermost season to the ends. */
const extendEnds = (trend: Float64Array, half: number, season: number): void => {
  const n = trend.length;
  const reach = Math.min(season, n - 1 - 2 * half);
  const left = reach > 0 ? (trend[half + reach]! - trend[half]!) / reach : 0;
  const right = reach > 0 ? (trend[n - 1 - half]! - trend[n - 1 - half - reach]!) / reach : 0;
  for (let i = 1; i <= half; i++) {
    trend[half - i] = trend[half]! - left * i;
    trend[n - 1 - half + i] = trend[n - 1 - half]! + right * i;
  }
};

/** Mean of values[from .. end). */
export const mean = (values: ArrayLike<number>, from: number, end: number): number => {
  let sum = 0;
  for (let i = from; i < end; i++) sum += values[i]!;
  return end > from ? sum / (end - from) : 0;
};
