/** Timestamps as places on an axis. */
import { parseTimestamps, type Timestamp, toUtc } from '@tollama/core/frequency/timestamp';

/** Seconds since 1970 for moments, the count itself for indices. */
export const placeOf = (stamp: Timestamp): number => {
  if (stamp.kind === 'index') return stamp.value;
  const { day, nanos } = toUtc(stamp);
  return day * 86_400 + nanos / 1e9;
};

export interface Places {
  readonly places: readonly number[];
  /** Whether they are times; else they count. */
  readonly isTime: boolean;
}

/** @throws TollamaError INVALID_REQUEST for a text that is no timestamp */
export const placesOf = (timestamps: readonly string[]): Places => {
  const stamps = parseTimestamps(timestamps);
  return { places: stamps.map(placeOf), isTime: stamps.every(({ kind }) => kind === 'moment') };
};
