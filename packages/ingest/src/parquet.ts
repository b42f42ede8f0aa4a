/** Parquet, read row group by row group. */

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { isoOfCount, isoOfDay } from './iso-time.ts';
import { type Cell, type Row, refuseInput, type Table } from './table.ts';

type Hyparquet = typeof import('hyparquet');
type AsyncBuffer = import('hyparquet').AsyncBuffer;
type FileMetaData = import('hyparquet').FileMetaData;
type Compressors = import('hyparquet').Compressors;

const bytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** Codecs besides Snappy, which the reader has itself. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => bytes(gunzipSync(input)),
  BROTLI: (input) => bytes(brotliDecompressSync(input)),
  ZSTD: (input) => bytes(zstdDecompressSync(input)),
};
const READABLE_CODECS = new Set(['UNCOMPRESSED', 'SNAPPY', ...Object.keys(COMPRESSORS)]);

const PARSERS = {
  timestampFromMilliseconds: (millis: bigint) => isoOfCount(millis, 1000n),
  timestampFromMicroseconds: (micros: bigint) => isoOfCount(micros, 1_000_000n),
  timestampFromNanoseconds: (nanos: bigint) => isoOfCount(nanos, 1_000_000_000n),
  dateFromDays: (days: number) => isoOfDay(days * 86_400_000),
};

const toCell = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return typeof value === 'bigint' ? Number(value) : JSON.stringify(value);
};

const wholeBuffer = async (source: ByteSource): Promise<AsyncBuffer> => {
  const parts: Uint8Array[] = [];
  for await (const chunk of source.chunks) parts.push(chunk);
  const whole = Buffer.concat(parts);
  const exact = new Uint8Array(whole).buffer;
  return { byteLength: exact.byteLength, slice: (start, end) => exact.slice(start, end) };
};

const DAMAGED = 'write the file again; it must be a whole Parquet file';

const checkCodecs = (file: string, metadata: FileMetaData): void => {
  const codecs = metadata.row_groups.flatMap((group) =>
    group.columns.map((column) => column.meta_data?.codec ?? 'UNCOMPRESSED'),
  );
  const unknown = codecs.find((codec) => !READABLE_CODECS.has(codec));
  if (unknown !== undefined) {
    refuseInput(file, `is compressed with ${unknown}, which is not supported`, {
      hint: 'write it with snappy, zstd, gzip, brotli or without compression',
    });
  }
};

const refuseDamaged = (file: string, error: unknown): never => {
  const message = error instanceof Error ? error.message : String(error);
  return refuseInput(file, `cannot be read as Parquet: ${message}`, {
    hint: DAMAGED,
    cause: error,
  });
};

interface Opened {
  readonly file: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
}

const readGroups = async function* (
  { parquetReadObjects }: Hyparquet,
  { file, buffer, metadata, columns }: Opened,
): AsyncGenerator<readonly Row[]> {
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const objects = await parquetReadObjects({
      file: buffer,
      metadata,
      columns: [...columns],
      rowStart,
      rowEnd,
      compressors: COMPRESSORS,
      parsers: PARSERS,
    }).catch((error: unknown) => refuseDamaged(file, error));
    const first = rowStart + 1;
    yield objects.map((object, i) => ({
      number: first + i,
      cells: columns.map((name) => toCell(object[name])),
    }));
    rowStart = rowEnd;
  }
};

/** Opens a Parquet file. Throws INVALID_INPUT for damaged files and codecs that are not supported. */
export const openParquet = async (source: ByteSource): Promise<Table> => {
  const { file, path } = source;
  const hyparquet = await import('hyparquet');
  const buffer =
    path === undefined ? await wholeBuffer(source) : await hyparquet.asyncBufferFromFile(path);
  const metadata = await hyparquet
    .parquetMetadataAsync(buffer, { parsers: PARSERS })
    .catch((error: unknown) => refuseDamaged(file, error));
  checkCodecs(file, metadata);
  const columns = hyparquet
    .parquetSchema(metadata)
    .children.filter((child) => child.children.length === 0)
    .map((child) => child.element.name);
  return {
    file,
    format: 'Parquet',
    columns,
    batches: readGroups(hyparquet, { file, buffer, metadata, columns }),
    allowsDecimalComma: false,
  };
};
