/** A date in one column and the time of day in another become one column, as the command line reads them. */
import { columnKinds } from './columns.ts';
import type { Table } from './csv.ts';

const CLOCK = /^\d{1,2}([:.])\d\d(?:\1\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?$/;
const HAS_CLOCK = /\d[T ]\d|:/;

const withColons = (text: string): string =>
  text.includes(':') ? text : text.replaceAll('.', ':');

/** The same table where there is not one column of each. */
export const joinClock = (table: Table): Table => {
  const { names, rows } = table;
  const kinds = columnKinds(table);
  const cells = (column: number) => rows.map((row) => row[column] ?? '').filter(Boolean);
  const places = [...names.keys()];
  const dates = places.filter(
    (i) => kinds[i] === 'date' && !cells(i).some((cell) => HAS_CLOCK.test(cell)),
  );
  const clocks = places.filter(
    (i) => kinds[i] === 'text' && cells(i).length > 0 && cells(i).every((cell) => CLOCK.test(cell)),
  );
  const [date, clock] = [dates[0], clocks[0]];
  if (date === undefined || clock === undefined || dates.length > 1 || clocks.length > 1) {
    return table;
  }
  const joined = (row: readonly string[]): string[] =>
    row
      .with(date, [row[date], withColons(row[clock] ?? '')].filter(Boolean).join(' '))
      .toSpliced(clock, 1);
  return {
    ...table,
    names: names.toSpliced(clock, 1),
    rows: rows.map((row) => (row.length > Math.max(date, clock) ? joined(row) : row)),
  };
};
