/**
 * The batch size by doubling: as long as what a step needs fits into memory, which is reckoned before it is tried, and
 * a larger batch still makes a window cheaper.
 */

export interface BatchSearch {
  readonly first: number;
  /** The largest that makes sense, such as the number of windows. */
  readonly most: number;
  /** Bytes that a step may use. */
  readonly memoryBytes: number;
  /** Share of the time of a window that doubling must save. */
  readonly saving: number;
}

export interface BatchTrial {
  readonly size: number;
  /** What a step of that size needs at least. */
  readonly bytes: number;
  /** Undefined where it was not tried, or failed. */
  readonly msPerWindow: number | undefined;
}

export type SearchEnd = 'memory' | 'time' | 'windows' | 'failed';

export interface FoundBatchSize {
  readonly size: number;
  readonly endedBy: SearchEnd;
  readonly trials: readonly BatchTrial[];
}

export const SEARCH_DEFAULTS = { first: 8, saving: 0.05 } as const;

export interface TrialMeasures {
  /** Bytes that a step of a size needs, without running it. */
  readonly bytesOf: (size: number) => number;
  /** Milliseconds of a window in steps of a size; rejects where the runtime cannot. */
  readonly timeOf: (size: number) => Promise<number>;
}

/**
 * Doubles from `first`. The first size is taken where not even it fits: there is nothing smaller that was asked for.
 */
export const searchBatchSize = async (
  { first, most, memoryBytes, saving }: BatchSearch,
  { bytesOf, timeOf }: TrialMeasures,
): Promise<FoundBatchSize> => {
  const trials: BatchTrial[] = [];
  let found: { readonly size: number; readonly ms: number } | undefined;
  const ended = (endedBy: SearchEnd): FoundBatchSize => ({
    size: found?.size ?? Math.min(first, most),
    endedBy,
    trials,
  });
  for (let size = first; size <= most; size *= 2) {
    const bytes = bytesOf(size);
    const ms = bytes > memoryBytes ? undefined : await timeOf(size).catch(() => undefined);
    trials.push({ size, bytes, msPerWindow: ms });
    if (bytes > memoryBytes) return ended('memory');
    if (ms === undefined) return ended('failed');
    if (found && ms > (1 - saving) * found.ms) return ended('time');
    found = { size, ms };
  }
  return ended('windows');
};
