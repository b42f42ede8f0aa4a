/** The plain ISO 8601 forms, read without a regular expression: they are nearly all there is. */

import { dayOfCivil, daysInMonth } from './calendar.ts';
import { TICK_NANOS } from './frequency.ts';
import type { WallTime } from './notation.ts';

const ZERO = 48;
const [DASH, COLON, T, SPACE] = ['-', ':', 'T', ' '].map((character) => character.charCodeAt(0));

/** The number in two characters; NaN where one is no digit. */
const twoDigits = (text: string, at: number): number => {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
};

const clockNanos = (text: string): number => {
  if (text.length === 10) return 0;
  const separator = text.charCodeAt(10);
  if ((separator !== T && separator !== SPACE) || text.charCodeAt(13) !== COLON) return Number.NaN;
  const hasSeconds = text.length === 19;
  if (hasSeconds ? text.charCodeAt(16) !== COLON : text.length !== 16) return Number.NaN;
  const [hour, minute] = [twoDigits(text, 11), twoDigits(text, 14)];
  const second = hasSeconds ? twoDigits(text, 17) : 0;
  if (!(hour < 24 && minute < 60 && second < 60)) return Number.NaN;
  return hour * TICK_NANOS.hour + minute * TICK_NANOS.minute + second * TICK_NANOS.second;
};

/** Reads `2024-01-31`, `2024-01-31T12:30` and `2024-01-31 12:30:00`; undefined for anything else. */
export const readIsoTime = (text: string): WallTime | undefined => {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const dayOfMonth = twoDigits(text, 8);
  const nanos = clockNanos(text);
  const isDate = month >= 1 && month <= 12 && dayOfMonth >= 1;
  if (!isDate || Number.isNaN(year + nanos) || dayOfMonth > daysInMonth(year, month)) {
    return undefined;
  }
  return { day: dayOfCivil(year, month, dayOfMonth), nanos };
};
