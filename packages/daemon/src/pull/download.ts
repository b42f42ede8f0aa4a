/** Fetches one file of the hub into a blob: in parts, resumed by Range, size and hash checked, only then renamed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Slots } from '../schedule/slots.ts';
import type { HubFile } from './hub.ts';
import {
  fileSize,
  openParts,
  type Part,
  type PartialPaths,
  PartsJournal,
  partialPaths,
  removePartial,
} from './partial-file.ts';
import { FileChanged, RangeIgnored, type Source, transferRange } from './transfer.ts';

export interface DownloadRequest extends Source {
  /** Where the finished blob goes; the partial one lies beside it. */
  readonly blob: string;
  /** Files from twice that size on come in parts. */
  readonly partBytes: number;
  /** Places for transfers that are under way at the same time. */
  readonly streams: Slots;
  /** Told what arrives, negative where bytes turn out to be of no use. */
  readonly onBytes: (count: number) => void;
}

/** Tries in a row that bring no byte. */
const ATTEMPTS = 6;
/** A kill costs at most that much of each part. */
const JOURNAL_EVERY_BYTES = 1 << 20;

/** sha256, or git's blob hash for files outside of LFS; undefined when the hub told neither. */
const hasRightHash = async (
  path: string,
  { sha256, etag }: HubFile,
  sizeBytes: number,
): Promise<boolean | undefined> => {
  const isGit = sha256 === undefined && /^[0-9a-f]{40}$/.test(etag);
  if (sha256 === undefined && !isGit) return undefined;
  const hash = createHash(isGit ? 'sha1' : 'sha256');
  if (isGit) hash.update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex') === (sha256 ?? etag);
};

const DISK_CODES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file is larger than the system allows',
  EACCES: 'the cache may not be written',
  EROFS: 'the cache lies on a read-only disk',
};

const failed = (path: string, error: unknown): TollamaError => {
  if (error instanceof TollamaError) return error;
  const disk = DISK_CODES[(error as NodeJS.ErrnoException).code ?? ''];
  return new TollamaError('PULL_FAILED', `${path}: ${disk ?? errorMessage(error)}`, {
    hint: disk
      ? 'make room (`tollama prune`, `tollama rm`) or set HF_HOME to another disk, and pull again: what has arrived is kept'
      : 'pull again: what has arrived is kept and the rest is fetched',
    cause: error,
  });
};

const isFinal = (error: unknown): boolean =>
  error instanceof TollamaError ||
  error instanceof RangeIgnored ||
  error instanceof FileChanged ||
  (error as NodeJS.ErrnoException).code! in DISK_CODES;

/** Repeats a transfer until it says that it is done; a try that brings bytes earns another round. */
const persist = async (
  { streams, hub, onBytes }: DownloadRequest,
  transfer: (onWritten: (bytes: number) => void) => Promise<boolean>,
): Promise<void> => {
  for (let failures = 0; ; ) {
    let arrived = 0;
    let reason: unknown = new Error('the hub ends the transfer early');
    const onWritten = (bytes: number): void => {
      arrived += bytes;
      onBytes(bytes);
    };
    try {
      if (await streams.run(() => transfer(onWritten), { signal: hub.signal })) return;
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (isFinal(error)) throw error;
      reason = error;
    }
    failures = arrived > 0 ? 0 : failures + 1;
    if (failures === ATTEMPTS) throw reason;
  }
};

/** One stream, which goes on at the end of `<blob>.incomplete`. */
const fetchWhole = async (request: DownloadRequest, { whole }: PartialPaths): Promise<void> => {
  const { file } = request;
  request.onBytes(await fileSize(whole));
  await (await open(whole, 'a')).close();
  await using out = await open(whole, 'r+');
  await persist(request, async (onWritten) => {
    const start = await fileSize(whole);
    if (file.sizeBytes !== undefined && start > file.sizeBytes)
      throw new FileChanged('more is there than the hub promises');
    if (start === file.sizeBytes) return true;
    await transferRange(request, { start, end: undefined }, out, onWritten);
    return file.sizeBytes === undefined || (await fileSize(whole)) === file.sizeBytes;
  });
  await out.sync();
};

interface PartTransfer {
  readonly part: Part;
  readonly out: FileHandle;
  readonly journal: PartsJournal;
  readonly onEtag: (etag: string | undefined) => void;
}

const fetchPart = async (request: DownloadRequest, transfer: PartTransfer): Promise<void> => {
  const { part, out, journal, onEtag } = transfer;
  let noted = part.have;
  await persist(request, async (onWritten) => {
    if (part.start + part.have === part.end) return true;
    const range = { start: part.start + part.have, end: part.end };
    const etag = await transferRange(request, range, out, (bytes) => {
      part.have += bytes;
      onWritten(bytes);
      if (part.have - noted < JOURNAL_EVERY_BYTES) return;
      noted = part.have;
      // A disk that refuses the journal refuses the bytes as well, which tell of it.
      journal.save().catch(() => {});
    });
    onEtag(etag);
    return part.start + part.have === part.end;
  });
  await journal.save();
};

/** All parts beside each other, as places are free. The first that fails for good ends the others. */
const fetchParts = async (
  request: DownloadRequest,
  sizeBytes: number,
  paths: PartialPaths,
): Promise<void> => {
  const parts = await openParts(paths, sizeBytes, request.partBytes);
  request.onBytes(parts.reduce((sum, { have }) => sum + have, 0));
  await using out = await open(paths.parts, 'r+');
  const journal = new PartsJournal(paths.journal, sizeBytes, parts);
  await journal.save();
  const stop = new AbortController();
  const signal = AbortSignal.any([
    stop.signal,
    ...(request.hub.signal ? [request.hub.signal] : []),
  ]);
  const inside = { ...request, hub: { ...request.hub, signal } };
  let etag: string | undefined;
  const onEtag = (next: string | undefined): void => {
    etag ??= next;
    // Where a hash is known it is the better judge: mirrors may tag the same file in their own ways.
    if (request.file.sha256 === undefined && next !== etag)
      throw new FileChanged('the hub changed it between two parts');
  };
  const work = parts.map((part) =>
    fetchPart(inside, { part, out, journal, onEtag }).catch((error: unknown) => stop.abort(error)),
  );
  await Promise.all(work);
  stop.signal.throwIfAborted();
  await out.sync();
  await rename(paths.parts, paths.whole);
  await rm(paths.journal, { force: true });
};

/** Fetches and checks; the finished file takes its place last. */
const fetchChecked = async (
  request: DownloadRequest,
  paths: PartialPaths,
  canRange: boolean,
): Promise<void> => {
  const { file, partBytes } = request;
  const inParts = file.sizeBytes !== undefined && file.sizeBytes >= 2 * partBytes;
  const isThere = (await fileSize(paths.whole)) === file.sizeBytes;
  if (inParts && canRange && !isThere) await fetchParts(request, file.sizeBytes, paths);
  else await fetchWhole(request, paths);
  if ((await hasRightHash(paths.whole, file, await fileSize(paths.whole))) === false)
    throw new FileChanged('the bytes that came do not have the hash that the hub promised');
  await rename(paths.whole, request.blob);
  await removePartial(paths);
};

/**
 * Makes the blob. Throws PULL_FAILED when it cannot be had whole; what has arrived stays for the next try
 * unless it is wrong.
 */
export const downloadBlob = async (request: DownloadRequest): Promise<void> => {
  const paths = partialPaths(request.blob);
  await mkdir(dirname(request.blob), { recursive: true });
  let counted = 0;
  const counting: DownloadRequest = {
    ...request,
    onBytes(bytes) {
      counted += bytes;
      request.onBytes(bytes);
    },
  };
  let canRange = true;
  let changes = 0;
  for (let starts = 1; ; starts++) {
    try {
      return await fetchChecked(counting, paths, canRange);
    } catch (error) {
      request.hub.signal?.throwIfAborted();
      const isUseless = error instanceof FileChanged || error instanceof RangeIgnored;
      if (!isUseless) throw failed(request.file.path, error);
      await removePartial(paths);
      counting.onBytes(-counted);
      if (error instanceof RangeIgnored) canRange = false;
      else changes++;
      // What an earlier pull left may be stale; what was fetched afresh and is wrong stays wrong.
      if (changes > 1 || starts === ATTEMPTS) throw failed(request.file.path, error);
    }
  }
};
