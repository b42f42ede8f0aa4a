/** How many steps the natural cycles of a frequency have. */

import { type Frequency, parseFrequency, TICK_NANOS } from './frequency.ts';

const MINUTE = TICK_NANOS.minute;
const HOUR = TICK_NANOS.hour;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Cycles, the most telling one first, by how fine the steps are. */
const cyclesOf = (stepNanos: number): readonly number[] => {
  if (stepNanos < TICK_NANOS.second) return [MINUTE, TICK_NANOS.second, HOUR];
  if (stepNanos < MINUTE) return [HOUR, DAY, MINUTE];
  return stepNanos <= 5 * MINUTE ? [DAY, WEEK, HOUR] : [DAY, WEEK];
};

const wholeParts = (cycles: readonly number[], step: number): number[] =>
  cycles.filter((cycle) => cycle % step === 0 && cycle / step >= 2).map((cycle) => cycle / step);

/**
 * Candidate season lengths in steps, the most natural one first; empty where a frequency suggests none.
 *
 * @example
 * seasonLengths(parseFrequency('h')); // [24, 168]
 * seasonLengths(parseFrequency('MS')); // [12]
 */
export const seasonLengths = (frequency: Frequency): readonly number[] => {
  const { multiple } = frequency;
  switch (frequency.unit) {
    case 'index':
    case 'year':
      return [];
    case 'day':
      // Steps of whole weeks are weeks.
      return multiple % 7 === 0 ? wholeParts([52], multiple / 7) : wholeParts([7], multiple);
    case 'businessDay':
      return wholeParts([5], multiple);
    case 'businessHour':
      return wholeParts([8, 40], multiple);
    case 'week':
      return wholeParts([52], multiple);
    case 'semiMonth':
      return wholeParts([24], multiple);
    case 'weekOfMonth':
    case 'month':
      return wholeParts([12], multiple);
    case 'quarter':
      return wholeParts([4], multiple);
    default: {
      const step = multiple * TICK_NANOS[frequency.unit];
      return wholeParts(cyclesOf(step), step);
    }
  }
};

/**
 * Candidate season lengths of a series by the alias of its frequency; empty where it is not told or `auto`.
 *
 * @throws TollamaError INVALID_REQUEST for an alias that is no frequency
 */
export const candidateSeasons = (freq?: string): readonly number[] =>
  freq === undefined || freq === 'auto' ? [] : seasonLengths(parseFrequency(freq));
