/** Central intervals as the API names them: `lo-80` is the quantile 0.1, `hi-80` 0.9. */
import type { WindowRows } from './windows.ts';

const probability = (level: number, side: -1 | 1): number =>
  Number(((100 + side * level) / 200).toPrecision(12));

/** Ascending levels in (0, 1) that the intervals need. */
export const quantilesOfLevels = (levels: readonly number[]): number[] =>
  [...new Set(levels.flatMap((level) => [probability(level, -1), probability(level, 1)]))].toSorted(
    (a, b) => a - b,
  );

/** `{"lo-80": [...], "hi-80": [...]}`, each as long as all windows together; null without levels. */
export const intervalsOf = (
  levels: readonly number[],
  rows: readonly WindowRows[],
  take: (row: readonly number[], window: number) => readonly number[] = (row) => row,
): Readonly<Record<string, number[]>> | null => {
  if (levels.length === 0) return null;
  const asked = quantilesOfLevels(levels);
  const column = (level: number): number[] => {
    const at = asked.indexOf(level);
    return rows.flatMap(({ quantiles }, window) => take(quantiles[at]!, window));
  };
  return Object.fromEntries(
    [...new Set(levels)].flatMap((level) => [
      [`lo-${level}`, column(probability(level, -1))],
      [`hi-${level}`, column(probability(level, 1))],
    ]),
  );
};
