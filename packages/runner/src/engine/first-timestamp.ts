import { futureTimestamps, parseFrequency, parseTimestamps } from '@tollama/core/frequency';
import type { RunnerSeries } from './forecast-params.ts';

/** Neighbours settle what one text leaves open (a year or an index); a few are enough. */
const NEIGHBOURS = 16;

/**
 * The timestamp of the first forecast step, in the input's own format. Timestamps that nobody can read
 * are allowed where freq is given: then it is the last one of the input.
 */
export const firstForecastTimestamp = ({ timestamps, freq }: RunnerSeries): string => {
  const last = timestamps.at(-1)!;
  try {
    const stamp = parseTimestamps(timestamps.slice(-NEIGHBOURS)).at(-1)!;
    return futureTimestamps(stamp, parseFrequency(freq), 1)[0] ?? last;
  } catch {
    return last;
  }
};
