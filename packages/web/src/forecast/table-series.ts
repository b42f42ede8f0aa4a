/** The series that a table holds, in the order of time. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { type Columns, readNumber } from './columns.ts';
import type { Table } from './csv.ts';
import { placesOf } from './time-axis.ts';

export interface SeriesData {
  readonly id: string;
  readonly timestamps: readonly string[];
  /** Null: missing. */
  readonly values: readonly (number | null)[];
  /** Seconds since 1970, or counts. */
  readonly places: readonly number[];
  readonly isTime: boolean;
}

/** More series of one file than that are not read: a page is for looking. */
export const MAX_SERIES = 100;

const refuse = (file: string, problem: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `${file}: ${problem}`, { hint });
};

interface Draft {
  readonly timestamps: string[];
  readonly values: (number | null)[];
}

const readValue = (table: Table, column: number, row: number): number | null => {
  const cell = table.rows[row]![column] ?? '';
  const value = readNumber(cell, table.delimiter);
  if (value !== undefined) return value;
  return refuse(
    table.file,
    `row ${row + 1}: '${cell}' in column '${table.names[column]}' is not a number`,
    'choose another column of values, or correct the cell',
  );
};

/** 1,5 and 1.500 in one column: one of the two signs must stand for thousands. */
const checkDecimalSigns = ({ file, delimiter, names, rows }: Table, value: number): void => {
  const has = (sign: string) => rows.some((row) => row[value]?.includes(sign));
  if (delimiter === ',' || !has(',') || !has('.')) return;
  refuse(
    file,
    `column '${names[value]}' has decimal points and decimal commas`,
    'write all numbers with a decimal point and without thousands separators',
  );
};

const drafts = (table: Table, { time, value, id }: Columns): Map<string, Draft> => {
  checkDecimalSigns(table, value);
  const found = new Map<string, Draft>();
  table.rows.forEach((cells, row) => {
    const name = id === undefined ? table.names[value]! : cells[id] || '(none)';
    let draft = found.get(name);
    if (!draft) {
      if (found.size >= MAX_SERIES) return;
      draft = { timestamps: [], values: [] };
      found.set(name, draft);
    }
    draft.timestamps.push(
      time === undefined ? String(draft.values.length + 1) : (cells[time] ?? ''),
    );
    draft.values.push(readValue(table, value, row));
  });
  return found;
};

const placesOrRefuse = (file: string, timestamps: readonly string[]) => {
  try {
    return placesOf(timestamps);
  } catch (error) {
    return refuse(file, errorMessage(error), 'choose another column of times, or none');
  }
};

const ordered = (file: string, id: string, { timestamps, values }: Draft): SeriesData => {
  const { places, isTime } = placesOrRefuse(file, timestamps);
  const order = [...places.keys()].toSorted((a, b) => places[a]! - places[b]!);
  const sorted = order.map((i) => places[i]!);
  const twice = sorted.findIndex((place, i) => i > 0 && place === sorted[i - 1]);
  if (twice > 0) {
    refuse(
      file,
      `series '${id}' has two rows at '${timestamps[order[twice]!]}'`,
      'choose the column that tells the series apart',
    );
  }
  return {
    id,
    timestamps: order.map((i) => timestamps[i]!),
    values: order.map((i) => values[i]!),
    places: sorted,
    isTime,
  };
};

/**
 * @throws TollamaError INVALID_INPUT naming the row, the cell or the time that cannot be
 */
export const seriesOf = (table: Table, columns: Columns): SeriesData[] =>
  [...drafts(table, columns)].map(([id, draft]) => ordered(table.file, id, draft));
