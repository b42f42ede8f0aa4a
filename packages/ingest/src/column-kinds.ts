/** What the first rows of a table say about its columns. */

import { parseTimestamp } from '@tollama/core/frequency/timestamp';
import { isMissing, looksLikeNumber } from './number-cell.ts';
import type { Cell, Row } from './table.ts';

/** `date` is a text that names a time; whole numbers, years too, are numbers. */
export type CellKind = 'missing' | 'number' | 'date' | 'text';

export interface Column {
  readonly name: string;
  readonly index: number;
  /** The kind of most of its cells; `missing` when all are. */
  readonly kind: CellKind;
  /** The cells of the first rows. */
  readonly sample: readonly Cell[];
}

const isDate = (text: string): boolean => {
  try {
    return parseTimestamp(text).kind === 'moment';
  } catch {
    return false;
  }
};

export const kindOf = (cell: Cell): CellKind => {
  if (isMissing(cell)) return 'missing';
  if (looksLikeNumber(cell)) return 'number';
  return typeof cell === 'string' && isDate(cell) ? 'date' : 'text';
};

/** Cells that are enough to know the kind of a column. */
const CELLS_LOOKED_AT = 200;

const commonKind = (cells: readonly Cell[]): CellKind => {
  const kinds = cells.slice(0, CELLS_LOOKED_AT).map(kindOf);
  const count = (kind: CellKind) => kinds.filter((k) => k === kind).length;
  const [number, date, text] = [count('number'), count('date'), count('text')];
  if (number + date + text === 0) {
    return cells.length > CELLS_LOOKED_AT ? commonKind(cells.slice(CELLS_LOOKED_AT)) : 'missing';
  }
  if (number > 0 && number >= date + text) return 'number';
  return date >= text ? 'date' : 'text';
};

/** Describes the columns by the first rows; rows may be shorter than the header. */
export const describeColumns = (names: readonly string[], rows: readonly Row[]): Column[] =>
  names.map((name, index) => {
    const sample = rows.map((row) => row.cells[index] ?? null);
    return { name, index, kind: commonKind(sample), sample };
  });

/** Whether a name is a date or a year: a table that has a column for each time. */
export const isTimeName = (name: string): boolean =>
  isDate(name.trim()) || /^(?:1[5-9]|20)\d\d$/.test(name.trim());

/**
 * Whether the first row names the columns: it has a text that is neither a number nor a date, and no number
 * with a fraction. Dates may name columns, if all but the first do.
 */
export const isHeader = ({ cells }: Row): boolean => {
  const [first, ...others] = cells.map(kindOf);
  const isFraction = (cell: Cell) => kindOf(cell) === 'number' && /[.,]/.test(String(cell));
  if (cells.some(isFraction)) return false;
  if (others.length > 1 && others.every((kind) => kind === 'date')) return first === 'text';
  return [first, ...others].includes('text') && ![first, ...others].includes('date');
};
