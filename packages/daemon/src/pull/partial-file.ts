/**
 * What has arrived of a blob, on disk. A file that comes in one piece lies in `<blob>.incomplete`, where its
 * length says how much is there, as in the hub's own client. A file that comes in parts lies in
 * `<blob>.parts` with holes, and `<blob>.parts.json` says how much of each part is there. The journal is
 * written after the bytes that it vouches for, so that a kill at any instruction loses some bytes at most.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** Bytes `start` to `end` (exclusive) of a file; the first `have` of them are on disk. */
export interface Part {
  readonly start: number;
  readonly end: number;
  have: number;
}

const Journal = z.object({
  sizeBytes: z.int().positive(),
  parts: z
    .array(
      z
        .object({ start: z.int().min(0), end: z.int(), have: z.int().min(0) })
        .refine(({ start, end, have }) => start + have <= end),
    )
    .min(1),
});

export const fileSize = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

export interface PartialPaths {
  readonly whole: string;
  readonly parts: string;
  readonly journal: string;
}

export const partialPaths = (blob: string): PartialPaths => ({
  whole: `${blob}.incomplete`,
  parts: `${blob}.parts`,
  journal: `${blob}.parts.json`,
});

/** Cuts a file into parts of about `partBytes`, credited with the `prefix` bytes that are there. */
export const cutIntoParts = (sizeBytes: number, partBytes: number, prefix = 0): Part[] => {
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes));
  const at = (i: number): number => Math.floor((i * sizeBytes) / count);
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [at(i), at(i + 1)];
    return { start, end, have: Math.min(Math.max(prefix - start, 0), end - start) };
  });
};

const readJournal = async (path: string, sizeBytes: number): Promise<Part[] | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const journal = Journal.parse(JSON.parse(text));
    const isWhole = journal.parts.every(
      ({ start }, i) => start === (i === 0 ? 0 : journal.parts[i - 1]!.end),
    );
    const fits = journal.sizeBytes === sizeBytes && journal.parts.at(-1)!.end === sizeBytes;
    return isWhole && fits ? journal.parts : undefined;
  } catch {
    return undefined;
  }
};

/** The parts of a file as an earlier pull left them, or new ones. */
export const openParts = async (
  paths: PartialPaths,
  sizeBytes: number,
  partBytes: number,
): Promise<Part[]> => {
  const known = await readJournal(paths.journal, sizeBytes);
  if (known && (await fileSize(paths.parts)) > 0) return known;
  const prefix = await fileSize(paths.whole);
  if (prefix > 0 && prefix <= sizeBytes) await rename(paths.whole, paths.parts);
  else await rm(paths.parts, { force: true });
  const parts = cutIntoParts(sizeBytes, partBytes, prefix <= sizeBytes ? prefix : 0);
  await writeFile(paths.parts, '', { flag: 'a' });
  return parts;
};

/** Bytes of a blob that an unfinished download left, for those who ask how much disk the rest takes. */
export const arrivedBytes = async (blob: string, sizeBytes: number): Promise<number> => {
  const paths = partialPaths(blob);
  const parts = await readJournal(paths.journal, sizeBytes);
  const journaled = parts?.reduce((sum, { have }) => sum + have, 0) ?? 0;
  return Math.max(journaled, Math.min(await fileSize(paths.whole), sizeBytes));
};

/** Writes the journal, one state after the other; states that were overtaken are left out. */
export class PartsJournal {
  readonly #path: string;
  readonly #sizeBytes: number;
  readonly #parts: readonly Part[];
  #writing: Promise<void> | undefined;
  #isDue = false;

  constructor(path: string, sizeBytes: number, parts: readonly Part[]) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#parts = parts;
  }

  /** Notes the state of the parts as it is now or later. Rejects when the disk refuses. */
  save(): Promise<void> {
    this.#isDue = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const text = JSON.stringify({ sizeBytes: this.#sizeBytes, parts: this.#parts });
      const beside = `${this.#path}.tmp`;
      await writeFile(beside, text);
      await rename(beside, this.#path);
    }
  }
}

/** Takes away everything that an unfinished download of the blob left. */
export const removePartial = async (paths: PartialPaths): Promise<void> => {
  await Promise.all(
    [paths.whole, paths.parts, paths.journal, `${paths.journal}.tmp`].map((path) =>
      rm(path, { force: true }),
    ),
  );
};
