/** Inference as `pandas.infer_freq` does it: every step must fit. */

import {
  type CivilDate,
  civilOfDay,
  daysInMonth,
  FRIDAY,
  monthNumber,
  weekdayOf,
} from './calendar.ts';
import { type Edge, type Frequency, frequencyOfNanos, TICK_NANOS } from './frequency.ts';
import { DAY_NANOS, type WallTime } from './notation.ts';

/** Where in their months all days stand. */
export interface MonthPosition {
  readonly edge: Edge;
  readonly business: boolean;
}

/** Nanoseconds from each time to the next. Exact in multiples of 0.5 ms up to 10^5 years. */
export const stepsOf = (times: readonly WallTime[]): number[] =>
  times.slice(1).map((time, i) => {
    const before = times[i]!;
    return (time.day - before.day) * DAY_NANOS + (time.nanos - before.nanos);
  });

/** The one value that all elements have; undefined when they differ. */
const common = (values: readonly number[]): number | undefined =>
  values.every((value) => value === values[0]) ? values[0] : undefined;

export const differences = (values: readonly number[]): number[] =>
  values.slice(1).map((value, i) => value - values[i]!);

/** Whether all dates are the first (last, business-first, business-last) days of their months. */
export const monthPosition = (
  dates: readonly CivilDate[],
  weekdays: readonly number[],
): MonthPosition | undefined => {
  const all = (test: (date: CivilDate, weekday: number) => boolean) =>
    dates.every((date, i) => test(date, weekdays[i]!));
  const left = (date: CivilDate) => daysInMonth(date.year, date.month) - date.dayOfMonth;
  if (all((date) => left(date) === 0)) return { edge: 'end', business: false };
  const isLastBusinessDay = (date: CivilDate, weekday: number) =>
    (left(date) === 0 && weekday <= FRIDAY) || (left(date) < 3 && weekday === FRIDAY);
  if (all(isLastBusinessDay)) return { edge: 'end', business: true };
  if (all((date) => date.dayOfMonth === 1)) return { edge: 'start', business: false };
  const isFirstBusinessDay = (date: CivilDate, weekday: number) =>
    (date.dayOfMonth === 1 && weekday <= FRIDAY) || (date.dayOfMonth <= 3 && weekday === 0);
  return all(isFirstBusinessDay) ? { edge: 'start', business: true } : undefined;
};

/** The frequency with `months` between its stamps, anchored at the month of the first one. */
export const monthlyFrequency = (
  months: number,
  { edge, business }: MonthPosition,
  first: CivilDate,
): Frequency => {
  const { month } = first;
  if (months % 12 === 0) return { unit: 'year', multiple: months / 12, edge, business, month };
  if (months % 3 !== 0) return { unit: 'month', multiple: months, edge, business };
  const inQuarter = ((month - 1) % 3) + 1;
  const anchor = edge === 'start' ? inQuarter : inQuarter + 9;
  return { unit: 'quarter', multiple: months / 3, edge, business, month: anchor };
};

const inferMonths = (dates: readonly CivilDate[], weekdays: readonly number[]) => {
  const months = common(differences(dates.map(monthNumber)));
  if (!months) return undefined;
  const position = monthPosition(dates, weekdays);
  return position && monthlyFrequency(months, position, dates[0]!);
};

const isBusinessDaily = (weekdays: readonly number[], dayDeltas: readonly number[]): boolean =>
  dayDeltas.includes(1) &&
  dayDeltas.includes(3) &&
  dayDeltas.every((delta, i) =>
    weekdays[i + 1] === 0 ? delta === 3 : delta === 1 && weekdays[i + 1]! <= FRIDAY,
  );

const inferWeekOfMonth = (
  dates: readonly CivilDate[],
  weekdays: readonly number[],
): Frequency | undefined => {
  const weekday = common(weekdays);
  const week = common(dates.map((date) => Math.floor((date.dayOfMonth - 1) / 7)));
  const months = common(differences(dates.map(monthNumber)));
  if (weekday === undefined || week === undefined || week > 3 || !months) return undefined;
  return { unit: 'weekOfMonth', multiple: months, week: week + 1, weekday };
};

const inferDays = (times: readonly WallTime[]): Frequency | undefined => {
  const dates = times.map(({ day }) => civilOfDay(day));
  const weekdays = times.map(({ day }) => weekdayOf(day));
  const months = inferMonths(dates, weekdays);
  if (months) return months;
  const dayDeltas = differences(times.map(({ day }) => day));
  const days = common(dayDeltas);
  if (days !== undefined) {
    if (days % 7 !== 0) return { unit: 'day', multiple: days };
    return { unit: 'week', multiple: days / 7, weekday: weekdays[0]! };
  }
  if (isBusinessDaily(weekdays, dayDeltas)) return { unit: 'businessDay', multiple: 1 };
  return inferWeekOfMonth(dates, weekdays);
};

const BUSINESS_HOUR_STEPS = ['1,17', '1,65', '1,17,65'];

/**
 * The frequency that fits every step, by the rules of `pandas.infer_freq`; undefined when there is none.
 * Two times are taken as a rule, where pandas wants three.
 */
export const inferStrict = (times: readonly WallTime[]): Frequency | undefined => {
  const steps = stepsOf(times);
  const unique = [...new Set(steps)].toSorted((a, b) => a - b);
  const [shortest = 0] = unique;
  if (!(shortest > 0)) return undefined;
  if (unique.every((step) => step % DAY_NANOS === 0)) return inferDays(times);
  const hours = unique.map((step) => step / TICK_NANOS.hour);
  if (BUSINESS_HOUR_STEPS.includes(hours.join(','))) {
    return { unit: 'businessHour', multiple: 1 };
  }
  return unique.length === 1 ? frequencyOfNanos(shortest) : undefined;
};
