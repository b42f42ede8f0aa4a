/** From the rows of a table to series. */

import type { Column } from './column-kinds.ts';
import type { Layout } from './columns.ts';
import { createNumberReader, isMissing, type NumberReader } from './number-cell.ts';
import { type Cell, quoteValue, type Row, refuseInput } from './table.ts';

/** The rows of one id, column by column. */
export interface Group {
  /** Undefined where the table has no ids. */
  readonly id: string | undefined;
  /** Rows of the file, for messages. */
  readonly rows: number[];
  readonly times: string[];
  readonly targets: number[][];
  readonly covariates: (number | string | null)[][];
}

export interface Collector {
  readonly add: (row: Row) => void;
  readonly groups: () => readonly Group[];
  readonly sawDecimalComma: () => boolean;
}

interface Collecting {
  readonly file: string;
  readonly layout: Layout;
  readonly width: number;
  readonly numbers: NumberReader;
}

const textOf = (
  { file }: Collecting,
  row: Row,
  { column, what }: { readonly column: Column; readonly what: string },
): string => {
  const cell = row.cells[column.index] ?? null;
  if (!isMissing(cell)) return String(cell).trim();
  return refuseInput(file, `row ${row.number}: the ${what} in column '${column.name}' is missing`, {
    hint: `fill it in or remove the row`,
  });
};

const numberOf = ({ file, numbers }: Collecting, row: Row, column: Column): number => {
  const cell: Cell = row.cells[column.index] ?? null;
  const read = numbers.read(cell);
  if (typeof read === 'number') return read;
  const place = `row ${row.number}, column '${column.name}'`;
  return refuseInput(file, `${place}: ${quoteValue(cell)} ${read.because}`, { hint: read.hint });
};

const covariateOf = (collecting: Collecting, row: Row, column: Column) => {
  if (column.kind === 'number') return numberOf(collecting, row, column);
  const cell = row.cells[column.index] ?? null;
  return isMissing(cell) ? null : String(cell);
};

const checkWidth = ({ file, width }: Collecting, row: Row): void => {
  if (row.cells.length === width) return;
  const cells = row.cells.length === 1 ? '1 cell' : `${row.cells.length} cells`;
  refuseInput(file, `row ${row.number} has ${cells}, the first row has ${width}`, {
    hint: 'put cells that hold the delimiter in quotes, and give each row all cells',
  });
};

const emptyGroup = (id: string | undefined, { targets, covariates }: Layout): Group => ({
  id,
  rows: [],
  times: [],
  targets: targets.map(() => []),
  covariates: covariates.map(() => []),
});

const addRow = (collecting: Collecting, group: Group, row: Row): void => {
  const { time, targets, covariates } = collecting.layout;
  group.rows.push(row.number);
  const counted = () => String(group.rows.length);
  group.times.push(time ? textOf(collecting, row, { column: time, what: 'timestamp' }) : counted());
  for (const [i, column] of targets.entries()) {
    group.targets[i]!.push(numberOf(collecting, row, column));
  }
  for (const [i, column] of covariates.entries()) {
    group.covariates[i]!.push(covariateOf(collecting, row, column));
  }
};

/** Collects rows into groups by id, in the order of their first rows; checks each cell that is used. */
export const createCollector = (options: {
  readonly file: string;
  readonly layout: Layout;
  readonly width: number;
  readonly allowsDecimalComma: boolean;
}): Collector => {
  const numbers = createNumberReader(options.allowsDecimalComma);
  const collecting: Collecting = { ...options, numbers };
  const { id } = options.layout;
  const groups = new Map<string | undefined, Group>();
  return {
    add: (row) => {
      checkWidth(collecting, row);
      const key = id && textOf(collecting, row, { column: id, what: 'id' });
      const group = groups.get(key) ?? emptyGroup(key, options.layout);
      groups.set(key, group);
      addRow(collecting, group, row);
    },
    groups: () => [...groups.values()],
    sawDecimalComma: numbers.sawComma,
  };
};
