/**
 * The proleptic Gregorian calendar on whole days, without time zones: day 0 is 1970-01-01. Algorithms:
 * "chrono-compatible low-level date algorithms" (days_from_civil, civil_from_days).
 */

/** Months are 1 to 12, days of the month 1 to 31. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
}

/** Names of weekdays as pandas anchors write them; Monday is 0. */
export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export const FRIDAY = 4;

/** Names of months as pandas anchors write them; January stands first. */
export const MONTHS = [
  'JAN',
  'FEB',
  'MAR',
  'APR',
  'MAY',
  'JUN',
  'JUL',
  'AUG',
  'SEP',
  'OCT',
  'NOV',
  'DEC',
] as const;

/** The remainder that has the sign of the divisor. */
export const modulo = (a: number, n: number): number => ((a % n) + n) % n;

const isLeapYear = (year: number): boolean =>
  year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeapYear(year) ? 29 : DAYS_IN_MONTH[month - 1]!;

/** Days since 1970-01-01. */
export const dayOfCivil = (year: number, month: number, dayOfMonth: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear =
    Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

export const civilOfDay = (day: number): CivilDate => {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
};

/** Monday is 0, Sunday 6. */
export const weekdayOf = (day: number): number => modulo(day + 3, 7);

/** Months since year 0, so that differences and remainders count months. */
export const monthNumber = (date: CivilDate): number => date.year * 12 + date.month - 1;

export const fromMonthNumber = (count: number): { year: number; month: number } => ({
  year: Math.floor(count / 12),
  month: modulo(count, 12) + 1,
});

export const isBusinessDay = (day: number): boolean => weekdayOf(day) <= FRIDAY;

/** The n-th Monday-to-Friday day after `day`; one that starts on a weekend counts from its Friday. */
export const addBusinessDays = (day: number, n: number): number => {
  const start = Math.min(weekdayOf(day), FRIDAY);
  const monday = day - weekdayOf(day);
  const count = start + n;
  return monday + Math.floor(count / 5) * 7 + modulo(count, 5);
};

/** First or last day of a month, counted in business days if asked for. */
export const monthEdge = (
  year: number,
  month: number,
  edge: 'start' | 'end',
  business: boolean,
): number => {
  const day = dayOfCivil(year, month, edge === 'start' ? 1 : daysInMonth(year, month));
  const weekday = weekdayOf(day);
  if (!business || weekday <= FRIDAY) return day;
  return edge === 'start' ? day + 7 - weekday : day - (weekday - FRIDAY);
};

/** The n-th (1 to 4) given weekday of a month. */
export const weekOfMonthDay = (
  year: number,
  month: number,
  { week, weekday }: { readonly week: number; readonly weekday: number },
): number => {
  const first = dayOfCivil(year, month, 1);
  return first + modulo(weekday - weekdayOf(first), 7) + (week - 1) * 7;
};
