/** How far a series can be trusted: missing values, irregular times, few points, anomalies, no variation. */
import {
  compareTimestamps,
  futureTimestamps,
  parseFrequency,
  parseTimestamps,
} from '@tollama/core/frequency';

export interface QualityFacts {
  readonly points: number;
  readonly missing: number;
  readonly anomalies: number;
  readonly isConstant: boolean;
  readonly times: TimeFacts;
}

export interface TimeFacts {
  readonly isReadable: boolean;
  readonly duplicates: number;
  readonly unordered: number;
  /** Steps that are not of the frequency's length. */
  readonly irregular: number;
}

/** What the timestamps are like against a frequency; `freq` undefined: none is known. */
export const inspectTimes = (
  timestamps: readonly string[],
  freq: string | undefined,
): TimeFacts => {
  try {
    const stamps = parseTimestamps(timestamps);
    const frequency = freq === undefined ? undefined : parseFrequency(freq);
    let [duplicates, unordered, irregular] = [0, 0, 0];
    for (let i = 1; i < stamps.length; i++) {
      const order = compareTimestamps(stamps[i - 1]!, stamps[i]!);
      if (order === 0) duplicates++;
      else if (order > 0) unordered++;
      else if (frequency) {
        const [next] = futureTimestamps(stamps[i - 1]!, frequency, 1);
        if (next !== timestamps[i]!.trim()) irregular++;
      }
    }
    return { isReadable: true, duplicates, unordered, irregular };
  } catch {
    return { isReadable: false, duplicates: 0, unordered: 0, irregular: 0 };
  }
};

const FEW = 24;

/** 1 is flawless; each flaw takes its share off. */
export const qualityScore = ({
  points,
  missing,
  anomalies,
  isConstant,
  times,
}: QualityFacts): number => {
  const steps = Math.max(1, points - 1);
  const flaws = [
    missing / points,
    0.5 * (anomalies / points),
    times.isReadable ? 0 : 0.2,
    (times.duplicates + times.unordered) / steps,
    0.5 * (times.irregular / steps),
    points < FEW ? 0.3 * (1 - points / FEW) : 0,
    isConstant ? 0.2 : 0,
  ];
  const score = flaws.reduce((left, flaw) => left * (1 - Math.min(1, flaw)), 1);
  return Math.round(score * 10_000) / 10_000;
};

/** One sentence a flaw. */
export const qualityWarnings = ({ points, missing, isConstant, times }: QualityFacts): string[] => {
  const flaws: (string | false)[] = [
    missing > 0 && `${missing} of ${points} values are missing`,
    !times.isReadable && 'the timestamps cannot be read as times',
    times.duplicates > 0 && `${times.duplicates} timestamps stand twice`,
    times.unordered > 0 && `${times.unordered} timestamps are before the one before them`,
    times.irregular > 0 && `${times.irregular} of ${points - 1} steps are not of the frequency`,
    points < FEW && `${points} points are few`,
    isConstant && points > 1 && 'all values are the same',
  ];
  return flaws.filter((flaw) => flaw !== false);
};
