/**
 * The series block of a request: series one after the other in one column, exogenous rows beside it. Stays in
 * columns; a series is a stretch of them.
 */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';

const Column = z.custom<readonly unknown[]>(Array.isArray, {
  error: 'Input should be a valid list',
});

export const SeriesBlock = z.object({
  y: Column,
  sizes: Column,
  X: z.array(Column).nullish(),
  X_future: z.array(Column).nullish(),
  categorical_exog: z.array(z.int().min(0)).nullish(),
  start_datetime: z.array(z.string()).nullish(),
});
export type SeriesBlock = z.infer<typeof SeriesBlock>;

/** Numbers without gaps, or words. past [N]; future [S * h], absent where it is not known ahead. */
export type ExogenousRow =
  | { readonly kind: 'numbers'; readonly past: Float64Array; readonly future?: Float64Array }
  | {
      readonly kind: 'words';
      readonly past: readonly string[];
      readonly future?: readonly string[];
    };

export interface Panel {
  /** [N], NaN where a value is missing. */
  readonly values: Float64Array;
  /** [S] */
  readonly sizes: readonly number[];
  /** [S], where each series starts in `values`. */
  readonly offsets: readonly number[];
  readonly rows: readonly ExogenousRow[];
  /** Whether the rows' values after an origin may be used in a forecast from it, by row. */
  readonly isKnownAhead: readonly boolean[];
  /** Date of the first point of each series, where it was sent. */
  readonly starts: readonly string[] | undefined;
}

/** @throws TollamaError INVALID_REQUEST, always */
export const refuseBody = (path: readonly (string | number)[], message: string): never => {
  const issue = { type: 'value_error', loc: ['body', ...path], msg: message };
  throw new TollamaError('INVALID_REQUEST', message, { data: [issue] });
};

const readNumbers = (
  column: readonly unknown[],
  path: readonly (string | number)[],
): Float64Array => {
  const numbers = new Float64Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (typeof value === 'number') numbers[i] = value;
    else if (value === null) numbers[i] = Number.NaN;
    else refuseBody([...path, i], `Input should be a valid number (got ${JSON.stringify(value)})`);
  }
  return numbers;
};

/** Categories as words; a missing one is a category too. */
const readWords = (column: readonly unknown[], path: readonly (string | number)[]): string[] =>
  column.map((value, i) => {
    if (typeof value === 'object' && value !== null) {
      refuseBody(
        [...path, i],
        `Input should be a string or a number (got ${JSON.stringify(value)})`,
      );
    }
    return String(value);
  });

/** The last value before a gap stands in it, so that no later value is seen before its time; 0 without any. */
const withoutGaps = (numbers: Float64Array, sizes: readonly number[]): Float64Array => {
  let from = 0;
  for (const size of sizes) {
    const part = numbers.subarray(from, from + size);
    let last = part.find((value) => !Number.isNaN(value)) ?? 0;
    for (let i = 0; i < size; i++) {
      if (Number.isNaN(part[i])) part[i] = last;
      else last = part[i]!;
    }
    from += size;
  }
  return numbers;
};

const readSizes = (column: readonly unknown[], points: number): number[] => {
  let sum = 0;
  const sizes = column.map((value, i) => {
    const isSize = typeof value === 'number' && Number.isInteger(value) && value > 0;
    if (!isSize) refuseBody(['series', 'sizes', i], 'Input should be a positive integer');
    sum += value as number;
    return value as number;
  });
  if (sizes.length === 0) refuseBody(['series', 'sizes'], 'there is no series');
  if (sum !== points) {
    refuseBody(['series', 'sizes'], `sizes add up to ${sum}, y has ${points} values`);
  }
  return sizes;
};

export interface PanelOptions {
  readonly horizon: number;
  /** Rows that are known in the past only; absent: those without a row in X_future. */
  readonly historic?: readonly number[] | null;
  /** Whether X itself holds what is known ahead (windows over the history). */
  readonly isRolling: boolean;
}

const readRow = (
  index: number,
  { X, X_future, categorical_exog }: SeriesBlock,
  sizes: readonly number[],
  horizon: number,
): ExogenousRow => {
  const past = X![index]!;
  const future = X_future?.[index];
  const points = sizes.reduce((sum, size) => sum + size, 0);
  if (past.length !== points) {
    refuseBody(['series', 'X', index], `the row has ${past.length} values, y has ${points}`);
  }
  if (future && future.length !== sizes.length * horizon) {
    const expected = sizes.length * horizon;
    refuseBody(
      ['series', 'X_future', index],
      `the row has ${future.length} values, not ${expected}`,
    );
  }
  if (categorical_exog?.includes(index)) {
    const words = (column: readonly unknown[], name: string) =>
      readWords(column, ['series', name, index]);
    return {
      kind: 'words',
      past: words(past, 'X'),
      ...(future && { future: words(future, 'X_future') }),
    };
  }
  const ahead = sizes.map(() => horizon);
  const numbers = (column: readonly unknown[], name: string, parts: readonly number[]) =>
    withoutGaps(readNumbers(column, ['series', name, index]), parts);
  return {
    kind: 'numbers',
    past: numbers(past, 'X', sizes),
    ...(future && { future: numbers(future, 'X_future', ahead) }),
  };
};

/** @throws TollamaError INVALID_REQUEST naming the column whose length or values do not fit */
export const readPanel = (block: SeriesBlock, options: PanelOptions): Panel => {
  const { horizon, historic, isRolling } = options;
  const values = readNumbers(block.y, ['series', 'y']);
  const sizes = readSizes(block.sizes, values.length);
  const rowCount = block.X?.length ?? 0;
  const futureCount = block.X_future?.length ?? 0;
  if (futureCount > rowCount) {
    refuseBody(['series', 'X_future'], `X_future has ${futureCount} rows, X has ${rowCount}`);
  }
  for (const index of [...(historic ?? []), ...(block.categorical_exog ?? [])]) {
    if (index >= rowCount) refuseBody(['series'], `there is no row ${index} of X`);
  }
  const rows = Array.from({ length: rowCount }, (_, i) => readRow(i, block, sizes, horizon));
  const isKnownAhead = rows.map((row, i) =>
    isRolling ? row.kind === 'words' || !historic?.includes(i) : row.future !== undefined,
  );
  let next = 0;
  const offsets = sizes.map((size) => {
    const offset = next;
    next += size;
    return offset;
  });
  return { values, sizes, offsets, rows, isKnownAhead, starts: block.start_datetime ?? undefined };
};
