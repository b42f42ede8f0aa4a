/** Arrow's IPC format, as a stream or as a file (Feather version 2), record batch by record batch. */
import { zstdDecompressSync } from 'node:zlib';
import type { DataType, RecordBatch, Vector } from 'apache-arrow';
import type { ByteSource } from './byte-source.ts';
import { isoOfDay, isoOfMilliseconds } from './iso-time.ts';
import { decodeLz4Frame } from './lz4-frame.ts';
import { loadOptional } from './optional-package.ts';
import { type Cell, type Row, refuseInput, type Table } from './table.ts';

export type Arrow = typeof import('apache-arrow');

/** The package with its codecs in place. Throws DEPENDENCY_MISSING. */
export const loadArrow = async (): Promise<Arrow> => {
  const arrow = await loadOptional('apache-arrow', 'Arrow', () => import('apache-arrow'));
  const { compressionRegistry, CompressionType } = arrow;
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decodeLz4Frame });
  compressionRegistry.set(CompressionType.ZSTD, {
    decode: (bytes) => new Uint8Array(zstdDecompressSync(bytes)),
  });
  return arrow;
};

const DAMAGED = 'write the file again; it must be a whole Arrow or Feather (version 2) file';

export const refuseDamaged = (file: string, cause: unknown): never =>
  refuseInput(
    file,
    `cannot be read as Arrow: ${cause instanceof Error ? cause.message : String(cause)}`,
    { hint: DAMAGED, cause },
  );

/** The record batches of a source. Throws INVALID_INPUT for damaged ones. */
export const readArrowBatches = async function* (
  { RecordBatchReader }: Arrow,
  { file, chunks }: Pick<ByteSource, 'file' | 'chunks'>,
): AsyncGenerator<RecordBatch> {
  try {
    const reader = await RecordBatchReader.from(chunks);
    await reader.open();
    if (!reader.schema) refuseInput(file, 'holds no Arrow schema', { hint: DAMAGED });
    for await (const batch of reader) yield batch;
  } catch (cause) {
    refuseDamaged(file, cause);
  }
};

const BITS_PER_WORD = 32;

/** Little-endian two's complement words as a number. */
export const decimalOf = (words: Uint32Array, scale: number): number => {
  const bits = BigInt(words.length * BITS_PER_WORD);
  const raw = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return Number(`${BigInt.asIntN(Number(bits), raw)}e-${scale}`);
};

type Reader = (value: unknown) => Cell;

/** How values of a type become cells; undefined for types that hold several values. */
const readerOf = ({ DataType: types }: Arrow, type: DataType): Reader | undefined => {
  if (types.isDictionary(type)) return readerOf({ DataType: types } as Arrow, type.dictionary);
  if (types.isTimestamp(type)) return (value) => isoOfMilliseconds(Number(value));
  if (types.isDate(type)) return (value) => isoOfDay(Number(value));
  if (types.isDecimal(type)) return (value) => decimalOf(value as Uint32Array, type.scale);
  if (types.isInt(type) || types.isFloat(type)) return Number;
  if (types.isUtf8(type) || types.isLargeUtf8(type)) return String;
  if (types.isBool(type)) return Boolean;
  if (types.isNull(type)) return () => null;
  return undefined;
};

interface CellColumn {
  readonly name: string;
  readonly index: number;
  readonly read: Reader;
}

const columnsOf = (arrow: Arrow, { schema }: RecordBatch): CellColumn[] =>
  schema.fields.flatMap(({ name, type }, index) => {
    const read = readerOf(arrow, type);
    return read ? [{ name, index, read }] : [];
  });

const rowsOf = (batch: RecordBatch, columns: readonly CellColumn[], first: number): Row[] => {
  const vectors = columns.map(({ index }) => batch.getChildAt(index) as Vector);
  return Array.from({ length: batch.numRows }, (_, i) => ({
    number: first + i,
    cells: columns.map(({ read }, c) => {
      const value: unknown = vectors[c]!.get(i);
      return value === null || value === undefined ? null : read(value);
    }),
  }));
};

/** Opens an Arrow source; columns of lists and structures are left out. */
export const openArrow = async (source: ByteSource): Promise<Table> => {
  const { file } = source;
  if (Buffer.from(source.head.subarray(0, 4)).toString('latin1') === 'FEA1') {
    refuseInput(file, 'is a Feather file of version 1, which is not supported', {
      hint: 'write it as version 2, as pandas and pyarrow do by default',
    });
  }
  const arrow = await loadArrow();
  const batches = readArrowBatches(arrow, source);
  const { value: first } = await batches.next();
  if (!first)
    return refuseInput(file, 'holds no rows', { hint: 'the file needs at least one row' });
  const columns = columnsOf(arrow, first);
  const read = async function* (): AsyncGenerator<readonly Row[]> {
    let count = 1;
    const whole = async function* () {
      yield first;
      yield* batches;
    };
    for await (const batch of whole()) {
      yield rowsOf(batch, columns, count);
      count += batch.numRows;
    }
  };
  return {
    file,
    format: 'Arrow',
    columns: columns.map(({ name }) => name),
    batches: read(),
    allowsDecimalComma: false,
  };
};
