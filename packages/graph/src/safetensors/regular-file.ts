import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';

/**
 * Opens a file of a checkpoint to read; a folder, a pipe or a device is refused before it is opened, since
 * a pipe would be waited for.
 *
 * @throws TollamaError CHECKPOINT_INVALID
 */
export const openRegularFile = async (path: string): Promise<FileHandle> => {
  try {
    const found = await stat(path);
    if (found.isFile()) return await open(path, 'r');
  } catch (cause) {
    const message = `${basename(path)} cannot be read: ${errorMessage(cause)}`;
    throw new TollamaError('CHECKPOINT_INVALID', message, { cause });
  }
  throw new TollamaError('CHECKPOINT_INVALID', `${basename(path)} is not a file`);
};

/**
 * The bytes of a part of a file, fewer where the file ends before. One read of the system may be short,
 * and takes at most 2 GiB.
 */
export const readPart = async (
  file: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> => {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const wanted = Math.min(length - at, 2 ** 30);
    const { bytesRead } = await file.read(bytes, at, wanted, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
};
