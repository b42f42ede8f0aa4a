/** Remote files fetched into a folder, each under a name made of its identity: what is there is not fetched again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { PATIENCE, type Patience, type StagedBytes } from './patience.ts';
import type { RemoteFile } from './remote-files.ts';
import { trying } from './transfer.ts';

export interface StageOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly patience?: Patience | undefined;
  /** Told after each piece. */
  readonly onBytes?: ((staged: StagedBytes) => void) | undefined;
}

/** Files on their way at the same time. */
const AT_ONCE = 4;
/** Room that must be left on the disk for what the run itself writes. */
const SPARE_BYTES = 64 * 1024 * 1024;

const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Folders such as `year=2024` are columns of the panel, and stay. */
const partitionsOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .filter((part) => /^[\w.-]+=[^\0]{0,200}$/.test(part));

const placeOf = (folder: string, { path, identity }: RemoteFile): string => {
  const extension = /(?:\.[A-Za-z\d]+){1,2}$/.exec(basename(path))?.[0] ?? '';
  return join(folder, ...partitionsOf(path), `${shortHash(identity)}${extension}`);
};

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;

const sizeAt = async (path: string): Promise<number> =>
  (await stat(path).catch(() => undefined))?.size ?? 0;

/** Appends the body; what came before a failure is kept. */
const append = async (
  answer: IncomingMessage,
  file: FileHandle,
  onPiece: (bytes: number) => void,
): Promise<void> => {
  for await (const piece of answer) {
    await file.write(piece as Buffer);
    onPiece((piece as Buffer).length);
  }
};

const md5Of = async (path: string): Promise<string> => {
  const hash = createHash('md5');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
};

interface Fetching {
  readonly partial: string;
  readonly onPiece: (bytes: number) => void;
}

/** One try: goes on behind what is there; a server that starts over has it start over. */
const fetchRest = async (
  { open: openAt, sizeBytes, md5 }: RemoteFile,
  { partial, onPiece }: Fetching,
): Promise<void> => {
  let from = await sizeAt(partial);
  if (sizeBytes !== undefined && from > sizeBytes) from = 0;
  let isEncrypted = false;
  if (from === 0 || from !== sizeBytes) {
    const answer = await openAt(from);
    isEncrypted = answer.headers['x-amz-server-side-encryption']?.includes('kms') ?? false;
    if (answer.statusCode !== 206) from = 0;
    const file = await open(partial, from === 0 ? 'w' : 'a');
    try {
      if (answer.statusCode !== 416) await append(answer, file, onPiece);
    } finally {
      answer.destroy();
      await file.close();
    }
  }
  const found = await sizeAt(partial);
  if (sizeBytes !== undefined && found !== sizeBytes) {
    throw new Error(`${found} of ${sizeBytes} bytes came`);
  }
  if (md5 !== undefined && !isEncrypted && (await md5Of(partial)) !== md5) {
    await rm(partial, { force: true });
    throw new Error('the bytes that came are not those of its ETag');
  }
};

const checkRoom = async (folder: string, neededBytes: number): Promise<void> => {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + SPARE_BYTES) return;
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  throw new TollamaError(
    'DISK_FULL',
    `the remote files take ${megabytes(neededBytes)}, ${folder} has room for ${megabytes(freeBytes)}`,
    { hint: 'use an --output on a larger disk, or forecast the panel in parts' },
  );
};

/**
 * Fetches what is not there yet and gives the paths, in the order of the files. A file that was cut off goes on where
 * it was; sizes, and MD5 where the server tells it, are checked.
 *
 * @throws TollamaError DISK_FULL before anything is fetched, PULL_FAILED after several tries
 */
export const stageFiles = async (
  files: readonly RemoteFile[],
  { folder, signal, patience = PATIENCE, onBytes }: StageOptions,
): Promise<string[]> => {
  await mkdir(folder, { recursive: true });
  const places = files.map((file) => placeOf(folder, file));
  const wanted = [...new Map(files.map((file, i) => [places[i]!, file]))];
  const isThere = await Promise.all(wanted.map(([place]) => isFile(place)));
  const missing = wanted.filter((_, i) => !isThere[i]);
  const partialOf = (place: string): string => `${place}.partial`;
  const partials = await Promise.all(missing.map(([place]) => sizeAt(partialOf(place))));
  const totalBytes = files.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const leftBytes =
    missing.reduce((sum, [, { sizeBytes = 0 }]) => sum + sizeBytes, 0) -
    partials.reduce((sum, bytes) => sum + bytes, 0);
  await checkRoom(folder, Math.max(0, leftBytes));
  let doneBytes = totalBytes - leftBytes;
  const onPiece = (bytes: number): void => {
    doneBytes += bytes;
    onBytes?.({ doneBytes, totalBytes });
  };
  const waiting = [...missing];
  const fetchNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [place, file] = next;
      await mkdir(dirname(place), { recursive: true });
      const partial = partialOf(place);
      await trying(file.address, () => fetchRest(file, { partial, onPiece }), { patience, signal });
      await rename(partial, place);
    }
  };
  const fetching = Array.from({ length: AT_ONCE }, () =>
    fetchNext().catch((error: unknown) => {
      waiting.length = 0;
      throw error;
    }),
  );
  // The others end as well before anybody is told: they write into the folder.
  await Promise.allSettled(fetching);
  await Promise.all(fetching);
  return places;
};
