/** The timestamps of a forecast: the steps that follow the last one of the history. */

import { TollamaError } from '../errors.ts';
import {
  addBusinessDays,
  type CivilDate,
  civilOfDay,
  dayOfCivil,
  daysInMonth,
  FRIDAY,
  fromMonthNumber,
  modulo,
  monthEdge,
  monthNumber,
  weekdayOf,
  weekOfMonthDay,
} from './calendar.ts';
import { type Edge, type Frequency, formatFrequency, isTick, TICK_NANOS } from './frequency.ts';
import { DAY_NANOS, type WallTime } from './notation.ts';
import {
  asIndex,
  formatIndices,
  formatMoments,
  type Moment,
  parseTimestamp,
  type Timestamp,
} from './timestamp.ts';

const OPENING_HOUR = 9;
const BUSINESS_HOURS = 8;

/** Business hours run from 9 to 17 on business days, as pandas has them. */
const addBusinessHours = ({ day, nanos }: WallTime, hours: number): WallTime => {
  const open = OPENING_HOUR * TICK_NANOS.hour;
  const length = BUSINESS_HOURS * TICK_NANOS.hour;
  const isWeekend = weekdayOf(day) > FRIDAY;
  const worked = isWeekend ? length : Math.min(Math.max(nanos - open, 0), length);
  const total = worked + hours * TICK_NANOS.hour;
  const days = Math.floor(total / length);
  return { day: addBusinessDays(day, days), nanos: open + (total - days * length) };
};

/** Twice a month: the given day, and the first (start) or the last (end) one. */
const addHalfMonths = (
  { year, month, dayOfMonth: from }: CivilDate,
  steps: number,
  { edge, dayOfMonth }: { readonly edge: Edge; readonly dayOfMonth: number },
): number => {
  const anchors = (y: number, m: number) =>
    edge === 'start' ? [1, dayOfMonth] : [dayOfMonth, daysInMonth(y, m)];
  const passed = anchors(year, month).filter((anchor) => anchor <= from).length - 1;
  const count = monthNumber({ year, month, dayOfMonth: from }) * 2 + passed + steps;
  const target = fromMonthNumber(Math.floor(count / 2));
  return dayOfCivil(
    target.year,
    target.month,
    anchors(target.year, target.month)[modulo(count, 2)]!,
  );
};

/** The given weekday of the given week in each month. */
const addWeeksOfMonth = (
  date: CivilDate,
  steps: number,
  { week, weekday }: { readonly week: number; readonly weekday: number },
): number => {
  const own = weekOfMonthDay(date.year, date.month, { week, weekday });
  const isBefore = dayOfCivil(date.year, date.month, date.dayOfMonth) < own;
  const { year, month } = fromMonthNumber(monthNumber(date) + steps - (isBefore ? 1 : 0));
  return weekOfMonthDay(year, month, { week, weekday });
};

/**
 * Months on: from the edge of a month to the edge of another; from any other day to the same day of the month,
 * so that monthly data stamped on the 15th stay there whatever the alias says.
 */
const addMonths = (
  date: CivilDate,
  months: number,
  { edge, business }: { readonly edge: Edge; readonly business: boolean },
): number => {
  const day = dayOfCivil(date.year, date.month, date.dayOfMonth);
  const { year, month } = fromMonthNumber(monthNumber(date) + months);
  if (day === monthEdge(date.year, date.month, edge, business)) {
    return monthEdge(year, month, edge, business);
  }
  return dayOfCivil(year, month, Math.min(date.dayOfMonth, daysInMonth(year, month)));
};

const MONTHS_PER = { month: 1, quarter: 3, year: 12 } as const;

/** The day some whole steps of the calendar later; undefined for steps of the clock. */
const addCalendarSteps = (day: number, steps: number, frequency: Frequency): number | undefined => {
  switch (frequency.unit) {
    case 'day':
      return day + steps;
    case 'businessDay':
      return addBusinessDays(day, steps);
    case 'week':
      return day + 7 * steps;
    case 'weekOfMonth':
      return addWeeksOfMonth(civilOfDay(day), steps, frequency);
    case 'semiMonth':
      return addHalfMonths(civilOfDay(day), steps, frequency);
    case 'month':
    case 'quarter':
    case 'year':
      return addMonths(civilOfDay(day), steps * MONTHS_PER[frequency.unit], frequency);
    default:
      return undefined;
  }
};

const addNanos = ({ day, nanos }: WallTime, more: number): WallTime => {
  const total = nanos + more;
  const days = Math.floor(total / DAY_NANOS);
  return { day: day + days, nanos: total - days * DAY_NANOS };
};

/** The time `steps` steps after another one. */
const addSteps = (time: WallTime, steps: number, frequency: Frequency): WallTime => {
  const count = steps * frequency.multiple;
  const day = addCalendarSteps(time.day, count, frequency);
  if (day !== undefined) return { day, nanos: time.nanos };
  if (frequency.unit === 'businessHour') return addBusinessHours(time, count);
  return addNanos(time, count * (isTick(frequency.unit) ? TICK_NANOS[frequency.unit] : 0));
};

/** Years, yyyymm and yyyymmdd are dates only while the frequency steps in what they can tell. */
const isCountedWith = ({ text }: Moment, frequency: Frequency): boolean => {
  if (!/^\d+(\.0+)?$/.test(text)) return false;
  if (frequency.unit === 'index') return true;
  const length = text.replace(/\..*/, '').length;
  if (length === 4) return frequency.unit !== 'year';
  return length === 6 && !['month', 'quarter', 'year'].includes(frequency.unit);
};

/**
 * The `horizon` timestamps after the last one of a series, written as that one is. Months keep to their ends,
 * business days leave out weekends. Give a `Timestamp` of `parseTimestamps` where the series' other stamps
 * settle what a text means; a counted integer goes on counting under any frequency.
 *
 * @throws TollamaError INVALID_REQUEST when `last` is no timestamp, or a date and the frequency an integer
 * @example
 * futureTimestamps('2024-01-31', parseFrequency('ME'), 2); // ['2024-02-29', '2024-03-31']
 */
export const futureTimestamps = (
  last: string | Timestamp,
  frequency: Frequency,
  horizon: number,
): string[] => {
  const stamp = typeof last === 'string' ? parseTimestamp(last) : last;
  const steps = Array.from({ length: horizon }, (_, i) => i + 1);
  const index =
    stamp.kind === 'index' || isCountedWith(stamp, frequency) ? asIndex(stamp) : undefined;
  if (index) {
    const step = frequency.unit === 'index' ? frequency.multiple : 1;
    return formatIndices(
      index,
      steps.map((i) => index.value + i * step),
    );
  }
  if (stamp.kind === 'index' || frequency.unit === 'index') {
    throw new TollamaError(
      'INVALID_REQUEST',
      `freq '${formatFrequency(frequency)}' counts integers, but the timestamp '${stamp.text}' is a date`,
      { hint: 'give freq as a pandas alias (D, h, MS, ...) or auto' },
    );
  }
  return formatMoments(
    stamp,
    steps.map((i) => addSteps(stamp, i, frequency)),
  );
};
