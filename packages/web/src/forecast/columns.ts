/** Which column is the time, which the values, which tells series apart: by name, else by content. */
import { parseTimestamp } from '@tollama/core/frequency/timestamp';
import type { Table } from './csv.ts';

/** Places of columns; undefined: there is none. */
export interface Columns {
  readonly time: number | undefined;
  readonly value: number;
  readonly id: number | undefined;
}

export type ColumnKind = 'number' | 'date' | 'text';

const TIME_NAMES =
  /^(?:ds|timestamp|time|date|datetime|date_time|observation_date|utc_timestamp|year|month|fecha)$/i;
const ID_NAMES = /^(?:unique_id|item_id|series_id|series|id|entity|country|store|sku)$/i;
const VALUE_NAMES = /^(?:y|target|value|ot|demand|sales|close|price|count|load)$/i;

const MISSING = /^(?:|na|n\/a|nan|null|none|-)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const ROWS_LOOKED_AT = 100;

/**
 * A number as tables write it; null for a missing value, undefined for anything else. A comma is a decimal
 * sign only where it does not part cells.
 */
export const readNumber = (cell: string, delimiter: string): number | null | undefined => {
  if (MISSING.test(cell)) return null;
  const text = delimiter === ',' ? cell : cell.replace(',', '.');
  const number = Number(text);
  return NUMBER.test(text) && Number.isFinite(number) ? number : undefined;
};

const isTime = (cell: string): boolean => {
  try {
    return parseTimestamp(cell).kind === 'moment';
  } catch {
    return false;
  }
};

const kindOfCell = (cell: string, delimiter: string): ColumnKind => {
  if (typeof readNumber(cell, delimiter) === 'number') return 'number';
  return isTime(cell) ? 'date' : 'text';
};

/** What most of the first cells of each column are. */
export const columnKinds = ({ names, rows, delimiter }: Table): ColumnKind[] =>
  names.map((_, column) => {
    const cells = rows
      .slice(0, ROWS_LOOKED_AT)
      .map((row) => row[column] ?? '')
      .filter((cell) => !MISSING.test(cell));
    const count = { number: 0, date: 0, text: 0 };
    for (const cell of cells) count[kindOfCell(cell, delimiter)]++;
    if (count.text * 2 > cells.length || cells.length === 0) return 'text';
    return count.date >= count.number ? 'date' : 'number';
  });

/** Guesses the columns; undefined when no column holds numbers. */
export const guessColumns = (table: Table): Columns | undefined => {
  const kinds = columnKinds(table);
  const places = [...table.names.keys()];
  const named = (pattern: RegExp, allowed: readonly ColumnKind[]) =>
    places.find((i) => pattern.test(table.names[i]!) && allowed.includes(kinds[i]!));
  const time = named(TIME_NAMES, ['date', 'number']) ?? places.find((i) => kinds[i] === 'date');
  const repeats = (i: number) => new Set(table.rows.map((row) => row[i])).size < table.rows.length;
  const id =
    places.find((i) => i !== time && ID_NAMES.test(table.names[i]!) && repeats(i)) ??
    (time !== undefined && repeats(time)
      ? places.find((i) => i !== time && kinds[i] === 'text' && repeats(i))
      : undefined);
  const isFree = (i: number) => i !== time && i !== id && kinds[i] === 'number';
  const byName = places.find((i) => isFree(i) && VALUE_NAMES.test(table.names[i]!));
  const value = byName ?? places.find(isFree);
  return value === undefined ? undefined : { time, value, id };
};
