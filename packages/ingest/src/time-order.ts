/** Series in the order of time, each time once. */

import { TollamaError } from '@tollama/core/errors';
import {
  compareTimestamps,
  parseTimestamps,
  type Timestamp,
} from '@tollama/core/frequency/timestamp';
import { quoteValue, refuseInput } from './table.ts';

export interface TimeOrder {
  /** Positions in ascending order of time; undefined where they are so already. */
  readonly order: readonly number[] | undefined;
}

export interface Stamped {
  readonly file: string;
  /** How messages call the series; empty where there is but one. */
  readonly series: string;
  readonly times: readonly string[];
  /** Says where the value at a position stands in the file: `row 7`. */
  readonly place: (position: number) => string;
}

const parseAt = ({ file, times, place }: Stamped): Timestamp[] => {
  try {
    return parseTimestamps(times);
  } catch (error) {
    const because = error instanceof TollamaError ? error.message : '';
    const position = times.findIndex((text) => because.startsWith(`timestamp '${text.trim()}' `));
    const where = position >= 0 ? `${place(position)}: ` : '';
    return refuseInput(file, where + because, {
      hint: 'write dates as 2024-01-31 or 2024-01-31T12:00:00, or name another --time-col',
      cause: error,
    });
  }
};

/**
 * Sorts by time. Throws INVALID_INPUT for a text that is no timestamp, and for two rows of the same series at
 * the same time.
 */
export const orderByTime = (stamped: Stamped): TimeOrder => {
  const { file, series, times, place } = stamped;
  const stamps = parseAt(stamped);
  const isAscending = stamps.every(
    (stamp, i) => i === 0 || compareTimestamps(stamps[i - 1]!, stamp) < 0,
  );
  if (isAscending) return { order: undefined };
  const order = Array.from(stamps.keys()).toSorted((a, b) =>
    compareTimestamps(stamps[a]!, stamps[b]!),
  );
  for (let i = 1; i < order.length; i++) {
    const [before, at] = [order[i - 1]!, order[i]!];
    if (compareTimestamps(stamps[before]!, stamps[at]!) !== 0) continue;
    const [first, second] = [Math.min(before, at), Math.max(before, at)];
    const where = `${place(second)}: ${quoteValue(times[second])} stands in ${place(first)} already`;
    refuseInput(file, `${where}${series === '' ? '' : ` for series ${quoteValue(series)}`}`, {
      hint: 'keep one row for each series and time; if the rows are of several series, name their column with --id-col',
    });
  }
  return { order };
};

export const inOrder = <T>(values: readonly T[], { order }: TimeOrder): readonly T[] =>
  order ? order.map((position) => values[position]!) : values;
