/**
 * The directory of a zip archive whose entries are stored as they are (PKWARE APPNOTE.TXT 6.3.10), as
 * `torch.save` writes them. Nothing is unpacked: an entry is a place in the file. Nothing in the archive is
 * trusted: every place is checked against the file, and no two entries may share a byte.
 */
import type { FileHandle } from 'node:fs/promises';
import { readPart } from '../safetensors/regular-file.ts';
import { shown } from '../safetensors/strict-json.ts';

/** Where the bytes of an entry lie. */
export interface StoredEntry {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Says what is wrong with the archive, and throws. */
export type Refuse = (why: string) => never;

const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const;
const END = { signature: 0x06054b50, bytes: 22 } as const;
const ZIP64_LOCATOR = { signature: 0x07064b50, bytes: 20 } as const;
const ZIP64_END = { signature: 0x06064b50, bytes: 56 } as const;
const MAX_COMMENT_BYTES = 0xffff;
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
const UNSET_16 = 0xffff;
const UNSET_32 = 0xffffffff;
/** Ten times what checkpoints of the largest models have. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 20_000_000;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the central directory lies, and how many entries it lists. */
interface Directory {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly count: number;
}

const safeNumber = (value: bigint, refuse: Refuse): number => {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`it claims a place or size of ${value}`);
  return Number(value);
};

/** The place of the end record: the last one whose comment reaches just to the end of the file. */
const findEnd = (tail: Uint8Array, refuse: Refuse): number => {
  const view = viewOf(tail);
  for (let at = tail.length - END.bytes; at >= 0; at--) {
    const isEnd = view.getUint32(at, true) === END.signature;
    if (isEnd && at + END.bytes + view.getUint16(at + 20, true) === tail.length) return at;
  }
  return refuse('it has no end of a zip directory: it is cut, or no archive of torch.save');
};

/** The end record in 64 bits, where the 32-bit one says that it does not suffice. */
const readZip64End = async (
  file: FileHandle,
  endOffset: number,
  refuse: Refuse,
): Promise<Directory> => {
  const locator = await readPart(file, endOffset - ZIP64_LOCATOR.bytes, ZIP64_LOCATOR.bytes);
  const place = viewOf(locator);
  if (place.getUint32(0, true) !== ZIP64_LOCATOR.signature) refuse('its 64-bit end is missing');
  const offset = safeNumber(place.getBigUint64(8, true), refuse);
  if (offset > endOffset - ZIP64_LOCATOR.bytes - ZIP64_END.bytes) {
    refuse(`its 64-bit end lies at ${offset}, past the directory`);
  }
  const view = viewOf(await readPart(file, offset, ZIP64_END.bytes));
  if (view.getUint32(0, true) !== ZIP64_END.signature) refuse('its 64-bit end is malformed');
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0) {
    refuse('it spans several disks');
  }
  const [count, sizeBytes, start] = [32, 40, 48].map((at) =>
    safeNumber(view.getBigUint64(at, true), refuse),
  ) as [number, number, number];
  return { count, sizeBytes, offset: start };
};

const readEnd = async (file: FileHandle, fileBytes: number, refuse: Refuse): Promise<Directory> => {
  const tailBytes = Math.min(fileBytes, END.bytes + MAX_COMMENT_BYTES);
  const tail = await readPart(file, fileBytes - tailBytes, tailBytes);
  const at = findEnd(tail, refuse);
  const endOffset = fileBytes - tailBytes + at;
  const view = viewOf(tail);
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const count = view.getUint16(at + 10, true);
  const sizeBytes = view.getUint32(at + 12, true);
  const offset = view.getUint32(at + 16, true);
  const isShort = count === UNSET_16 || sizeBytes === UNSET_32 || offset === UNSET_32;
  if (!isShort && disks.some((disk) => disk !== 0)) refuse('it spans several disks');
  const directory =
    isShort && endOffset >= ZIP64_LOCATOR.bytes + ZIP64_END.bytes
      ? await readZip64End(file, endOffset, refuse)
      : { count, sizeBytes, offset };
  if (directory.offset + directory.sizeBytes > endOffset) {
    refuse(`its directory of ${directory.sizeBytes} bytes at ${directory.offset} leaves the file`);
  }
  if (directory.count > MAX_ENTRIES || directory.sizeBytes > MAX_DIRECTORY_BYTES) {
    refuse(
      `its directory lists ${directory.count} entries in ${directory.sizeBytes} bytes; at most ${MAX_ENTRIES} in ${MAX_DIRECTORY_BYTES} are read`,
    );
  }
  return directory;
};

/** An entry as the directory lists it. */
interface Listed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly headerOffset: number;
}

/** Sizes and place in 64 bits, in the order of those that do not fit into the entry itself. */
const zip64Values = (extra: Uint8Array, count: number, refuse: Refuse): readonly number[] => {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === ZIP64_FIELD && length >= 8 * count) {
      if (at + 4 + length > extra.length) break;
      return Array.from({ length: count }, (_, i) =>
        safeNumber(view.getBigUint64(at + 4 + 8 * i, true), refuse),
      );
    }
    at += 4 + length;
  }
  return refuse('an entry of its directory lacks its 64-bit sizes');
};

const decodeName = (bytes: Uint8Array, refuse: Refuse): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the name of an entry is not UTF-8');
  }
};

/** One entry of the directory, and where the next one begins. */
const readListed = (bytes: Uint8Array, at: number, refuse: Refuse): [Listed, number] => {
  const view = viewOf(bytes);
  if (at + CENTRAL.bytes > bytes.length || view.getUint32(at, true) !== CENTRAL.signature) {
    refuse('its directory is malformed');
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
    view.getUint16(at + field, true),
  ) as [number, number, number];
  const next = at + CENTRAL.bytes + nameBytes + extraBytes + commentBytes;
  if (next > bytes.length) refuse('its directory is malformed');
  const nameEnd = at + CENTRAL.bytes + nameBytes;
  const name = decodeName(bytes.subarray(at + CENTRAL.bytes, nameEnd), refuse);
  if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) refuse(`entry ${shown(name)} is encrypted`);
  const method = view.getUint16(at + 10, true);
  if (method !== 0) {
    refuse(`entry ${shown(name)} is compressed (method ${method}); only stored entries are read`);
  }
  const narrow = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  const extra = bytes.subarray(nameEnd, nameEnd + extraBytes);
  const missing = narrow.filter((value) => value === UNSET_32).length;
  const wide = missing > 0 ? [...zip64Values(extra, missing, refuse)] : [];
  const [sizeBytes, storedBytes, headerOffset] = narrow.map((value) =>
    value === UNSET_32 ? wide.shift()! : value,
  ) as [number, number, number];
  if (storedBytes !== sizeBytes) {
    refuse(`entry ${shown(name)} is stored in ${storedBytes} bytes and has ${sizeBytes}`);
  }
  return [{ name, sizeBytes, headerOffset }, next];
};

/** Where the bytes of an entry begin, behind its own header, which must agree with the directory. */
const dataOffset = async (
  file: FileHandle,
  { name, headerOffset }: Listed,
  limit: number,
  refuse: Refuse,
): Promise<number> => {
  if (headerOffset + LOCAL.bytes > limit) {
    refuse(`entry ${shown(name)} lies at ${headerOffset}, past the entries`);
  }
  const view = viewOf(await readPart(file, headerOffset, LOCAL.bytes));
  const nameBytes = view.getUint16(26, true);
  if (view.getUint32(0, true) !== LOCAL.signature || view.getUint16(8, true) !== 0) {
    refuse(`entry ${shown(name)} has no header of a stored entry at ${headerOffset}`);
  }
  const own = await readPart(file, headerOffset + LOCAL.bytes, nameBytes);
  if (new TextDecoder().decode(own) !== name) {
    refuse(`entry ${shown(name)} has another name at ${headerOffset}`);
  }
  return headerOffset + LOCAL.bytes + nameBytes + view.getUint16(28, true);
};

/** Refuses entries that share a byte, headers included. */
const checkApart = (places: readonly (readonly [Listed, StoredEntry])[], refuse: Refuse): void => {
  let end = 0;
  let previous = '';
  for (const [{ name, headerOffset }, { offset, sizeBytes }] of places.toSorted(
    ([a], [b]) => a.headerOffset - b.headerOffset,
  )) {
    if (headerOffset < end) refuse(`entries ${shown(previous)} and ${shown(name)} overlap`);
    end = offset + sizeBytes;
    previous = name;
  }
};

/**
 * Reads and checks the directory of an archive; the entries themselves are not read.
 *
 * @param refuse called with the reason for an archive that is malformed, compressed or encrypted
 */
export const readZipDirectory = async (
  file: FileHandle,
  refuse: Refuse,
): Promise<ReadonlyMap<string, StoredEntry>> => {
  const { size: fileBytes } = await file.stat();
  if (fileBytes < END.bytes) refuse(`it has ${fileBytes} bytes, too few for an archive`);
  const directory = await readEnd(file, fileBytes, refuse);
  const bytes = await readPart(file, directory.offset, directory.sizeBytes);
  const places: (readonly [Listed, StoredEntry])[] = [];
  const entries = new Map<string, StoredEntry>();
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const [listed, next] = readListed(bytes, at, refuse);
    const offset = await dataOffset(file, listed, directory.offset, refuse);
    const entry = { offset, sizeBytes: listed.sizeBytes };
    if (offset + entry.sizeBytes > directory.offset) {
      refuse(
        `entry ${shown(listed.name)} of ${entry.sizeBytes} bytes at ${offset} leaves the file`,
      );
    }
    if (entries.has(listed.name)) refuse(`entry ${shown(listed.name)} is listed twice`);
    entries.set(listed.name, entry);
    places.push([listed, entry]);
    at = next;
  }
  if (at !== bytes.length) refuse(`${bytes.length - at} bytes of its directory belong to no entry`);
  checkApart(places, refuse);
  return entries;
};
