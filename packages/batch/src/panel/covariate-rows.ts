/** Collects the covariates of one series at a time beside its values. */
import type { CovariateName, PanelCovariate, SeriesCovariates } from '../block/panel-block.ts';
import type { CovariateColumn } from './covariate-columns.ts';

/** Columns of a chunk of rows. */
export interface CovariateVectors {
  /** 1 for rows of the file that tells the future. */
  readonly isFuture: ArrayLike<number>;
  /** A double, or a text, NULL where missing. */
  readonly at: (column: number, row: number) => number | string | null;
}

type CellValue = number | string | null;

export interface CovariateRows {
  add(vectors: CovariateVectors, from: number, end: number): void;
  /** What was added; starts anew. */
  take(): {
    readonly marks: readonly boolean[];
    readonly columns: readonly (readonly CellValue[])[];
  };
}

/** A collector for the covariates of a panel's rows. */
export const createCovariateRows = (columns: readonly CovariateColumn[]): CovariateRows => {
  let marks: boolean[] = [];
  let cells: CellValue[][] = columns.map(() => []);
  return {
    add({ isFuture, at }, from, end) {
      for (let row = from; row < end; row++) {
        marks.push(isFuture[row] === 1);
        for (let k = 0; k < columns.length; k++) cells[k]!.push(at(k, row));
      }
    },
    take() {
      const taken = { marks, columns: cells };
      marks = [];
      cells = columns.map(() => []);
      return taken;
    },
  };
};

/** Columns of a block: those that change over time. */
export const covariateNames = (columns: readonly CovariateColumn[]): readonly CovariateName[] =>
  columns
    .filter(({ role }) => role !== 'static')
    .map(({ name, role }) => ({ name, isKnown: role === 'future' }));

const isMissing = (cell: CellValue): cell is null =>
  cell === null || (typeof cell === 'number' && Number.isNaN(cell));

const staticOf = (name: string, cells: readonly CellValue[]): number | string => {
  const found = new Set(cells.filter((cell) => !isMissing(cell)));
  if (found.size > 1) throw new Error(`static covariate '${name}' has ${found.size} values`);
  const [value] = found;
  if (value === undefined || value === null) {
    throw new Error(`static covariate '${name}' has no value`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Error(`static covariate '${name}' is not a finite number`);
  }
  return value;
};

export interface TakenRows {
  /** Places of the history and of the rows after it. */
  readonly history: readonly number[];
  readonly future: readonly number[];
  readonly times: Float64Array;
  readonly cells: readonly (readonly CellValue[])[];
}

/** Covariates of a series. Throws an error that says what is wrong with them. */
export const seriesCovariates = (
  columns: readonly CovariateColumn[],
  { history, future, times, cells }: TakenRows,
): SeriesCovariates => {
  const statics: Record<string, number | string> = {};
  const found: PanelCovariate[] = [];
  columns.forEach(({ name, role, isNumeric }, k) => {
    const own = cells[k]!;
    if (role === 'static') {
      statics[name] = staticOf(
        name,
        history.map((row) => own[row]!),
      );
      return;
    }
    const rows = role === 'future' ? [...history, ...future] : history;
    const values = rows.map((row) => own[row]!);
    if (!isNumeric) found.push(values as (string | null)[]);
    else {
      const numbers = Float64Array.from(values as number[]);
      if (numbers.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) {
        throw new Error(`covariate '${name}' has a value that is not a finite number`);
      }
      found.push(numbers);
    }
  });
  return { columns: found, futureTimes: Float64Array.from(future, (row) => times[row]!), statics };
};
