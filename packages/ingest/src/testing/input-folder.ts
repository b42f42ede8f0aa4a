/** Reads files that a test writes into a folder of its own: for tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReadSeriesOptions, readSeries, type SeriesInput } from '../read-series.ts';

export const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

type Options = Omit<ReadSeriesOptions, 'path'>;

export interface InputFolder extends AsyncDisposable {
  readonly path: string;
  /** Reads a file of this name with this content. */
  read(name: string, content: string | Uint8Array, options?: Options): Promise<SeriesInput>;
}

export const makeInputFolder = async (): Promise<InputFolder> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollama-input-'));
  return {
    path: folder,
    async read(name, content, options = {}) {
      const path = join(folder, name);
      await writeFile(path, bytesOf(content));
      return readSeries({ path, ...options });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
};
