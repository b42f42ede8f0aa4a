/** Numbers as tables write them. */

import type { Cell } from './table.ts';

/** Texts that mean a missing value: those of pandas. */
const MISSING = new Set([
  ...['', '#N/A', '#N/A N/A', '#NA', '-NaN', '-nan', '<NA>', 'N/A', 'NA', 'NULL', 'NaN'],
  ...['None', 'n/a', 'nan', 'null', 'NaT'],
]);

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DECIMAL_COMMA = /^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$/;
const GROUPS = /^[+-]?\d{1,3}(?:([.,'_\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?$/;
const WITH_UNIT = /^[$€£¥]\s*[+-]?[\d.,]+$|^[+-]?[\d.,]+\s*[%$€£¥]$/;
const NOT_FINITE = /^[+-]?inf(?:inity)?$/i;

const LONGEST_MISSING = Math.max(...[...MISSING].map((text) => text.length));

const isMissingText = (text: string): boolean =>
  text.length <= LONGEST_MISSING && MISSING.has(text);

export const isMissing = (cell: Cell): boolean =>
  cell === null ||
  (typeof cell === 'string' && isMissingText(cell.trim())) ||
  (typeof cell === 'number' && Number.isNaN(cell));

/** Without blanks around it, and with the minus of typesetters as a hyphen. */
const plainText = (cell: string): string => cell.trim().replace(/^\u2212/, '-');

/** Whether a cell is a number, or was meant to be one (`1,234`, `12 %`, `inf`). */
export const looksLikeNumber = (cell: Cell): boolean => {
  if (typeof cell !== 'string') return typeof cell === 'number';
  const text = plainText(cell);
  return [NUMBER, DECIMAL_COMMA, GROUPS, WITH_UNIT, NOT_FINITE].some((form) => form.test(text));
};

/** Why a text is not read as a number, and what to do. */
export interface NotANumber {
  readonly because: string;
  readonly hint: string;
}

const EMPTY_HINT = 'leave the cell empty where a value is missing';

const explain = (text: string): NotANumber => {
  if (NOT_FINITE.test(text)) return { because: 'is not finite', hint: EMPTY_HINT };
  if (GROUPS.test(text)) {
    return {
      because: 'has thousands separators',
      hint: 'write numbers without them, for instance 1234.5',
    };
  }
  if (DECIMAL_COMMA.test(text)) {
    return {
      because: 'has a decimal comma, and the delimiter is a comma too',
      hint: "write it with a point, or put ';' between the columns",
    };
  }
  if (WITH_UNIT.test(text)) {
    return { because: 'is not a number', hint: 'write numbers without units or signs of money' };
  }
  return { because: 'is not a number', hint: EMPTY_HINT };
};

export interface NumberReader {
  /** The number, NaN where the cell is missing, or why it is neither. */
  readonly read: (cell: Cell) => number | NotANumber;
  /** Whether a number with a decimal comma was read. */
  readonly sawComma: () => boolean;
}

/**
 * Reads the numbers of one file. 1,5 is one and a half where the delimiter is not a comma; a file that has
 * both 1,5 and 1.5 is refused, because one of them must be a thousand-something.
 */
export const createNumberReader = (allowsDecimalComma: boolean): NumberReader => {
  let sawComma = false;
  let sawPoint = false;
  const mixed: NotANumber = {
    because: 'is ambiguous, for the file has decimal points and decimal commas',
    hint: 'write all numbers with a decimal point and without thousands separators',
  };
  const readText = (text: string): number | NotANumber => {
    if (NUMBER.test(text)) {
      if (allowsDecimalComma && text.includes('.')) {
        if (sawComma) return mixed;
        sawPoint = true;
      }
      const value = Number(text);
      return Number.isFinite(value) ? value : { because: 'is not finite', hint: EMPTY_HINT };
    }
    if (isMissingText(text)) return Number.NaN;
    if (!allowsDecimalComma || !DECIMAL_COMMA.test(text)) return explain(text);
    if (sawPoint) return mixed;
    sawComma = true;
    return Number(text.replace(',', '.'));
  };
  return {
    read: (cell) => {
      if (cell === null) return Number.NaN;
      if (typeof cell === 'string') return readText(plainText(cell));
      if (typeof cell === 'boolean') return { because: 'is not a number', hint: EMPTY_HINT };
      const isReadable = Number.isFinite(cell) || Number.isNaN(cell);
      return isReadable ? cell : { because: 'is not finite', hint: EMPTY_HINT };
    },
    sawComma: () => sawComma,
  };
};
