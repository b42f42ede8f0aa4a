/** A table as a stream of rows, before anybody knows what its columns mean. */

import { TollamaError } from '@tollama/core/errors';

/** A value of a table; null where it is missing. CSV brings texts only. */
export type Cell = string | number | boolean | null;

export interface Row {
  /** Row of the file, 1 being the first; a header counts. */
  readonly number: number;
  readonly cells: readonly Cell[];
}

export interface Table {
  /** How messages call the file: its path as it was given, or `stdin`. */
  readonly file: string;
  /** What it was read as, for messages: `CSV with ';'`. */
  readonly format: string;
  /** Names of the columns; undefined where the first row may or may not hold them. */
  readonly columns: readonly string[] | undefined;
  /** Rows in batches, so that millions of them cost no promise each. */
  readonly batches: AsyncIterable<readonly Row[]>;
  /** Whether numbers may be written 1,5: texts of a file whose delimiter is no comma. */
  readonly allowsDecimalComma: boolean;
}

/** Throws INVALID_INPUT with the file's name in front. */
export const refuseInput = (
  file: string,
  message: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): never => {
  throw new TollamaError('INVALID_INPUT', `${file}: ${message}`, options);
};

const LONGEST_QUOTE = 40;

/** A value for a message: quoted, and cut where it is long. */
export const quoteValue = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
  return `'${cut.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?')}'`;
};

/** `a, b, c` with the rest counted. */
export const listNames = (names: readonly string[], most = 8): string => {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
};
