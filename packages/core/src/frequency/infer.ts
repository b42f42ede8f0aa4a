/** The frequency of timestamps that come without one. */

import { TollamaError } from '../errors.ts';
import { type Guess, inferDominant, inferIndexStep } from './dominant.ts';
import { type Frequency, formatFrequency } from './frequency.ts';
import type { WallTime } from './notation.ts';
import { inferStrict } from './strict.ts';
import {
  compareTimestamps,
  type Moment,
  parseTimestamps,
  type Timestamp,
  toUtc,
} from './timestamp.ts';

export interface InferredFrequency {
  readonly frequency: Frequency;
  /** Its canonical alias. */
  readonly alias: string;
  /** Says that not every step has this length, and how many have. */
  readonly warning?: string;
}

const HINT =
  'give freq as a pandas alias (D, h, MS, W-SUN, 15min, ...), or make the timestamps regular';

const refuse = (because: string): never => {
  throw new TollamaError('INVALID_REQUEST', `freq 'auto' cannot be inferred: ${because}`, {
    hint: HINT,
  });
};

/** Says where the order breaks, else that the steps differ too much. */
const refuseSteps = (stamps: readonly Timestamp[]): never => {
  for (let i = 1; i < stamps.length; i++) {
    const [before, after] = [stamps[i - 1]!, stamps[i]!];
    if (compareTimestamps(after, before) >= 0) continue;
    refuse(`timestamp ${i + 1} ('${after.text}') is before timestamp ${i} ('${before.text}')`);
  }
  return refuse(
    `the ${stamps.length - 1} steps from '${stamps[0]!.text}' to '${stamps.at(-1)!.text}' differ too much`,
  );
};

/** The clock on the wall counts; the one in UTC where offsets change and the wall shows no frequency. */
const inferMoments = (moments: readonly Moment[]): Guess | undefined => {
  const hasOffsets = new Set(moments.map((moment) => moment.offsetMinutes)).size > 1;
  const clocks: (readonly WallTime[])[] = hasOffsets ? [moments, moments.map(toUtc)] : [moments];
  for (const times of clocks) {
    const frequency = inferStrict(times);
    if (frequency) return { frequency, covered: 1, steps: 1 };
  }
  for (const times of clocks.toReversed()) {
    const guess = inferDominant(times);
    if (guess) return guess;
  }
  return undefined;
};

const toInferred = ({ frequency, covered, steps }: Guess): InferredFrequency => {
  const alias = formatFrequency(frequency);
  if (covered === steps) return { frequency, alias };
  const warning = `freq '${alias}' is inferred from ${covered} of ${steps} steps; the others differ`;
  return { frequency, alias, warning };
};

/**
 * Infers the frequency: strictly as `pandas.infer_freq` does, else by the step that covers at least 80 % of
 * the steps (or 50 % of 1000 and more), with a warning. Integers give their step. Two timestamps are enough.
 *
 * @throws TollamaError INVALID_REQUEST when the timestamps have no frequency
 * @example
 * inferFrequency(['2024-01-01', '2024-02-01', '2024-03-01']).alias; // 'MS'
 */
export const inferFrequency = (
  timestamps: readonly string[] | readonly Timestamp[],
): InferredFrequency => {
  const stamps = timestamps.every((stamp) => typeof stamp === 'string')
    ? parseTimestamps(timestamps)
    : timestamps.filter((stamp) => typeof stamp !== 'string');
  if (stamps.length < 2) {
    return refuse(
      stamps[0]
        ? `a single timestamp ('${stamps[0].text}') has no step`
        : 'there are no timestamps',
    );
  }
  const moments = stamps.filter((stamp) => stamp.kind === 'moment');
  const indices = stamps.filter((stamp) => stamp.kind === 'index');
  const guess =
    indices.length === 0
      ? inferMoments(moments)
      : inferIndexStep(indices.map(({ value }) => value));
  return toInferred(guess ?? refuseSteps(stamps));
};
