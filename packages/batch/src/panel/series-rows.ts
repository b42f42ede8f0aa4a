/** Collects the rows of one series at a time, and says what is wrong with them. */
import { errorMessage } from '@tollama/core/errors';
import type { PanelSeries, TimeKind } from '../block/panel-block.ts';
import { timeText } from '../worker/calendar.ts';
import type { PanelColumns } from './columns.ts';
import { type CovariateVectors, createCovariateRows, seriesCovariates } from './covariate-rows.ts';

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

interface Split {
  readonly history: readonly number[];
  readonly future: readonly number[];
}

/** Rows of the future: those of their own file after the last of the history, else the last ones without a value. */
const splitRows = (
  { covariates, isWide, hasFutureFile }: PanelColumns,
  rows: { readonly times: Float64Array; readonly values: Float64Array },
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

export const createSeriesRows = (columns: PanelColumns): SeriesRows => {
  const { kind, covariates, isWide } = columns;
  const beside = covariates.length > 0 ? createCovariateRows(covariates) : undefined;
  let times = new Float64Array(FIRST_CAPACITY);
  let values = new Float64Array(FIRST_CAPACITY);
  let length = 0;
  const grow = (least: number): void => {
    const capacity = Math.max(least, 2 * times.length);
    const [oldTimes, oldValues] = [times, values];
    times = new Float64Array(capacity);
    values = new Float64Array(capacity);
    times.set(oldTimes.subarray(0, length));
    values.set(oldValues.subarray(0, length));
  };
  const takeWith = (
    id: string,
    rows: { times: Float64Array; values: Float64Array },
  ): PanelSeries => {
    const { marks, columns: cells } = beside!.take();
    const { history, future } = splitRows(columns, rows, marks);
    if (history.length === 0) return failed(id, 'only the file of the future has it');
    const all = [...history, ...future];
    const allTimes = Float64Array.from(all, (row) => rows.times[row]!);
    const allValues = Float64Array.from(all, (row) => rows.values[row]!);
    const problem = problemOf(allTimes, allValues, kind);
    if (problem !== undefined) return failed(id, problem);
    try {
      const taken = { history, future, times: rows.times, cells };
      return {
        id,
        times: allTimes.slice(0, history.length),
        values: allValues.slice(0, history.length),
        covariates: seriesCovariates(covariates, taken),
      };
    } catch (error) {
      return failed(id, errorMessage(error));
    }
  };
  return {
    add(vectors, from, end) {
      if (length + end - from > times.length) grow(length + end - from);
      for (let row = from; row < end; row++) {
        times[length] = vectors.times[row]!;
        values[length++] = vectors.values[row]!;
      }
      if (beside) beside.add(vectors.covariates!, from, end);
    },
    take(id) {
      const taken = { times: times.slice(0, length), values: values.slice(0, length) };
      length = 0;
      if (beside) return takeWith(id, taken);
      const problem = problemOf(taken.times, taken.values, kind);
      if (problem !== undefined) return failed(id, problem);
      return { id, ...(isWide ? withoutHead(taken.times, taken.values) : taken) };
    },
  };
};
