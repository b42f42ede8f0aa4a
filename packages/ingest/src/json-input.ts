/** JSON and NDJSON: rows, columns, plain numbers, or whole series as a forecast request has them. */

import { type ByteSource, decodeText, readText } from './byte-source.ts';
import { type ReadySeries, readSeriesObjects } from './series-objects.ts';
import { type Cell, quoteValue, type Row, refuseInput, type Table } from './table.ts';

/** Either a table whose columns must be understood, or series that say themselves what they are. */
export type Parsed =
  | { readonly kind: 'table'; readonly table: Table }
  | {
      readonly kind: 'series';
      readonly series: readonly ReadySeries[];
      /** The other fields of a forecast request (model, horizon, quantiles, ...). */
      readonly request: Readonly<Record<string, unknown>> | undefined;
    };

type JsonObject = Readonly<Record<string, unknown>>;

const SHAPES =
  'give an array of rows ([{"ds": ..., "y": ...}]), an object of columns ({"ds": [...], "y": [...]}), ' +
  'an array of numbers, or a forecast request ({"series": [...]})';

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCell = (value: unknown): value is Cell =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** Nested values have no place in a table; the column's kind will say so where it is used. */
const toCell = (value: unknown): Cell =>
  value === undefined ? null : isCell(value) ? value : JSON.stringify(value);

const parseJson = (file: string, text: string, place = ''): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isNaNToken = /\b(?:NaN|-?Infinity)\b/.test(text);
    return refuseInput(file, `${place}is not valid JSON: ${message}`, {
      hint: isNaNToken ? 'NaN and Infinity are not JSON; write null for a missing value' : SHAPES,
      cause: error,
    });
  }
};

const inBatches = async function* (rows: Iterable<Row>): AsyncGenerator<readonly Row[]> {
  yield [...rows];
};

const tableOf = (
  file: string,
  columns: readonly string[] | undefined,
  rows: Iterable<Row>,
): Parsed => ({
  kind: 'table',
  table: { file, format: 'JSON', columns, batches: inBatches(rows), allowsDecimalComma: false },
});

const columnNames = (rows: readonly JsonObject[]): string[] => {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
};

const rowOf = (value: JsonObject, columns: readonly string[], number: number): Row => ({
  number,
  cells: columns.map((name) => toCell(value[name])),
});

const fromArray = (file: string, values: readonly unknown[]): Parsed => {
  if (values.length === 0) return refuseInput(file, 'the array is empty', { hint: SHAPES });
  const [first] = values;
  const isLike = Array.isArray(first) ? Array.isArray : isObject(first) ? isObject : isCell;
  const odd = values.findIndex((value) => !isLike(value));
  if (odd >= 0) {
    const problem = `element ${odd + 1} (${quoteValue(values[odd])}) is of another kind than the first`;
    return refuseInput(file, problem, { hint: SHAPES });
  }
  const objects = values.filter(isObject);
  if (objects.length > 0) {
    if (objects.some((one) => Array.isArray(one.target))) {
      return { kind: 'series', series: readSeriesObjects(file, objects), request: undefined };
    }
    const columns = columnNames(objects);
    return tableOf(
      file,
      columns,
      objects.map((row, i) => rowOf(row, columns, i + 1)),
    );
  }
  const arrays: readonly (readonly unknown[])[] = values.map((v) => (Array.isArray(v) ? v : [v]));
  const columns = Array.isArray(first) ? undefined : ['value'];
  return tableOf(
    file,
    columns,
    arrays.map((cells, i) => ({ number: i + 1, cells: cells.map(toCell) })),
  );
};

const fromColumns = (file: string, object: JsonObject): Parsed => {
  const entries = Object.entries(object).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  const [first] = entries;
  if (!first || entries.length < Object.keys(object).length) {
    const other = Object.entries(object).find(([, value]) => !Array.isArray(value));
    return refuseInput(
      file,
      other
        ? `field '${other[0]}' is ${quoteValue(other[1])}, not a column`
        : 'the object is empty',
      { hint: SHAPES },
    );
  }
  const odd = entries.find(([, values]) => values.length !== first[1].length);
  if (odd) {
    const lengths = `column '${odd[0]}' has ${odd[1].length} values, '${first[0]}' has ${first[1].length}`;
    return refuseInput(file, lengths, { hint: 'give all columns the same length' });
  }
  return tableOf(
    file,
    entries.map(([name]) => name),
    first[1].map((_, i) => ({ number: i + 1, cells: entries.map(([, v]) => toCell(v[i])) })),
  );
};

const fromObject = (file: string, object: JsonObject): Parsed => {
  const { series, ...request } = object;
  if (Array.isArray(series) && (series.length === 0 || series.some(isObject))) {
    if (series.length === 0) return refuseInput(file, 'series is empty', { hint: SHAPES });
    return { kind: 'series', series: readSeriesObjects(file, series), request };
  }
  const isSeries = Array.isArray(object.target) && ('timestamps' in object || 'id' in object);
  if (isSeries && !Array.isArray(object.id)) {
    return { kind: 'series', series: readSeriesObjects(file, [object]), request: undefined };
  }
  return fromColumns(file, object);
};

/** Reads a JSON document. Throws INVALID_INPUT for a shape that holds no series. */
export const readJson = async (source: ByteSource): Promise<Parsed> => {
  const { file } = source;
  const value = parseJson(file, (await readText(source)).trim());
  if (Array.isArray(value)) return fromArray(file, value);
  if (isObject(value)) return fromObject(file, value);
  return refuseInput(file, `${quoteValue(value)} is no series`, { hint: SHAPES });
};

interface Line {
  readonly number: number;
  readonly value: unknown;
}

const readLines = async function* (source: ByteSource): AsyncGenerator<readonly Line[]> {
  let rest = '';
  let number = 0;
  const parseLines = (lines: readonly string[]): Line[] =>
    lines.flatMap((line) => {
      number++;
      if (line.trim() === '') return [];
      return [{ number, value: parseJson(source.file, line, `line ${number} `) }];
    });
  for await (const text of decodeText(source)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    const parsed = parseLines(lines);
    if (parsed.length > 0) yield parsed;
  }
  const last = parseLines([rest]);
  if (last.length > 0) yield last;
};

/** Rows of objects whose columns are those of the first lines; a later line may lack some, not add any. */
const rowsOfLines = async function* (
  file: string,
  columns: readonly string[],
  batches: AsyncIterable<readonly Line[]>,
): AsyncGenerator<readonly Row[]> {
  const known = new Set(columns);
  for await (const lines of batches) {
    yield lines.map(({ number, value }) => {
      if (!isObject(value)) {
        return refuseInput(file, `line ${number}: ${quoteValue(value)} is not an object`, {
          hint: 'write one object a line, for instance {"ds": "2024-01-01", "y": 1}',
        });
      }
      const added = Object.keys(value).find((name) => !known.has(name));
      if (added !== undefined) {
        return refuseInput(file, `line ${number}: field '${added}' is not in the first lines`, {
          hint: 'give all lines the same fields',
        });
      }
      return rowOf(value, columns, number);
    });
  }
};

/** Opens lines of JSON: one row a line, or one series a line. */
export const readNdjson = async (source: ByteSource): Promise<Parsed> => {
  const { file } = source;
  const lines = readLines(source);
  const { done, value: first } = await lines.next();
  if (done) return refuseInput(file, 'is empty', { hint: SHAPES });
  const all = async function* () {
    yield first;
    yield* lines;
  };
  const objects = first.map(({ value }) => value).filter(isObject);
  if (objects.some((one) => Array.isArray(one.target))) {
    const series: unknown[] = [];
    for await (const batch of all()) series.push(...batch.map(({ value }) => value));
    return { kind: 'series', series: readSeriesObjects(file, series), request: undefined };
  }
  const columns = columnNames(objects);
  const batches = rowsOfLines(file, columns, all());
  return {
    kind: 'table',
    table: { file, format: 'NDJSON', columns, batches, allowsDecimalComma: false },
  };
};
