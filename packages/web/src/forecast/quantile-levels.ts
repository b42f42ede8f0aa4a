/** Quantile levels as a user types them. */

export const DEFAULT_LEVELS = '0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95';

export interface Levels {
  readonly levels: readonly number[];
  /** What is wrong, and what to write. */
  readonly problem: string | undefined;
}

const refuse = (problem: string): Levels => ({ levels: [], problem });

/**
 * Reads `0.1, 0.5, 0.9`. Empty: none, a point forecast.
 *
 * @example
 * parseLevels('0.9 0.1').levels; // [0.1, 0.9]
 */
export const parseLevels = (text: string): Levels => {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const levels: number[] = [];
  for (const word of words) {
    const level = Number(word);
    if (!Number.isFinite(level) || level <= 0 || level >= 1) {
      return refuse(`‘${word}’ is not between 0 and 1; write levels such as 0.1, 0.5, 0.9`);
    }
    levels.push(level);
  }
  const sorted = levels.toSorted((a, b) => a - b);
  const twice = sorted.find((level, i) => level === sorted[i - 1]);
  return twice === undefined
    ? { levels: sorted, problem: undefined }
    : refuse(`${twice} stands twice; each level is needed once`);
};

/** Pairs of levels that mirror each other around the median, the widest first. */
export const mirroredPairs = (levels: readonly number[]): (readonly [number, number])[] =>
  levels.flatMap((low) => {
    const high = levels.find((level) => Math.abs(level + low - 1) < 1e-9);
    return low < 0.5 && high !== undefined ? [[low, high] as const] : [];
  });
