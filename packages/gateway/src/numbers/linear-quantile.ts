/** The sample quantile at rank (n - 1) q of ascending values, linear between neighbours. */
export const linearQuantile = (ascending: readonly number[], level: number): number => {
  const rank = (ascending.length - 1) * level;
  const below = Math.floor(rank);
  const low = ascending[below] ?? Number.NaN;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] ?? Number.NaN;
  return low + (high - low) * (rank - below);
};

export const ascendingCopy = (values: Iterable<number>): number[] =>
  [...values].sort((a, b) => a - b);

/** The middle value, or the mean of the two middle ones. */
export const median = (values: Iterable<number>): number => {
  const sorted = ascendingCopy(values);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};
