/** Reading series from a file or stdin: CSV, JSON, NDJSON, Parquet, Arrow, DuckDB. */

import { openArrow } from './arrow.ts';
import { type ByteSource, openByteSource, stemOf } from './byte-source.ts';
import { joinClock } from './clock-column.ts';
import { createCollector, type Group } from './collect.ts';
import { describeColumns, isHeader } from './column-kinds.ts';
import { type ColumnOptions, guessLayout, type Layout } from './columns.ts';
import { dayMonthOrder } from './day-month.ts';
import { openDelimited } from './delimited.ts';
import { openDuckDb, splitTableName } from './duckdb.ts';
import { formatOf, type InputFormat } from './format.ts';
import { type Parsed, readJson, readNdjson } from './json-input.ts';
import { openParquet } from './parquet.ts';
import type { CovariateColumn, InputSeries } from './series-objects.ts';
import { type Row, refuseInput, type Table } from './table.ts';
import { inOrder, orderByTime } from './time-order.ts';

export interface ReadSeriesOptions extends ColumnOptions {
  /** A path, or `-` for stdin; `panel.duckdb::sales` for a table of a database. */
  readonly path: string;
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** The bytes themselves, of an upload for instance; `path` is then only their name. */
  readonly content?: AsyncIterable<Uint8Array> | undefined;
  /** Bytes, unpacked, past which the input is refused; any number when absent. */
  readonly maxBytes?: number | undefined;
  /** Guessed from extension and content when absent. */
  readonly format?: InputFormat | undefined;
  /** Of CSV; guessed when absent. */
  readonly delimiter?: string | undefined;
  /** Whether the first row of CSV names the columns; guessed when absent. */
  readonly hasHeader?: boolean | undefined;
}

export interface SeriesInput {
  readonly series: readonly InputSeries[];
  /** What was guessed or is worth knowing, one sentence each, for stderr. */
  readonly notes: readonly string[];
  /** The other fields of the forecast request (model, horizon, ...) that the input was; undefined otherwise. */
  readonly request: Readonly<Record<string, unknown>> | undefined;
}

/** Rows that are looked at before the layout is settled. */
const SAMPLE_ROWS = 20_000;

const parse = async (
  source: ByteSource,
  options: ReadSeriesOptions,
  table: string | undefined,
): Promise<Parsed> => {
  switch (formatOf(source, options.format)) {
    case 'csv':
      return { kind: 'table', table: openDelimited(source, options.delimiter) };
    case 'parquet':
      return { kind: 'table', table: await openParquet(source) };
    case 'arrow':
      return { kind: 'table', table: await openArrow(source) };
    case 'duckdb':
      return { kind: 'table', table: await openDuckDb(source, table) };
    case 'json':
      return readJson(source);
    case 'ndjson':
      return readNdjson(source);
  }
};

const takeSample = async (batches: AsyncIterator<readonly Row[]>): Promise<Row[]> => {
  const sample: Row[] = [];
  while (sample.length < SAMPLE_ROWS) {
    const { done, value } = await batches.next();
    if (done) break;
    for (const row of value) sample.push(row);
  }
  return sample;
};

interface Headed {
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

const takeHeader = (table: Table, sample: readonly Row[], hasHeader?: boolean): Headed => {
  const [first, ...rest] = sample;
  if (table.columns) return { names: table.columns, rows: sample, notes: [] };
  if (!first) return { names: [], rows: [], notes: [] };
  if (hasHeader ?? isHeader(first)) {
    return { names: first.cells.map((cell) => String(cell ?? '').trim()), rows: rest, notes: [] };
  }
  const names = first.cells.map((_, i) => `column ${i + 1}`);
  const notes = hasHeader === undefined ? ['the first row is data, there is no header'] : [];
  return { names, rows: sample, notes };
};

const checkNames = (file: string, names: readonly string[]): void => {
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) {
    refuseInput(file, `column '${twice}' stands in the header twice`, {
      hint: 'give each column its own name',
    });
  }
};

/** Names that say nothing about the series. */
const GENERIC = /^$|^(?:y|value|target|column \d+)$/i;

const toSeries = (group: Group, layout: Layout, table: Table): InputSeries[] => {
  const { file } = table;
  const order = orderByTime({
    file,
    series: group.id ?? '',
    times: group.times,
    place: (position) => `row ${group.rows[position]}`,
  });
  const timestamps = inOrder(group.times, order);
  const covariates = layout.covariates.map(({ name, kind }, i): [string, CovariateColumn] => {
    const values = inOrder(group.covariates[i]!, order);
    if (kind === 'number')
      return [name, values.map((v) => (typeof v === 'number' ? v : Number.NaN))];
    return [name, values.map((v) => (typeof v === 'string' ? v : null))];
  });
  return layout.targets.map(({ name }, i) => {
    const own = GENERIC.test(name) ? stemOf(file) : name;
    const isOne = layout.targets.length === 1;
    return {
      id: group.id === undefined ? (isOne ? own : name) : isOne ? group.id : `${group.id}/${name}`,
      freq: 'auto',
      timestamps,
      target: inOrder(group.targets[i]!, order),
      covariates: Object.fromEntries(covariates),
      futureCovariates: {},
      staticCovariates: {},
      actuals: undefined,
    };
  });
};

const countMissing = ({ target }: InputSeries): number => {
  let count = 0;
  for (const value of target) if (Number.isNaN(value)) count++;
  return count;
};

/** Leaves out series without a single value, and says what is missing in the others. */
const checkValues = (file: string, all: readonly InputSeries[]): Omit<SeriesInput, 'request'> => {
  const missing = all.map(countMissing);
  const series = all.filter((one, i) => missing[i]! < one.target.length);
  if (series.length === 0) {
    return refuseInput(file, 'all values are missing', {
      hint: 'give at least one number, or name another column with --target-col',
    });
  }
  const empty = all.length - series.length;
  const total = missing.reduce(
    (sum, count, i) => sum + (count < all[i]!.target.length ? count : 0),
    0,
  );
  const points = series.reduce((sum, { target }) => sum + target.length, 0);
  return {
    series,
    notes: [
      ...(total > 0 ? [`${total} of ${points} values are missing`] : []),
      ...(empty > 0 ? [`${empty} series without any value left out`] : []),
    ],
  };
};

const readTable = async (table: Table, options: ReadSeriesOptions): Promise<SeriesInput> => {
  const { file } = table;
  const batches = table.batches[Symbol.asyncIterator]();
  const { names, rows, notes } = takeHeader(table, await takeSample(batches), options.hasHeader);
  if (rows.length === 0) {
    return refuseInput(file, names.length > 0 ? 'has a header and no rows' : 'holds no rows', {
      hint: 'the file needs a time column and a column of numbers, or numbers alone',
    });
  }
  checkNames(file, names);
  const clock = joinClock(describeColumns(names, rows), rows, options);
  const layout = guessLayout(file, clock.columns, options);
  const { allowsDecimalComma } = table;
  const collector = createCollector({ file, layout, width: names.length, allowsDecimalComma });
  const add = (row: Row): void => collector.add(clock.join(row));
  rows.forEach(add);
  for await (const batch of { [Symbol.asyncIterator]: () => batches }) batch.forEach(add);
  const groups = collector.groups();
  const order = dayMonthOrder(groups.map(({ times }) => times));
  const read = checkValues(
    file,
    groups.flatMap((group) =>
      toSeries({ ...group, times: order.settle(group.times) }, layout, table),
    ),
  );
  const format = collector.sawDecimalComma() ? `${table.format} and decimal commas` : table.format;
  const isPlain = format === 'CSV' || !format.startsWith('CSV');
  const formatNotes = isPlain ? [] : [`read as ${format}`];
  return {
    series: read.series,
    notes: [
      ...formatNotes,
      ...notes,
      ...clock.notes,
      ...layout.notes,
      ...order.notes,
      ...read.notes,
    ],
    request: undefined,
  };
};

const isWords = (column: CovariateColumn): column is readonly (string | null)[] =>
  column.some((value) => typeof value !== 'number');

const orderSeries = (file: string, one: InputSeries): InputSeries => {
  const { id, freq, timestamps, target, covariates } = one;
  for (const [name, { length }] of Object.entries(covariates)) {
    if (length === target.length) continue;
    const lengths = `covariate '${name}' has ${length} values, target has ${target.length}`;
    refuseInput(file, `series '${id}': ${lengths}`, { hint: 'give one value for each timestamp' });
  }
  // With a frequency, timestamps are the sender's own business.
  if (freq !== 'auto') return one;
  const place = (position: number) => `series '${id}', timestamps[${position}]`;
  const order = orderByTime({ file, series: id, times: timestamps, place });
  const columns = Object.entries(covariates).map(([name, values]): [string, CovariateColumn] => [
    name,
    isWords(values) ? inOrder(values, order) : inOrder(values, order),
  ]);
  return {
    ...one,
    timestamps: inOrder(timestamps, order),
    target: inOrder(target, order),
    covariates: Object.fromEntries(columns),
  };
};

/**
 * Reads all series of a file, ascending in time. A long frame (`unique_id, ds, y` and its like), a wide one
 * (a column for each series), a column of numbers alone, JSON in several shapes; what it guesses it notes.
 *
 * @throws TollamaError INVALID_INPUT that names the file and, where there is one, the row, column and value
 * @example
 * const { series, notes } = await readSeries({ path: 'sales.csv' });
 */
export const readSeries = async (options: ReadSeriesOptions): Promise<SeriesInput> => {
  const { path, table } = options.content
    ? { path: options.path, table: undefined }
    : splitTableName(options.path);
  const source = await openByteSource(path, options);
  const parsed = await parse(source, options, table);
  if (parsed.kind === 'table') return readTable(parsed.table, options);
  const series = parsed.series.map((one) => orderSeries(source.file, one));
  return { ...checkValues(source.file, series), request: parsed.request };
};
