/**
 * Reads the header of safetensors data (github.com/huggingface/safetensors, README "Format") and trusts
 * nothing in it: every length, offset, shape and name is checked against the file before anyone maps a
 * byte. All refusals are CHECKPOINT_INVALID and name the file and the tensor.
 */
import { TollamaError } from '@tollama/core/errors';
import { DTYPES, type DType, fromSafetensorsName, SAFETENSORS_NAMES } from '../dtype.ts';
import { parseStrictJson, shown } from './strict-json.ts';

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
/** Far above what is published; what is read here is compared, printed and searched later. */
const MAX_NAME_LENGTH = 1000;
const MAX_TENSORS = 100_000;
const MAX_RANK = 32;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';
const OPENING_BRACE = 0x7b;

type Refuse = (why: string) => never;

/** Where the data lie: a file, or memory. */
export interface ByteSource {
  /** Names them in errors. */
  readonly name: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

const readHeaderText = async (
  { sizeBytes: fileBytes, read }: ByteSource,
  refuse: Refuse,
): Promise<[string, number]> => {
  if (fileBytes < LENGTH_BYTES) refuse(`the file has ${fileBytes} bytes, too few for a header`);
  const prefix = await read(0, LENGTH_BYTES);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(fileBytes - LENGTH_BYTES)) {
    refuse(`the header claims ${declared} bytes, the file has ${fileBytes}`);
  }
  if (declared > BigInt(MAX_HEADER_BYTES))
    refuse(`the header claims ${declared} bytes; at most ${MAX_HEADER_BYTES} are read`);
  const header = await read(LENGTH_BYTES, Number(declared));
  if (header[0] !== OPENING_BRACE) refuse('the header is not a JSON object');
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
  try {
    // The first character is a brace.
    return parseStrictJson(text) as Record<string, unknown>;
  } catch (cause) {
    return refuse(`the header is not JSON that can be trusted (${(cause as Error).message})`);
  }
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
  if (name.length > MAX_NAME_LENGTH) {
    refuse(`a tensor's name has ${name.length} characters; at most ${MAX_NAME_LENGTH}`);
  }
  if (!isRecord(entry)) return refuse(`tensor '${name}' is not described by an object`);
  const dtype = typeof entry.dtype === 'string' ? fromSafetensorsName(entry.dtype) : undefined;
  if (!dtype) {
    return refuse(
      `tensor '${name}' has the type ${shown(entry.dtype)}; known are ${SAFETENSORS_NAMES.join(', ')}`,
    );
  }
  const { shape, data_offsets: offsets } = entry;
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount)) {
    return refuse(
      `tensor '${name}' has the shape ${shown(shape)}; it must list at most ${MAX_RANK} sizes of 0 or more`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return refuse(
      `tensor '${name}' has the offsets ${shown(offsets)}; they must be two numbers of 0 or more`,
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

/** Free text by keys; nobody reads it here, but what is none is no safetensors file. */
const checkMetadata = (entry: unknown, refuse: Refuse): void => {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string')) {
    refuse(`${METADATA} is ${shown(entry)}; it must map texts to texts`);
  }
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
 * Reads and checks the header of safetensors data; the tensors are not touched.
 *
 * @throws TollamaError CHECKPOINT_INVALID for anything that is not well-formed
 */
export const parseSafetensorsHeader = async (source: ByteSource): Promise<SafetensorsHeader> => {
  const refuse: Refuse = (why) => {
    throw new TollamaError('CHECKPOINT_INVALID', `${source.name}: ${why}`);
  };
  const fileBytes = source.sizeBytes;
  const [text, dataStart] = await readHeaderText(source, refuse);
  const tensors = new Map<string, StoredTensor>();
  const entries = Object.entries(parseObject(text, refuse));
  if (entries.length > MAX_TENSORS) refuse(`${entries.length} tensors; at most ${MAX_TENSORS}`);
  for (const [name, entry] of entries) {
    if (name === METADATA) checkMetadata(entry, refuse);
    else tensors.set(name, parseTensor(name, entry, dataStart, fileBytes, refuse));
  }
  checkLayout(tensors, dataStart, fileBytes, refuse);
  return tensors;
};
