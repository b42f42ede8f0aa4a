/**
 * Whether 05/06/2024 is in May or June is settled by the whole file: one series alone may lack a day past the 12th
 * that another has.
 */
import { isMissing } from './number-cell.ts';

/** Two numbers before a year, as in 31/01/2024 and 1-31-24; dots are always day first. */
const TWO_FIRST = /^(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)(?=\D|$)(.*)$/;

export interface DayMonthOrder {
  /** Times of a series, written so that they read the same alone. */
  readonly settle: (times: string[]) => string[];
  readonly notes: readonly string[];
}

const AS_THEY_ARE: DayMonthOrder = { settle: (times) => times, notes: [] };

const pastTwelve = (part: string | undefined): boolean => Number(part) > 12;

/** Two digits as POSIX reads them: 69 to 99 are 19xx. */
const fullYear = (year: string): string =>
  year.length === 4 ? year : `${Number(year) >= 69 ? 19 : 20}${year}`;

const dayFirstAsIso = (text: string): string => {
  const match = TWO_FIRST.exec(text.trim());
  if (!match) return text;
  const [, day, , month, year, rest] = match as unknown as readonly string[];
  return `${fullYear(year!)}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}${rest}`;
};

/** Whether a series has a day past the 12th in front, so that it needs no other to be read. */
const isSettled = (times: readonly string[]): boolean =>
  times.some((text) => pastTwelve(TWO_FIRST.exec(text.trim())?.[1]));

/** Looks at the times of all series of a file. */
export const dayMonthOrder = (all: readonly (readonly string[])[]): DayMonthOrder => {
  const example = all[0]?.find((text) => !isMissing(text));
  if (example === undefined || !TWO_FIRST.test(example.trim())) return AS_THEY_ARE;
  const matches = all.flat().map((text) => TWO_FIRST.exec(text.trim()));
  const isDayFirst = matches.some((match) => pastTwelve(match?.[1]));
  if (isDayFirst) {
    const settle = (times: string[]) => (isSettled(times) ? times : times.map(dayFirstAsIso));
    return { settle, notes: [] };
  }
  const isMonthFirst = matches.some((match) => pastTwelve(match?.[3]));
  const open = matches.find((match) => match && match[1] !== match[3])?.[0];
  if (isMonthFirst || open === undefined) return AS_THEY_ARE;
  return {
    ...AS_THEY_ARE,
    notes: [`'${open}' is read with the month first; if the day is, write ${dayFirstAsIso(open)}`],
  };
};
