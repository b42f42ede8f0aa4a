/** Collects the rows of one series at a time, and says what is wrong with them. */
import { errorMessage } from '@tollama/core/errors';
import type { PanelSeries, TimeKind } from '../block/panel-block.ts';
import { timeText } from '../block/time-text.ts';
import type { PanelColumns } from './columns.ts';
import {
  type CovariateRows,
  type CovariateVectors,
  createCovariateRows,
  seriesCovariates,
} from './covariate-rows.ts';

const FIRST_CAPACITY = 1024;

/** Columns of a chunk of rows. */
export interface RowVectors {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** Where the panel has covariates. */
  readonly covariates?: CovariateVectors | undefined;
}

export interface SeriesRows {
  /** Takes rows `from` to before `end`. */
  add(vectors: RowVectors, from: number, end: number): void;
  /** The series of what was added, under an id; starts anew. */
  take(id: string): PanelSeries;
}

const problemOf = (
  times: Float64Array,
  values: Float64Array,
  kind: TimeKind,
): string | undefined => {
  const untimed = times.findIndex((time) => !Number.isFinite(time));
  if (untimed >= 0) return 'the time of a row is missing or cannot be read';
  for (let i = 1; i < times.length; i++) {
    if (times[i] === times[i - 1]) return `two rows have the time ${timeText(times[i]!, kind)}`;
  }
  if (values.every(Number.isNaN)) return 'no value is observed';
  const odd = values.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY);
  return odd < 0 ? undefined : `the value at ${timeText(times[odd]!, kind)} is not a finite number`;
};

const NONE = new Float64Array(0);

const failed = (id: string, problem: string): PanelSeries => ({
  ...{ id, times: NONE, values: NONE, problem },
});

/** Columns of one table begin together; a series begins with its first value. */
const withoutHead = (times: Float64Array, values: Float64Array) => {
  const first = values.findIndex((value) => !Number.isNaN(value));
  return { times: times.slice(Math.max(0, first)), values: values.slice(Math.max(0, first)) };
};

/** Rows of one series: [rows] each. */
interface Rows {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

interface Split {
  readonly history: readonly number[];
  readonly future: readonly number[];
}

/** Rows of the future: those of their own file after the last of the history, else the last ones without a value. */
const splitRows = (
  { covariates, isWide, hasFutureFile }: PanelColumns,
  rows: Rows,
  marks: readonly boolean[],
): Split => {
  const { times, values } = rows;
  const all = Array.from(values.keys());
  const known = covariates.some(({ role }) => role === 'future');
  const own = all.filter((row) => !marks[row]);
  let history = own;
  let future: number[] = [];
  if (hasFutureFile) {
    const last = own.length > 0 ? times[own.at(-1)!]! : Number.POSITIVE_INFINITY;
    future = all.filter((row) => marks[row] && times[row]! > last);
  } else if (known) {
    const end = values.findLastIndex((value) => !Number.isNaN(value)) + 1;
    if (end > 0) [history, future] = [all.slice(0, end), all.slice(end)];
  }
  const first = isWide ? history.findIndex((row) => !Number.isNaN(values[row]!)) : 0;
  return { history: history.slice(Math.max(0, first)), future };
};

/** Times and values of rows, in arrays that grow. */
class GrowingRows {
  #times = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  #length = 0;

  add({ times, values }: RowVectors, from: number, end: number): void {
    this.#reserve(this.#length + end - from);
    for (let row = from; row < end; row++) {
      this.#times[this.#length] = times[row]!;
      this.#values[this.#length++] = values[row]!;
    }
  }

  /** A copy of what was added; starts anew. */
  take(): Rows {
    const taken = {
      times: this.#times.slice(0, this.#length),
      values: this.#values.slice(0, this.#length),
    };
    this.#length = 0;
    return taken;
  }

  #reserve(least: number): void {
    if (least <= this.#times.length) return;
    const capacity = Math.max(least, 2 * this.#times.length);
    const grown = (numbers: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(capacity);
      larger.set(numbers.subarray(0, this.#length));
      return larger;
    };
    [this.#times, this.#values] = [grown(this.#times), grown(this.#values)];
  }
}

/** The series of rows without covariates. */
const plainSeries = (id: string, rows: Rows, { kind, isWide }: PanelColumns): PanelSeries => {
  const problem = problemOf(rows.times, rows.values, kind);
  if (problem !== undefined) return failed(id, problem);
  return { id, ...(isWide ? withoutHead(rows.times, rows.values) : rows) };
};

/** The series of rows with covariates: its history, and what is known of the time after it. */
const seriesWith = (
  beside: ReturnType<CovariateRows['take']>,
  id: string,
  rows: Rows,
  columns: PanelColumns,
): PanelSeries => {
  const { history, future } = splitRows(columns, rows, beside.marks);
  if (history.length === 0) return failed(id, 'only the file of the future has it');
  const all = [...history, ...future];
  const times = Float64Array.from(all, (row) => rows.times[row]!);
  const values = Float64Array.from(all, (row) => rows.values[row]!);
  const problem = problemOf(times, values, columns.kind);
  if (problem !== undefined) return failed(id, problem);
  try {
    const taken = { history, future, times: rows.times, cells: beside.columns };
    return {
      id,
      times: times.slice(0, history.length),
      values: values.slice(0, history.length),
      covariates: seriesCovariates(columns.covariates, taken),
    };
  } catch (error) {
    return failed(id, errorMessage(error));
  }
};

/** A collector for the rows of a panel, one series after the other. */
export const createSeriesRows = (columns: PanelColumns): SeriesRows => {
  const { covariates } = columns;
  const beside = covariates.length > 0 ? createCovariateRows(covariates) : undefined;
  const rows = new GrowingRows();
  return {
    add(vectors, from, end) {
      rows.add(vectors, from, end);
      if (beside) beside.add(vectors.covariates!, from, end);
    },
    take(id) {
      const taken = rows.take();
      return beside
        ? seriesWith(beside.take(), id, taken, columns)
        : plainSeries(id, taken, columns);
    },
  };
};
