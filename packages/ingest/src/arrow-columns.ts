/** Arrow's record batches as columns of plain values, for whoever writes them into a table with types. */
import type { FileHandle } from 'node:fs/promises';
import type { DataType, RecordBatch, Vector } from 'apache-arrow';
import { type Arrow, decimalOf, loadArrow, refuseDamaged } from './arrow.ts';

/** `time` counts microseconds since 1970 and `day` days since then; `zoned` is a time with a zone, in UTC. */
export type ArrowKind = 'number' | 'integer' | 'text' | 'boolean' | 'time' | 'zoned' | 'day';

export type ArrowValue = number | bigint | string | boolean | null;

export interface ArrowColumn {
  readonly name: string;
  readonly kind: ArrowKind;
}

export interface ArrowRows {
  readonly columns: readonly ArrowColumn[];
  readonly count: number;
  /** Values of a column from one row to another, missing ones null. */
  readonly values: (column: number, from: number, end: number) => ArrowValue[];
}

interface Read extends ArrowColumn {
  readonly index: number;
  readonly read: (value: never) => ArrowValue;
}

const MS_PER_DAY = 86_400_000;
const micros = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000));

/** undefined for types that hold several values. */
const readerOf = (arrow: Arrow, type: DataType): Pick<Read, 'kind' | 'read'> | undefined => {
  const { DataType: types } = arrow;
  if (types.isDictionary(type)) return readerOf(arrow, type.dictionary);
  if (types.isTimestamp(type)) return { kind: type.timezone ? 'zoned' : 'time', read: micros };
  if (types.isDate(type)) return { kind: 'day', read: (ms: number) => Math.floor(ms / MS_PER_DAY) };
  if (types.isInt(type)) return { kind: 'integer', read: BigInt };
  if (types.isFloat(type)) return { kind: 'number', read: Number };
  if (types.isDecimal(type)) {
    return { kind: 'number', read: (words: Uint32Array) => decimalOf(words, type.scale) };
  }
  if (types.isUtf8(type) || types.isLargeUtf8(type)) return { kind: 'text', read: String };
  if (types.isBool(type)) return { kind: 'boolean', read: Boolean };
  if (types.isNull(type)) return { kind: 'number', read: () => null };
  return undefined;
};

const columnsOf = (arrow: Arrow, { schema }: RecordBatch): Read[] =>
  schema.fields.flatMap(({ name, type }, index) => {
    const found = readerOf(arrow, type);
    return found ? [{ name, index, ...found }] : [];
  });

const rowsOf = (batch: RecordBatch, columns: readonly Read[]): ArrowRows => ({
  columns,
  count: batch.numRows,
  values(column, from, end) {
    const { index, read } = columns[column]!;
    const vector = batch.getChildAt(index) as Vector;
    return Array.from({ length: end - from }, (_, i) => {
      const value: unknown = vector.get(from + i);
      return value === null || value === undefined ? null : read(value as never);
    });
  },
});

/**
 * Reads a source batch by batch; a file of Arrow's file format needs a handle for that, bytes of it are read whole.
 * Columns of lists and structures are left out.
 *
 * @throws TollamaError INVALID_INPUT for damaged files, DEPENDENCY_MISSING without apache-arrow
 */
export const readArrowColumns = async function* (
  file: string,
  source: FileHandle | AsyncIterable<Uint8Array>,
): AsyncGenerator<ArrowRows> {
  const arrow = await loadArrow();
  let columns: Read[] | undefined;
  try {
    const reader = await arrow.RecordBatchReader.from(source as AsyncIterable<Uint8Array>);
    await reader.open();
    for await (const batch of reader) {
      columns ??= columnsOf(arrow, batch);
      yield rowsOf(batch, columns);
    }
  } catch (cause) {
    refuseDamaged(file, cause);
  }
};
