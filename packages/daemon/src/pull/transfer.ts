/** One request for bytes of a file of the hub, written where they belong. */

import type { FileHandle } from 'node:fs/promises';
import { timerMs } from '@tollama/core/timer';
import { type HubFile, type HubOptions, hubError, hubFetch } from './hub.ts';

export interface Source {
  readonly url: string;
  readonly file: HubFile;
  readonly repoId: string;
  readonly hub: HubOptions;
}

/** Bytes from `start` to `end`; `end` undefined: to the end of the file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number | undefined;
}

/** The hub answers with the whole file where a part was asked for. */
export class RangeIgnored extends Error {
  override readonly name = 'RangeIgnored';
}

/** What the hub sends now is not what it sent or promised before: nothing of it can be used. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)/;

/** Refuses an answer that is not the range that was asked for. */
const checkRange = (response: Response, { start }: ByteRange, file: HubFile): void => {
  if (response.status === 416) throw new FileChanged(`the hub has no byte ${start} of it`);
  if (response.status === 200 && start === 0) return;
  if (response.status === 200) throw new RangeIgnored('the hub sends whole files only');
  const [, from, , total] = CONTENT_RANGE.exec(response.headers.get('content-range') ?? '') ?? [];
  if (Number(from) !== start) throw new RangeIgnored('the hub sends another range');
  const isOther = file.sizeBytes !== undefined && total !== '*' && Number(total) !== file.sizeBytes;
  if (isOther) throw new FileChanged(`it has ${total} bytes now, ${file.sizeBytes} were promised`);
};

const rangeHeader = ({ start, end }: ByteRange): Record<string, string> =>
  start === 0 && end === undefined
    ? {}
    : { range: `bytes=${start}-${end === undefined ? '' : end - 1}` };

/** Writes all of a chunk at a place. */
const writeAt = async (out: FileHandle, chunk: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await out.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
};

/**
 * Asks for a range and writes it at its place; tells of each chunk after it was written. The hub may end
 * early: what came is there. Throws FileChanged, RangeIgnored, PULL_FAILED, or what socket and disk say.
 *
 * @returns the etag of the answer
 */
export const transferRange = async (
  { url, file, repoId, hub }: Source,
  range: ByteRange,
  out: FileHandle,
  onWritten: (bytes: number) => void,
): Promise<string | undefined> => {
  const stall = new AbortController();
  const signal = hub.signal ? AbortSignal.any([hub.signal, stall.signal]) : stall.signal;
  const headers = { 'accept-encoding': 'identity', ...rangeHeader(range) };
  const response = await hubFetch(url, { ...hub, signal }, { headers });
  const end = range.end ?? file.sizeBytes ?? Number.POSITIVE_INFINITY;
  const isRefused = !response.ok && response.status !== 416;
  const watch = (): NodeJS.Timeout =>
    setTimeout(
      () => stall.abort(new Error(`no byte for ${hub.stallMs / 1000} s`)),
      timerMs(hub.stallMs),
    );
  let timer = watch();
  let position = range.start;
  try {
    if (isRefused) throw hubError(response, repoId, file.path, hub.endpoint);
    checkRange(response, range, file);
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      if (position + chunk.length > end)
        throw new FileChanged('the hub sends more than it promised');
      await writeAt(out, chunk, position);
      position += chunk.length;
      onWritten(chunk.length);
      timer = watch();
    }
  } catch (error) {
    // Frees the socket; what it says to that is of no interest.
    await response.body?.cancel().catch(() => {});
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return response.headers.get('etag') ?? undefined;
};
