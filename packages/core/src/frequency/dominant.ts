/** Inference for series with gaps, holidays or an odd stamp: the step that covers most of the way. */

import { addBusinessDays, civilOfDay, isBusinessDay, monthNumber, weekdayOf } from './calendar.ts';
import { type Frequency, frequencyOfNanos } from './frequency.ts';
import { DAY_NANOS, type WallTime } from './notation.ts';
import { differences, monthlyFrequency, monthPosition, stepsOf } from './strict.ts';

/** A frequency with the number of steps that have it, of all steps. */
export interface Guess {
  readonly frequency: Frequency;
  readonly covered: number;
  readonly steps: number;
}

/** The most common value and how often it stands there. */
const mostCommon = (values: readonly number[]): readonly [value: number, count: number] => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: readonly [number, number] = [0, 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best;
};

/** 80 % of the steps, or half of very many. */
const isDominant = (covered: number, steps: number): boolean =>
  covered >= 0.8 * steps || (steps >= 1000 && covered >= 0.5 * steps);

/** Months, quarters and years differ in days, so their steps are counted in months. */
const guessMonths = (times: readonly WallTime[]): Guess | undefined => {
  const dates = times.map(({ day }) => civilOfDay(day));
  const months = dates.slice(1).map((date, i) => monthNumber(date) - monthNumber(dates[i]!));
  const [common, covered] = mostCommon(months);
  if (common <= 0) return undefined;
  const position = monthPosition(
    dates,
    times.map(({ day }) => weekdayOf(day)),
  );
  if (!position) return undefined;
  const frequency = monthlyFrequency(common, position, dates[0]!);
  return { frequency, covered, steps: months.length };
};

/** Days of the week only, at least one weekend between them, most steps to the next of them. */
const guessBusinessDays = (times: readonly WallTime[]): Guess | undefined => {
  const [time, sameTime] = mostCommon(times.map(({ nanos }) => nanos));
  if (sameTime < times.length || !times.every(({ day }) => isBusinessDay(day))) return undefined;
  const next = times
    .slice(1)
    .map(({ day, nanos }, i) => nanos === time && day === addBusinessDays(times[i]!.day, 1));
  const weekends = next.filter((isNext, i) => isNext && times[i + 1]!.day - times[i]!.day === 3);
  if (weekends.length === 0) return undefined;
  const covered = next.filter((isNext) => isNext).length;
  return { frequency: { unit: 'businessDay', multiple: 1 }, covered, steps: next.length };
};

const guessInterval = (times: readonly WallTime[]): Guess | undefined => {
  const steps = stepsOf(times);
  const [step, covered] = mostCommon(steps);
  if (step <= 0) return undefined;
  const guess = (frequency: Frequency): Guess => ({ frequency, covered, steps: steps.length });
  if (step % DAY_NANOS !== 0) return guess(frequencyOfNanos(step));
  const days = step / DAY_NANOS;
  if (days % 7 !== 0) return guess({ unit: 'day', multiple: days });
  const [weekday] = mostCommon(times.map(({ day }) => weekdayOf(day)));
  return guess({ unit: 'week', multiple: days / 7, weekday });
};

/**
 * The frequency that covers at least 80 % of the steps, or half of 1000 and more: months first, then business
 * days, then the most common interval. Undefined when none covers enough.
 */
export const inferDominant = (times: readonly WallTime[]): Guess | undefined => {
  for (const guess of [guessMonths(times), guessBusinessDays(times), guessInterval(times)]) {
    if (guess && isDominant(guess.covered, guess.steps)) return guess;
  }
  return undefined;
};

/** The step of counted integers that covers enough of the steps; undefined when none does. */
export const inferIndexStep = (values: readonly number[]): Guess | undefined => {
  const steps = differences(values);
  const [multiple, covered] = mostCommon(steps);
  if (multiple <= 0 || !isDominant(covered, steps.length)) return undefined;
  return { frequency: { unit: 'index', multiple }, covered, steps: steps.length };
};
