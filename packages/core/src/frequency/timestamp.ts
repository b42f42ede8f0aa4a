/** Timestamps as series bring them: dates and date-times in many notations, years, epochs, or counted indices. */

import { TollamaError } from '../errors.ts';
import { TICK_NANOS } from './frequency.ts';
import { readIsoTime } from './iso-time.ts';
import {
  DAY_NANOS,
  matchNotation,
  type NotationHints,
  type NotationParts,
  offsetMinutesOf,
  type WallTime,
  wallTimeOf,
  writeLike,
} from './notation.ts';

/** A date or date-time. The wall clock counts; an offset is kept for printing and for comparing. */
export interface Moment extends WallTime {
  readonly kind: 'moment';
  /** As it was written. */
  readonly text: string;
  /** Minutes east of UTC; undefined when none is written. */
  readonly offsetMinutes: number | undefined;
  /** Nanoseconds of one count where the text is a number of seconds (ms, us, ns) since 1970. */
  readonly epochNanos: number | undefined;
  readonly hints: NotationHints;
}

/** An integer that counts, without a calendar. */
export interface IndexStamp {
  readonly kind: 'index';
  readonly text: string;
  readonly value: number;
}

export type Timestamp = Moment | IndexStamp;

const PLAIN: NotationHints = { dayFirst: false, unpaddedDate: false, unpaddedHour: false };
const INTEGER = /^([+-]?\d+)(\.0+)?$/;

const refuse = (text: string, because: string): never => {
  throw new TollamaError('INVALID_REQUEST', `timestamp '${text}' ${because}`, {
    hint: 'write timestamps as 2024-01-31, 2024-01-31T12:00:00, 2024-01 or as integers',
  });
};

type Integers = 'index' | 'date' | number;

/** What an integer most likely is: a year, yyyymm, yyyymmdd, a count of seconds (ms, us, ns) since 1970, an index. */
const kindOfInteger = (text: string): Integers => {
  const digits = INTEGER.exec(text)![1]!;
  const year = Number(digits.slice(0, 4));
  const isYear = year >= 1500 && year <= 2500;
  const parts = /^\d+$/.test(digits) && isYear ? matchNotation(digits) : undefined;
  const isDate = parts !== undefined && wallTimeOf(parts, false) !== undefined;
  if (isDate && (digits.length !== 6 || (year >= 1900 && year <= 2100))) return 'date';
  if (!/^[1-3]\d+$/.test(digits)) return 'index';
  const epochs: Readonly<Record<number, number>> = { 10: 1e9, 13: 1e6, 16: 1e3, 19: 1 };
  return epochs[digits.length] ?? 'index';
};

const fromEpoch = (text: string, epochNanos: number): Moment => {
  const perDay = DAY_NANOS / epochNanos;
  const count = BigInt(INTEGER.exec(text)![1]!);
  const day = Number(count / BigInt(perDay));
  const nanos = Number(count % BigInt(perDay)) * epochNanos;
  return { kind: 'moment', text, day, nanos, offsetMinutes: undefined, epochNanos, hints: PLAIN };
};

const toIndex = (text: string): IndexStamp => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) return refuse(text, 'is too large an integer');
  return { kind: 'index', text, value };
};

const fromInteger = (text: string, kind: Integers): Timestamp => {
  if (kind === 'index') return toIndex(text);
  return typeof kind === 'number' ? fromEpoch(text, kind) : toMoment(text, PLAIN);
};

const toMoment = (text: string, hints: NotationHints): Moment => {
  const iso = readIsoTime(text);
  if (iso) {
    const { day, nanos } = iso;
    return {
      kind: 'moment',
      text,
      day,
      nanos,
      offsetMinutes: undefined,
      epochNanos: undefined,
      hints,
    };
  }
  const parts = matchNotation(text.replace(/\.0+$/, (tail) => (INTEGER.test(text) ? '' : tail)));
  if (!parts) return refuse(text, 'is not a date, a date-time or an integer');
  const time = wallTimeOf(parts, hints.dayFirst);
  if (!time) return refuse(text, 'names a day or an hour that does not exist');
  const offsetMinutes = offsetMinutesOf(parts);
  return { kind: 'moment', text, ...time, offsetMinutes, epochNanos: undefined, hints };
};

const oneDigit = (part: string | undefined): boolean => part?.length === 1;

/** Month first, as pandas has it, unless that cannot be; dates with dots are written day first. */
const isDayFirst = (all: readonly (NotationParts | undefined)[]): boolean => {
  const above12 = (part: 'first' | 'second') =>
    all.some((parts) => Number(parts?.[part] ?? 0) > 12);
  return above12('first') || (all.some((parts) => parts?.s === '.') && !above12('second'));
};

const dateParts = (parts: NotationParts | undefined): readonly (string | undefined)[] => [
  parts?.first,
  parts?.second,
  parts?.month,
  parts?.dayOfMonth,
];

/** One part of one digit settles it; without any, days beside a month's name have no zero (Jan 1 2000). */
const isUnpadded = (all: readonly (NotationParts | undefined)[]): boolean => {
  const parts = all.flatMap(dateParts);
  if (parts.some(oneDigit)) return true;
  return (
    all.some((one) => one?.monthName && one.s === ' ') && !parts.some((p) => p?.startsWith('0'))
  );
};

const hintsOf = (all: readonly (NotationParts | undefined)[]): NotationHints => ({
  dayFirst: isDayFirst(all),
  unpaddedDate: isUnpadded(all),
  unpaddedHour: all.some((parts) => oneDigit(parts?.hour)),
});

const needsNeighbours =
  /^\d{1,2}[-/. ]|^\d{4}[-/.]\d(?:\D|$)|^\d{4}[-/.]\d\d[-/.]\d(?:\D|$)|^[A-Za-z]|[\sT]\d:/;

/**
 * Reads the timestamps of one series together, because the neighbours settle what one text leaves open:
 * whether integers are years or indices, and whether 05/06/2024 is in May or June.
 *
 * @throws TollamaError INVALID_REQUEST with the first text that is no timestamp
 */
export const parseTimestamps = (texts: readonly string[]): Timestamp[] => {
  const trimmed = texts.map((text) => text.trim());
  if (trimmed.every((text) => INTEGER.test(text))) {
    const kinds = new Set(trimmed.map(kindOfInteger));
    const lengths = new Set(trimmed.map((text) => text.length));
    const [kind = 'index'] = kinds;
    const isOne = kinds.size === 1 && lengths.size === 1;
    return trimmed.map((text) => fromInteger(text, isOne ? kind : 'index'));
  }
  const open = trimmed.filter((text) => needsNeighbours.test(text));
  const hints = open.length > 0 ? hintsOf(open.map(matchNotation)) : PLAIN;
  return trimmed.map((text) => toMoment(text, hints));
};

/**
 * Reads one timestamp; `parseTimestamps` reads a series' worth with more certainty.
 *
 * @throws TollamaError INVALID_REQUEST when the text is no timestamp
 * @example
 * parseTimestamp('2024-01-31T12:30:00+02:00'); // { kind: 'moment', day: 19753, ... }
 * parseTimestamp('17'); // { kind: 'index', value: 17, ... }
 */
export const parseTimestamp = (text: string): Timestamp => parseTimestamps([text])[0]!;

/** The same text read as a counted integer; undefined when it is no integer. */
export const asIndex = (stamp: Timestamp): IndexStamp | undefined => {
  if (stamp.kind === 'index') return stamp;
  const isSafe = INTEGER.test(stamp.text) && Number.isSafeInteger(Number(stamp.text));
  return isSafe ? toIndex(stamp.text) : undefined;
};

/** The `.0` of integers that went through a column of floats. */
const floatTail = (text: string): string => INTEGER.exec(text)?.[2] ?? '';

/** Writes times as `like` was written; in ISO 8601 where that notation has no place for them. */
export const formatMoments = (like: Moment, times: readonly WallTime[]): string[] => {
  const { epochNanos, text, hints } = like;
  const tail = floatTail(text);
  const addTail = (written: string) => (INTEGER.test(written) ? written + tail : written);
  if (epochNanos === undefined) {
    return writeLike(text.slice(0, text.length - tail.length), times, hints).map(addTail);
  }
  if (times.some(({ nanos }) => nanos % epochNanos !== 0)) return writeLike('', times, hints);
  return times.map(({ day, nanos }) => {
    const count = BigInt(day) * BigInt(DAY_NANOS / epochNanos);
    return addTail(String(count + BigInt(nanos / epochNanos)));
  });
};

/** Writes indices as `like` was written (`7.0` where it was `6.0`). */
export const formatIndices = (like: IndexStamp, values: readonly number[]): string[] =>
  values.map((value) => value + floatTail(like.text));

/** The time in UTC; wall clocks without an offset are taken as they are. */
export const toUtc = ({ day, nanos, offsetMinutes = 0 }: Moment): WallTime => {
  const shifted = nanos - offsetMinutes * TICK_NANOS.minute;
  const carry = Math.floor(shifted / DAY_NANOS);
  return { day: day + carry, nanos: shifted - carry * DAY_NANOS };
};

/** Negative when `a` is before `b`, zero when both are the same time. Indices stand before dates. */
export const compareTimestamps = (a: Timestamp, b: Timestamp): number => {
  if (a.kind === 'index' || b.kind === 'index') {
    if (a.kind === 'index' && b.kind === 'index') return a.value - b.value;
    return a.kind === 'index' ? -1 : 1;
  }
  if (a.offsetMinutes === b.offsetMinutes) return a.day - b.day || a.nanos - b.nanos;
  const [x, y] = [toUtc(a), toUtc(b)];
  return x.day - y.day || x.nanos - y.nanos;
};
