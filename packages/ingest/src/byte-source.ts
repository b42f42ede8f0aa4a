/** The bytes of a file or of stdin, unpacked where they are gzipped. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TollamaError } from '@tollama/core/errors';
import { refuseInput } from './table.ts';

export interface ByteSource {
  /** The path as it was given, or `stdin`. */
  readonly file: string;
  /** Set when the bytes lie in an ordinary file and are not packed, so that it can be read at random. */
  readonly path: string | undefined;
  /** The first bytes, up to 64 KiB, for guessing the format. */
  readonly head: Uint8Array;
  /** All bytes, the head too. To be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

const HEAD_SIZE_BYTES = 65_536;

const describeSystemError = (file: string, error: unknown): never => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return refuseInput(file, 'there is no such file', {
      hint: `check the path; \`-\` reads from stdin`,
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return refuseInput(file, 'cannot be read: permission denied', { cause: error });
  }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return refuseInput(file, 'the gzip data are damaged or cut off', { cause: error });
  }
  if (error instanceof TollamaError) throw error;
  return refuseInput(file, error instanceof Error ? error.message : String(error), {
    cause: error,
  });
};

const guarded = async function* (
  file: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    describeSystemError(file, error);
  }
};

/** Takes the head off an iterator and gives it back in front of the rest. */
const peek = async (chunks: AsyncIterable<Uint8Array>) => {
  const iterator = chunks[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let sizeBytes = 0;
  while (sizeBytes < HEAD_SIZE_BYTES) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
    sizeBytes += value.length;
  }
  const whole = async function* () {
    yield* taken.splice(0);
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  const head = Buffer.concat(taken).subarray(0, HEAD_SIZE_BYTES);
  return { head, chunks: whole() };
};

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

const unpack = (chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
  // The callback takes errors that the iteration of the last stream throws as well.
  pipeline(Readable.from(chunks, { objectMode: false }), createGunzip(), () => {});

const openFile = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
  const found = await stat(path).catch((error: unknown) => describeSystemError(path, error));
  if (found.isDirectory()) {
    return refuseInput(path, 'is a folder, not a file', {
      hint: 'give one file: CSV, JSON, NDJSON, Parquet, Arrow or DuckDB',
    });
  }
  return createReadStream(path, { highWaterMark: 1 << 18 });
};

/** Bytes that are not in a file of this machine. */
export interface GivenBytes {
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** The content itself; the path is then only its name. */
  readonly content?: AsyncIterable<Uint8Array> | undefined;
  /** Bytes, unpacked, past which a source is refused; any number when absent. */
  readonly maxBytes?: number | undefined;
}

/** A few packed bytes may hold more than there is memory. */
const upTo = async function* (
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      refuseInput(file, `holds more than ${Math.round(maxBytes / 1024 / 1024)} MB`, {
        hint: 'split it, or leave columns out that are not needed',
      });
    }
    yield chunk;
  }
};

/**
 * Opens a path, stdin for `-`, or given content, and looks at the first bytes.
 *
 * @throws TollamaError INVALID_INPUT for a missing, unreadable or empty file and for a folder
 */
export const openByteSource = async (
  path: string,
  { stdin = process.stdin, content, maxBytes = Number.POSITIVE_INFINITY }: GivenBytes = {},
): Promise<ByteSource> => {
  const isStdin = path === '-' && content === undefined;
  const file = isStdin ? 'stdin' : path;
  const bytes = content ?? (isStdin ? stdin : await openFile(path));
  let opened = await peek(guarded(file, bytes));
  const isPacked = isGzip(opened.head);
  if (isPacked) opened = await peek(guarded(file, unpack(opened.chunks)));
  if (opened.head.length === 0) {
    return refuseInput(file, 'is empty', {
      hint: 'the file needs a time column and a column of numbers, or numbers alone',
    });
  }
  return {
    file,
    path: isStdin || content || isPacked ? undefined : path,
    head: opened.head,
    chunks: Number.isFinite(maxBytes) ? upTo(file, opened.chunks, maxBytes) : opened.chunks,
  };
};

/** The name of a file without folders and extensions; `series` for stdin. */
export const stemOf = (file: string): string =>
  (file === 'stdin' ? '' : basename(file).replace(/(?:\.[A-Za-z]+)+$/, '')) || 'series';

/**
 * Decodes UTF-8 (or UTF-16 with its mark) and leaves a byte order mark out.
 *
 * @throws TollamaError INVALID_INPUT for bytes that are no text
 */
export const decodeText = async function* ({ file, head, chunks }: ByteSource) {
  const encoding =
    head[0] === 0xff && head[1] === 0xfe
      ? 'utf-16le'
      : head[0] === 0xfe && head[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  if (encoding === 'utf-8' && head.includes(0)) {
    refuseInput(file, 'holds binary data, not text', {
      hint: 'give CSV, JSON or NDJSON as text; Parquet with the extension .parquet',
    });
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TollamaError) throw error;
    refuseInput(file, 'is not UTF-8 text', {
      hint: 'convert it, for instance with `iconv -f latin1 -t utf-8`',
      cause: error,
    });
  }
};

/** All text of a source at once. */
export const readText = async (source: ByteSource): Promise<string> => {
  const parts: string[] = [];
  for await (const part of decodeText(source)) parts.push(part);
  return parts.join('');
};
