/** Frequencies as clients of the TimeGPT API send them; what is not known as one counts without a calendar. */
import {
  type Frequency,
  formatFrequency,
  futureTimestamps,
  parseFrequency,
  parseTimestamps,
  seasonLengths,
} from '@tollama/core/frequency';

export interface KnownFrequency {
  /** An alias that every part of the product reads. */
  readonly alias: string;
  readonly frequency: Frequency;
  /** Steps of the most natural season; 1 where there is none. */
  readonly season: number;
}

const COUNTED: KnownFrequency = {
  alias: '1',
  frequency: { unit: 'index', multiple: 1 },
  season: 1,
};

export const knownFrequency = (text: string): KnownFrequency => {
  try {
    const frequency = parseFrequency(text);
    return {
      alias: formatFrequency(frequency),
      frequency,
      season: seasonLengths(frequency)[0] ?? 1,
    };
  } catch {
    return COUNTED;
  }
};

/** Timestamps of `count` points from a first one; counted where there is no date. */
export const timestampsFrom = (
  start: string | undefined,
  { frequency }: KnownFrequency,
  count: number,
): string[] => {
  const counted = () => Array.from({ length: count }, (_, i) => String(i + 1));
  if (start === undefined) return counted();
  try {
    const first = parseTimestamps([start])[0]!;
    return [start, ...futureTimestamps(first, frequency, count - 1)];
  } catch {
    return counted();
  }
};
