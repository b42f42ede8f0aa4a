/** A date in one column and the time of day in another: `date,time,y`, as meters and weather stations write it. */
import { type Column, describeColumns } from './column-kinds.ts';
import { type ColumnOptions, sameName } from './columns.ts';
import { isMissing } from './number-cell.ts';
import type { Row } from './table.ts';

const CLOCK = /^\d{1,2}([:.])\d\d(?:\1\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?$/;
/** A date with a time of its own needs no other. */
const HAS_CLOCK = /\d[T ]\d|:/;

export interface JoinedClock {
  readonly columns: readonly Column[];
  readonly join: (row: Row) => Row;
  readonly notes: readonly string[];
}

const texts = ({ sample }: Column): string[] =>
  sample.filter((cell) => !isMissing(cell)).map((cell) => String(cell).trim());

const isClock = (column: Column): boolean => {
  const present = texts(column);
  return column.kind === 'text' && present.length > 0 && present.every((text) => CLOCK.test(text));
};

const isDateOnly = (column: Column): boolean =>
  column.kind === 'date' && !texts(column).some((text) => HAS_CLOCK.test(text));

/** `18.00.00` as `18:00:00`; the fraction of a second keeps its point. */
const withColons = (text: string): string =>
  text.includes(':') ? text : text.replaceAll('.', ':');

/** Joins the two where there is one of each; what the options name otherwise stays as it is. */
export const joinClock = (
  columns: readonly Column[],
  rows: readonly Row[],
  { idColumn, timeColumn, targetColumns = [] }: ColumnOptions,
): JoinedClock => {
  const [dates, clocks] = [columns.filter(isDateOnly), columns.filter(isClock)];
  const [date, clock] = [dates[0], clocks[0]];
  const asked = [idColumn, ...targetColumns].filter((name) => name !== undefined);
  const isFree =
    date !== undefined &&
    clock !== undefined &&
    (timeColumn === undefined || sameName(timeColumn, date.name)) &&
    !asked.some((name) => sameName(name, clock.name) || sameName(name, date.name));
  if (!isFree || dates.length > 1 || clocks.length > 1) {
    return { columns, join: (row) => row, notes: [] };
  }
  const join = (row: Row): Row => {
    const [day, time] = [row.cells[date.index] ?? null, row.cells[clock.index] ?? null];
    if (isMissing(day) || isMissing(time)) return row;
    const moment = `${String(day).trim()} ${withColons(String(time).trim())}`;
    return { ...row, cells: row.cells.with(date.index, moment) };
  };
  const names = columns.map(({ name }) => name);
  return {
    columns: describeColumns(names, rows.map(join)).filter(({ index }) => index !== clock.index),
    join,
    notes: [`'${date.name}' and '${clock.name}' are read together`],
  };
};
