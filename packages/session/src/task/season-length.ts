/** Steps of a season by the unit of a frequency; multiples are ignored. Not GIFT-Eval's table. */

const SEASON: Readonly<Record<string, number>> = {
  D: 7,
  B: 5,
  H: 24,
  T: 60,
  MIN: 60,
  M: 12,
  MS: 12,
  ME: 12,
  Q: 4,
  QS: 4,
  QE: 4,
  W: 52,
};

/** 1 where a frequency has no season. */
export const sessionSeason = (freq: string): number => {
  const unit = /^\d*([A-Za-z]+)/.exec(freq)?.[1] ?? '';
  // ms is a millisecond, MS the start of a month.
  return unit === 'ms' ? 1 : (SEASON[unit.toUpperCase()] ?? 1);
};
