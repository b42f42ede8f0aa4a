/** Fetches one file of the hub into a blob: resumes by Range, checks size and hash, and only then renames. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { type HubFile, type HubOptions, hubError, hubFetch } from './hub.ts';

export interface DownloadRequest {
  readonly url: string;
  readonly file: HubFile;
  readonly repoId: string;
  /** Where the finished blob goes; the partial one lies beside it. */
  readonly blob: string;
  readonly hub: HubOptions;
  readonly onBytes: (count: number) => void;
}

/** A transfer without a byte for that long is broken off and resumed. */
const STALL_MS = 30_000;
const ATTEMPTS = 6;

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** sha256, or git's blob hash for files outside of LFS; undefined when the hub told neither. */
const hashOf = async (
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

/** Appends what is missing to the partial file; a server that ignores Range starts it over. */
const transfer = async (request: DownloadRequest, partial: string): Promise<void> => {
  const { url, hub, file, onBytes } = request;
  const have = await sizeOf(partial);
  if (file.sizeBytes !== undefined && have === file.sizeBytes && have > 0) return;
  const stall = new AbortController();
  const signal = hub.signal ? AbortSignal.any([hub.signal, stall.signal]) : stall.signal;
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  const response = await hubFetch(url, { ...hub, signal }, { headers });
  if (response.status === 416) {
    await rm(partial, { force: true });
    throw new Error("the partial file does not fit the hub's; starting over");
  }
  if (!response.ok) throw hubError(response, request.repoId, file.path, hub.endpoint);
  const isResumed = response.status === 206 && startOf(response) === have;
  if (!isResumed && have > 0) onBytes(-have);
  await using out = await open(partial, isResumed ? 'a' : 'w');
  let timer = setTimeout(
    () => stall.abort(new Error(`no byte for ${STALL_MS / 1000} s`)),
    STALL_MS,
  );
  try {
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(
        () => stall.abort(new Error(`no byte for ${STALL_MS / 1000} s`)),
        STALL_MS,
      );
      await out.writeFile(chunk);
      onBytes(chunk.length);
    }
  } finally {
    clearTimeout(timer);
  }
  await out.sync();
};

const startOf = (response: Response): number =>
  Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);

const failed = (path: string, why: string, cause?: unknown): TollamaError =>
  new TollamaError('PULL_FAILED', `${path}: ${why}`, {
    hint: 'pull again: what has arrived is kept and the rest is fetched',
    cause,
  });

const isFinal = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    error instanceof TollamaError || code === 'ENOSPC' || code === 'EACCES' || code === 'EROFS'
  );
};

/**
 * Makes the blob. Throws PULL_FAILED when it cannot be had whole; the partial file stays for the next try
 * unless it is wrong.
 */
export const downloadBlob = async (request: DownloadRequest): Promise<void> => {
  const { file, blob, hub } = request;
  const partial = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true });
  request.onBytes(await sizeOf(partial));
  for (let attempt = 1; ; attempt++) {
    try {
      await transfer(request, partial);
      const size = await sizeOf(partial);
      if (file.sizeBytes !== undefined && size < file.sizeBytes) {
        throw new Error(`ended after ${size} of ${file.sizeBytes} bytes`);
      }
      if (
        (file.sizeBytes !== undefined && size > file.sizeBytes) ||
        (await hashOf(partial, file, size)) === false
      ) {
        await rm(partial, { force: true });
        request.onBytes(-size);
        throw new Error('the bytes that came do not have the hash that the hub promised');
      }
      await rename(partial, blob);
      return;
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (isFinal(error))
        throw error instanceof TollamaError ? error : failed(file.path, errorMessage(error), error);
      if (attempt === ATTEMPTS) throw failed(file.path, errorMessage(error), error);
    }
  }
};
