/** Long frames: rows or columns of id, time, value and covariates, from memory or from a file. */
import { TSAgentKitError } from '../errors/session-error.ts';

export type FrameRow = Readonly<Record<string, unknown>>;

/** Rows as objects, or columns by name. */
export type FrameInput = readonly FrameRow[] | Readonly<Record<string, ArrayLike<unknown>>>;

export interface LongFrame {
  readonly names: readonly string[];
  readonly length: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

const isColumn = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

const invalid = (message: string, hint: string): never => {
  throw new TSAgentKitError('E_CONTRACT_INVALID', message, { fixHint: hint });
};

const SHAPES = 'give an array of rows, or an object of columns of equal length';

const fromRows = (rows: readonly FrameRow[]): LongFrame => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = new Map(names.map((name) => [name, rows.map((row) => row[name] ?? null)]));
  return { names, length: rows.length, columns };
};

const fromColumns = (input: Readonly<Record<string, unknown>>): LongFrame => {
  const entries = Object.entries(input);
  const odd = entries.find(([, values]) => !isColumn(values));
  if (odd) return invalid(`'${odd[0]}' is no column`, SHAPES);
  const columns = new Map(
    entries.map(([name, values]) => [name, Array.from(values as ArrayLike<unknown>)]),
  );
  const lengths = [...columns.values()].map((values) => values.length);
  if (new Set(lengths).size > 1)
    return invalid(`columns have ${lengths.join(', ')} values`, SHAPES);
  return { names: [...columns.keys()], length: lengths[0] ?? 0, columns };
};

/**
 * @throws TSAgentKitError E_CONTRACT_INVALID for what is no table, or an empty one
 */
export const toFrame = (input: unknown): LongFrame => {
  const isTable = typeof input === 'object' && input !== null;
  if (!isTable) return invalid(`${input === null ? 'null' : typeof input} is no table`, SHAPES);
  const rows = Array.isArray(input);
  if (rows && input.some((row) => typeof row !== 'object' || row === null || Array.isArray(row))) {
    return invalid('a row is no object', SHAPES);
  }
  const frame = rows
    ? fromRows(input as FrameRow[])
    : fromColumns(input as Readonly<Record<string, unknown>>);
  return frame.length === 0 ? invalid('the table is empty', 'give at least one row') : frame;
};

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
};

/**
 * Reads a long frame from CSV, JSON, NDJSON, Parquet, Arrow or a table of DuckDB (`panel.duckdb::sales`), or from the
 * bytes of such a file, DuckDB's apart. Columns are `unique_id`, `ds`, `y` and the covariates.
 *
 * @throws TollamaError INVALID_INPUT that names file, row and column
 */
export const readFrame = async (
  from: string | Uint8Array,
  columns: { readonly unique_id?: string; readonly ds?: string; readonly y?: string } = {},
): Promise<FrameRow[]> => {
  const { readSeries } = await import('@tollama/ingest/read-series');
  const { series } = await readSeries({
    ...(typeof from === 'string' ? { path: from } : { path: 'frame', content: once(from) }),
    idColumn: columns.unique_id,
    timeColumn: columns.ds,
    targetColumns: columns.y === undefined ? undefined : [columns.y],
  });
  const { unique_id = 'unique_id', ds = 'ds', y = 'y' } = columns;
  return series.flatMap((one) =>
    one.timestamps.map((stamp, t) => ({
      [unique_id]: one.id,
      [ds]: stamp,
      [y]: one.target[t]!,
      ...Object.fromEntries(
        Object.entries(one.covariates).map(([name, values]) => [name, values[t]]),
      ),
    })),
  );
};

/**
 * Writes rows, such as a run's forecast, as CSV, JSON, NDJSON, Parquet, Arrow or a table of DuckDB, by the name's end.
 *
 * @throws TollamaError INVALID_REQUEST for another ending or a place that cannot be written
 */
export const writeFrame = async (path: string, rows: readonly object[]): Promise<void> => {
  const { writeTable } = await import('@tollama/ingest/write-table');
  await writeTable(path, rows as readonly FrameRow[]);
};

/** Rows as the bytes of an Arrow file. */
export const frameArrow = async (rows: readonly object[]): Promise<Uint8Array> => {
  const [{ arrowBytes }, { tableColumns }] = await Promise.all([
    import('@tollama/ingest/write-table'),
    import('@tollama/ingest/table-columns'),
  ]);
  return arrowBytes(tableColumns(rows as readonly FrameRow[]));
};

/** Rows as the bytes of a Parquet file. */
export const frameParquet = async (rows: readonly object[]): Promise<Uint8Array> => {
  const [{ parquetBytes }, { tableColumns }] = await Promise.all([
    import('@tollama/ingest/write-table'),
    import('@tollama/ingest/table-columns'),
  ]);
  return parquetBytes(tableColumns(rows as readonly FrameRow[]));
};

const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows as CSV; the columns are those of the first row. */
export const frameCsv = (rows: readonly FrameRow[]): string => {
  const names = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => names.map((name) => cell(row[name])).join(','));
  return `${[names.map(cell).join(','), ...lines].join('\n')}\n`;
};

/** Rows as columns. */
export const frameColumns = (rows: readonly FrameRow[]): Record<string, unknown[]> =>
  Object.fromEntries(
    Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name])]),
  );
