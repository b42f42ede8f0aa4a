/**
 * How people write dates: the patterns that are recognised, what each part of a match means, and writing
 * another point of time in the very same manner.
 */
import { civilOfDay, dayOfCivil, daysInMonth, MONTHS, modulo } from './calendar.ts';
import { TICK_NANOS } from './frequency.ts';

export const DAY_NANOS = 24 * TICK_NANOS.hour;

/** A point of time as the clock on the wall shows it: days since 1970-01-01 and nanoseconds of the day. */
export interface WallTime {
  readonly day: number;
  readonly nanos: number;
}

/** What one text cannot tell and its neighbours in the series can. */
export interface NotationHints {
  /** 05/06/2024 is the fifth of June. */
  readonly dayFirst: boolean;
  /** 1/5/2024 rather than 01/05/2024; the same for hours. */
  readonly unpaddedDate: boolean;
  readonly unpaddedHour: boolean;
}

const NAME = '(?<monthName>[A-Za-z]{3,9})\\.?';
const MONTHS_AND_LONGER = [
  '(?<year>\\d{4})(?<s>[-/.])(?<month>\\d{1,2})',
  '(?<year>\\d{4})(?<month>\\d{2})',
  '(?<year>\\d{4})',
  '(?<year>\\d{4})[- ]?[Qq](?<quarter>[1-4])',
  `${NAME}[- ](?<year>\\d{4})`,
];
const DAYS = [
  '(?<year>\\d{4})(?<s>[-/.])(?<month>\\d{1,2})\\k<s>(?<dayOfMonth>\\d{1,2})',
  '(?<year>\\d{4})(?<month>\\d{2})(?<dayOfMonth>\\d{2})',
  '(?<first>\\d{1,2})(?<s>[-/.])(?<second>\\d{1,2})\\k<s>(?<year>\\d{4}|\\d{2})',
  `${NAME}(?<s> )(?<dayOfMonth>\\d{1,2}),? (?<year>\\d{4})`,
  `(?<dayOfMonth>\\d{1,2})(?<s>[- ])${NAME}\\k<s>(?<year>\\d{4}|\\d{2})`,
];
const TIME =
  '(?:(?:[Tt]|,? +)(?<hour>\\d{1,2})' +
  '(?::(?<minute>\\d{2})(?::(?<secondOfMinute>\\d{2})(?:[.,](?<fraction>\\d{1,9}))?)?' +
  '|(?<minute2>\\d{2})(?<second2>\\d{2})?)?(?: ?(?<half>[AaPp][Mm]))?' +
  '(?: ?(?<offset>[Zz]|UTC|[+-]\\d{2}(?::?\\d{2})?))?)?';

const patterns = (flags: string) =>
  [...DAYS.map((date) => date + TIME), ...MONTHS_AND_LONGER].map(
    (pattern) => new RegExp(`^${pattern}$`, flags),
  );
const PATTERNS = patterns('');
const PATTERNS_WITH_SPANS = patterns('d');

export type NotationParts = Readonly<Record<string, string | undefined>>;

/** The named parts of a date or date-time; undefined for a text that looks like neither. */
export const matchNotation = (text: string): NotationParts | undefined => {
  for (const pattern of PATTERNS) {
    const match = pattern.exec(text);
    if (match) return match.groups;
  }
  return undefined;
};

const LONG_MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const monthOfName = (name: string): number | undefined => {
  const index = MONTHS.map(String).indexOf(name.slice(0, 3).toUpperCase());
  const full = LONG_MONTHS[index]?.toLowerCase();
  const isName = name.length === 3 || name.toLowerCase() === full || /^sept$/i.test(name);
  return index >= 0 && isName ? index + 1 : undefined;
};

/** Two digits as POSIX reads them: 69 to 99 are 19xx, 00 to 68 are 20xx. */
const fullYear = (digits: string): number => {
  const year = Number(digits);
  return digits.length === 4 ? year : year + (year >= 69 ? 1900 : 2000);
};

const dayOf = (parts: NotationParts, dayFirst: boolean): number | undefined => {
  const year = fullYear(parts.year!);
  const [first, second] = dayFirst ? [parts.second, parts.first] : [parts.first, parts.second];
  const month = parts.quarter
    ? Number(parts.quarter) * 3 - 2
    : parts.monthName
      ? monthOfName(parts.monthName)
      : Number(parts.month ?? first ?? 1);
  const dayOfMonth = Number(parts.dayOfMonth ?? second ?? 1);
  const isDate = month !== undefined && month >= 1 && month <= 12;
  if (!isDate || dayOfMonth < 1 || dayOfMonth > daysInMonth(year, month)) return undefined;
  return dayOfCivil(year, month, dayOfMonth);
};

const nanosOf = (parts: NotationParts): number | undefined => {
  let hour = Number(parts.hour ?? 0);
  if (parts.half) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (/p/i.test(parts.half) ? 12 : 0);
  }
  const minute = Number(parts.minute ?? parts.minute2 ?? 0);
  const second = Number(parts.secondOfMinute ?? parts.second2 ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = Number((parts.fraction ?? '').padEnd(9, '0'));
  return (
    hour * TICK_NANOS.hour + minute * TICK_NANOS.minute + second * TICK_NANOS.second + fraction
  );
};

/** The time that the parts name; undefined where there is no such date (2023-02-29) or hour (25:00). */
export const wallTimeOf = (parts: NotationParts, dayFirst: boolean): WallTime | undefined => {
  const day = dayOf(parts, dayFirst);
  const nanos = nanosOf(parts);
  return day === undefined || nanos === undefined ? undefined : { day, nanos };
};

/** Minutes east of UTC; undefined where no offset is written. */
export const offsetMinutesOf = ({ offset }: NotationParts): number | undefined => {
  if (offset === undefined) return undefined;
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset);
  if (!match) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
};

const clock = (nanos: number) => ({
  hour: Math.floor(nanos / TICK_NANOS.hour),
  minute: Math.floor(nanos / TICK_NANOS.minute) % 60,
  second: Math.floor(nanos / TICK_NANOS.second) % 60,
  fraction: nanos % TICK_NANOS.second,
});

const digits = (value: number, width: number): string => String(value).padStart(width, '0');

/** The fraction of a second with at least `width` digits; milli-, micro- or nanoseconds where it needs more. */
const fractionText = (fraction: number, width: number): string => {
  const whole = digits(fraction, 9);
  const enough = [width, 3, 6, 9].find((n) => n >= width && /^0*$/.test(whole.slice(n))) ?? 9;
  return whole.slice(0, enough);
};

const monthText = (month: number, like: string): string => {
  const long = LONG_MONTHS[month - 1]!;
  const name = like.length > 3 && !/^sept$/i.test(like) ? long : long.slice(0, 3);
  if (like === like.toUpperCase()) return name.toUpperCase();
  return like === like.toLowerCase() ? name.toLowerCase() : name;
};

interface Writing {
  readonly parts: NotationParts;
  readonly hints: NotationHints;
}

/** What stands in the place of a part; a part that does not change with time stays as it was written. */
const partText = (name: string, time: WallTime, { parts, hints }: Writing): string => {
  const like = parts[name]!;
  const { year, month, dayOfMonth } = civilOfDay(time.day);
  const { hour, minute, second, fraction } = clock(time.nanos);
  const inDate = (value: number) => digits(value, hints.unpaddedDate ? 1 : 2);
  switch (name) {
    case 'year':
      return like.length === 2 ? digits(modulo(year, 100), 2) : digits(year, 4);
    case 'month':
      return parts.s ? inDate(month) : digits(month, 2);
    case 'dayOfMonth':
      return parts.s ? inDate(dayOfMonth) : digits(dayOfMonth, 2);
    case 'first':
      return inDate(hints.dayFirst ? dayOfMonth : month);
    case 'second':
      return inDate(hints.dayFirst ? month : dayOfMonth);
    case 'quarter':
      return String(Math.ceil(month / 3));
    case 'monthName':
      return monthText(month, like);
    case 'hour':
      return digits(parts.half ? ((hour + 11) % 12) + 1 : hour, hints.unpaddedHour ? 1 : 2);
    case 'minute':
    case 'minute2':
      return digits(minute, 2);
    case 'secondOfMinute':
    case 'second2':
      return digits(second, 2);
    case 'fraction':
      return fractionText(fraction, like.length);
    case 'half':
      return like === like.toUpperCase() ? (hour < 12 ? 'AM' : 'PM') : hour < 12 ? 'am' : 'pm';
    default:
      return like;
  }
};

/** ISO 8601, for times that the given notation has no place for. */
const isoTexts = (like: string, times: readonly WallTime[], parts: NotationParts): string[] => {
  const hasClock = parts.hour !== undefined || times.some(({ nanos }) => nanos !== 0);
  const hasFraction = times.some(({ nanos }) => nanos % TICK_NANOS.second !== 0);
  const separator = parts.hour !== undefined && !/\dT/i.test(like) ? ' ' : 'T';
  return times.map(({ day, nanos }) => {
    const { year, month, dayOfMonth } = civilOfDay(day);
    const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}`;
    if (!hasClock) return date;
    const { hour, minute, second, fraction } = clock(nanos);
    const tail = hasFraction ? `.${fractionText(fraction, 3)}` : '';
    const time = `${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}${tail}`;
    return `${date}${separator}${time}${parts.offset ?? ''}`;
  });
};

/** The smallest step of the clock that a notation can tell. */
const clockResolution = (parts: NotationParts): number => {
  if (parts.fraction) return 1;
  if (parts.secondOfMinute ?? parts.second2) return TICK_NANOS.second;
  if (parts.minute ?? parts.minute2) return TICK_NANOS.minute;
  return parts.hour ? TICK_NANOS.hour : DAY_NANOS;
};

/** Whether a notation has a place for everything that is not at its zero in any of these times. */
const canExpress = (parts: NotationParts, times: readonly WallTime[]): boolean => {
  const hasMonth = (parts.month ?? parts.monthName) !== undefined;
  const hasDay = (parts.dayOfMonth ?? parts.first) !== undefined;
  const resolution = clockResolution(parts);
  return times.every((time) => {
    if (time.nanos % resolution !== 0) return false;
    if (hasDay) return true;
    const { month, dayOfMonth } = civilOfDay(time.day);
    if (dayOfMonth !== 1) return false;
    return hasMonth || (parts.quarter ? month % 3 === 1 : month === 1);
  });
};

/**
 * Writes times in the notation of `like`: its separators, padding, month names, fraction digits and offset.
 * Times that it has no place for (hours after a bare date) are written in ISO 8601, all of them alike.
 */
export const writeLike = (
  like: string,
  times: readonly WallTime[],
  hints: NotationHints,
): string[] => {
  let match: RegExpExecArray | null = null;
  for (const pattern of PATTERNS_WITH_SPANS) match ??= pattern.exec(like);
  const parts: NotationParts = match?.groups ?? {};
  if (!match || !canExpress(parts, times)) return isoTexts(like, times, parts);
  const spans = Object.entries(match.indices!.groups!)
    .filter(([, span]) => span !== undefined)
    .toSorted(([, a], [, b]) => a[0] - b[0]);
  return times.map((time) => {
    let text = '';
    let end = 0;
    for (const [name, [from, to]] of spans) {
      text += like.slice(end, from) + partText(name, time, { parts, hints });
      end = to;
    }
    return text + like.slice(end);
  });
};
