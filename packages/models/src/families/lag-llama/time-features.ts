/**
 * The calendar of a series as Lag-Llama reads it, whatever the frequency: second, minute, hour, day of the
 * week, of the month and of the year of each period, from -0.5 to 0.5 (gluonts, time_feature, of a pandas
 * PeriodIndex; a period longer than a day is told by its last day).
 */
import {
  type Frequency,
  type Moment,
  parseFrequency,
  parseTimestamp,
} from '@tollama/core/frequency';
import { civilOfDay, dayOfCivil, daysInMonth, modulo } from '@tollama/core/frequency/calendar';
import { isTick, TICK_NANOS } from '@tollama/core/frequency/frequency';
import { TIME_FEATURES } from './config.ts';

/** A point of time: days since 1970-01-01 and seconds of the day. */
interface Instant {
  readonly day: number;
  readonly seconds: number;
}

/** The instant that stands for period `index`, counted from that of the first point. */
type PeriodAt = (index: number) => Instant;

const DAY_SECONDS = 86_400;
const NANOS = TICK_NANOS.second;
const THURSDAY = 3;

/** Monday is 0. */
const weekdayOf = (day: number): number => modulo(day + THURSDAY, 7);

const lastDayOfMonth = (months: number): number => {
  const year = Math.floor(months / 12);
  const month = modulo(months, 12) + 1;
  return dayOfCivil(year, month, daysInMonth(year, month));
};

/** Periods of `length` months that end with month `anchor`, every `multiple`th. */
const monthly = (start: Moment, length: number, anchor: number, multiple: number): PeriodAt => {
  const { year, month } = civilOfDay(start.day);
  const months = 12 * year + month - 1;
  const end = months + modulo(anchor - 1 - months, length);
  return (index) => ({ day: lastDayOfMonth(end + index * length * multiple), seconds: 0 });
};

/** The month that a quarter or year ends with, where the alias may name the one that it starts with. */
const endMonth = ({ edge, month }: { edge: 'start' | 'end'; month: number }): number =>
  edge === 'end' ? month : modulo(month - 2, 12) + 1;

/** Weekdays count alone; a start on a weekend is the Monday after it. */
const businessDays = (start: Moment, multiple: number): PeriodAt => {
  const weekday = weekdayOf(start.day);
  const monday = weekday > 4 ? start.day - weekday + 7 : start.day - weekday;
  const first = weekday > 4 ? 0 : weekday;
  return (index) => {
    const count = first + index * multiple;
    return { day: monday + 7 * Math.floor(count / 5) + modulo(count, 5), seconds: 0 };
  };
};

const ticks = (start: Moment, unitNanos: number, multiple: number): PeriodAt => {
  const first = Math.floor(start.nanos / unitNanos) * unitNanos;
  return (index) => {
    const seconds = Math.floor((first + index * multiple * unitNanos) / NANOS);
    return {
      day: start.day + Math.floor(seconds / DAY_SECONDS),
      seconds: modulo(seconds, DAY_SECONDS),
    };
  };
};

/** The periods of a series, undefined for frequencies that pandas has no periods of. */
const periodsOf = (start: Moment, frequency: Frequency): PeriodAt | undefined => {
  const { unit, multiple } = frequency;
  if (isTick(unit)) return ticks(start, TICK_NANOS[unit], multiple);
  if (unit === 'day') return (index) => ({ day: start.day + index * multiple, seconds: 0 });
  if (unit === 'businessDay') return businessDays(start, multiple);
  if (frequency.unit === 'week') {
    const end = start.day + modulo(frequency.weekday - weekdayOf(start.day), 7);
    return (index) => ({ day: end + 7 * index * multiple, seconds: 0 });
  }
  if (frequency.unit === 'month') return monthly(start, 1, 1, multiple);
  if (frequency.unit === 'quarter') return monthly(start, 3, endMonth(frequency), multiple);
  if (frequency.unit === 'year') return monthly(start, 12, endMonth(frequency), multiple);
  return undefined;
};

/** Reads start and frequency of a series; undefined where there is no calendar to go by. */
export const calendarOf = (
  start: string | undefined,
  freq: string | undefined,
): PeriodAt | undefined => {
  if (start === undefined || freq === undefined || freq === 'auto') return undefined;
  const stamp = parseTimestamp(start);
  return stamp.kind === 'moment' ? periodsOf(stamp, parseFrequency(freq)) : undefined;
};

/** The features of one instant, in the order of the reference. */
const featuresAt = ({ day, seconds }: Instant): readonly number[] => {
  const { year, dayOfMonth } = civilOfDay(day);
  return [
    (seconds % 60) / 59,
    (Math.floor(seconds / 60) % 60) / 59,
    Math.floor(seconds / 3600) / 23,
    weekdayOf(day) / 6,
    (dayOfMonth - 1) / 30,
    (day - dayOfCivil(year, 1, 1)) / 365,
  ].map((share) => share - 0.5);
};

/** [count * 6] from period `from` on; zeros before the first point, and without a calendar. */
export const timeFeatures = (
  calendar: PeriodAt | undefined,
  from: number,
  count: number,
): Float32Array => {
  const features = new Float32Array(count * TIME_FEATURES);
  if (!calendar) return features;
  for (let i = Math.max(0, -from); i < count; i++) {
    features.set(featuresAt(calendar(from + i)), i * TIME_FEATURES);
  }
  return features;
};
