/**
 * Reads the header of a safetensors file (github.com/huggingface/safetensors, README "Format") and trusts
 * nothing in it: every length, offset, shape and name is checked against the file before anyone maps a
 * byte. All refusals are CHECKPOINT_INVALID and name the file and the tensor.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { DTYPES, type DType, fromSafetensorsName, SAFETENSORS_NAMES } from '../dtype.ts';
import { duplicateKey } from './duplicate-key.ts';

/** A tensor of a file: what it is, and where its bytes lie from the start of the file. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly sizeBytes: number;
}

export type SafetensorsHeader = ReadonlyMap<string, StoredTensor>;

/** The reference implementation's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

type Refuse = (why: string) => never;

const readHeaderText = async (
  file: FileHandle,
  fileBytes: number,
  refuse: Refuse,
): Promise<[string, number]> => {
  if (fileBytes < LENGTH_BYTES) refuse(`the file has ${fileBytes} bytes, too few for a header`);
  const prefix = Buffer.alloc(LENGTH_BYTES);
  await file.read(prefix, 0, LENGTH_BYTES, 0);
  const declared = prefix.readBigUInt64LE();
  if (declared > BigInt(fileBytes - LENGTH_BYTES)) {
    refuse(`the header claims ${declared} bytes, the file has ${fileBytes}`);
  }
  if (declared > BigInt(MAX_HEADER_BYTES))
    refuse(`the header claims ${declared} bytes; at most ${MAX_HEADER_BYTES} are read`);
  const header = Buffer.alloc(Number(declared));
  await file.read(header, 0, header.length, LENGTH_BYTES);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(header);
    return [text, LENGTH_BYTES + header.length];
  } catch {
    return refuse('the header is not UTF-8');
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

const parseObject = (text: string, refuse: Refuse): Record<string, unknown> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    return refuse(`the header is not JSON (${(cause as Error).message})`);
  }
  if (!isRecord(parsed)) return refuse('the header is not a JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) refuse(`tensor '${twice}' is listed twice`);
  return parsed;
};

/** Bytes that shape and type need, or undefined where the product leaves the exact integers. */
const spanOf = (shape: readonly number[], dtype: DType): number | undefined => {
  let size = DTYPES[dtype].sizeBytes;
  for (const dim of shape) {
    size *= dim;
    if (!Number.isSafeInteger(size)) return undefined;
  }
  return size;
};

const parseTensor = (
  name: string,
  entry: unknown,
  dataStart: number,
  fileBytes: number,
  refuse: Refuse,
): StoredTensor => {
  if (!isRecord(entry)) return refuse(`tensor '${name}' is not described by an object`);
  const dtype = typeof entry.dtype === 'string' ? fromSafetensorsName(entry.dtype) : undefined;
  if (!dtype) {
    return refuse(
      `tensor '${name}' has the type ${JSON.stringify(entry.dtype)}; known are ${SAFETENSORS_NAMES.join(', ')}`,
    );
  }
  const { shape, data_offsets: offsets } = entry;
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return refuse(
      `tensor '${name}' has the shape ${JSON.stringify(shape)}; it must list sizes of 0 or more`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return refuse(
      `tensor '${name}' has the offsets ${JSON.stringify(offsets)}; they must be two numbers of 0 or more`,
    );
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > fileBytes - dataStart) {
    refuse(
      `tensor '${name}' spans ${begin} to ${end}, the file holds ${fileBytes - dataStart} bytes of data`,
    );
  }
  const span = spanOf(shape, dtype);
  if (span === undefined) refuse(`tensor '${name}' of shape [${shape}] overflows`);
  if (span !== end - begin) {
    refuse(
      `tensor '${name}' of shape [${shape}] and type ${String(entry.dtype)} needs ${span} bytes, its offsets give ${end - begin}`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, sizeBytes: end - begin };
};

/** No two tensors share a byte and no byte belongs to nobody, as the reference demands. */
const checkLayout = (
  tensors: SafetensorsHeader,
  dataStart: number,
  fileBytes: number,
  refuse: Refuse,
): void => {
  let at = dataStart;
  let previous = 'the header';
  for (const [name, tensor] of [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset || a.sizeBytes - b.sizeBytes,
  )) {
    if (tensor.offset < at) refuse(`tensors '${previous}' and '${name}' overlap`);
    if (tensor.offset > at)
      refuse(`${tensor.offset - at} bytes before tensor '${name}' belong to no tensor`);
    at = tensor.offset + tensor.sizeBytes;
    previous = name;
  }
  if (at !== fileBytes) refuse(`${fileBytes - at} bytes at the end belong to no tensor`);
};

/**
 * Reads and checks the header of one safetensors file; the data is not touched.
 *
 * @throws TollamaError CHECKPOINT_INVALID for anything that is not a well-formed file
 */
export const readSafetensorsHeader = async (path: string): Promise<SafetensorsHeader> => {
  const refuse: Refuse = (why) => {
    throw new TollamaError('CHECKPOINT_INVALID', `${basename(path)}: ${why}`);
  };
  await using file = await open(path, 'r');
  const { size: fileBytes } = await file.stat();
  const [text, dataStart] = await readHeaderText(file, fileBytes, refuse);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(parseObject(text, refuse))) {
    if (name !== METADATA)
      tensors.set(name, parseTensor(name, entry, dataStart, fileBytes, refuse));
  }
  checkLayout(tensors, dataStart, fileBytes, refuse);
  return tensors;
};
