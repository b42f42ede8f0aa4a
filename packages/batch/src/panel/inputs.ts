/** What a panel's inputs are at this moment: files of this machine as they stand, remote ones to be fetched first. */
import { stat } from 'node:fs/promises';
import type { StagedBytes } from '../remote/patience.ts';
import {
  findRemoteFiles,
  isRemote,
  type RemoteFile,
  type RemoteOptions,
} from '../remote/remote-files.ts';
import { stageFiles } from '../remote/stage.ts';
import { type DuckDb, quoteText } from './duckdb.ts';

export interface PanelInputs {
  /** Equal as long as no byte of any input changed. */
  readonly identities: readonly string[];
  /** Paths whose ends tell the kinds of file. */
  readonly names: readonly string[];
  /** Fetches what is remote and gives paths and globs that DuckDB reads. */
  readonly fetch: (options: FetchOptions) => Promise<readonly string[]>;
}

export interface FetchOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onBytes?: ((staged: StagedBytes) => void) | undefined;
}

/** Files behind a path or a glob, with size and time of change. */
const localIdentities = async ({ connection }: DuckDb, input: string): Promise<string[]> => {
  const read = await connection.runAndReadAll(`SELECT file FROM glob(${quoteText(input)})`);
  const found = read.getRows().map(([file]) => String(file));
  const files = found.length > 0 ? found.toSorted() : [input];
  return Promise.all(
    files.map(async (file) => {
      const facts = await stat(file).catch(() => undefined);
      return facts ? `${file}:${facts.size}:${facts.mtimeMs}` : file;
    }),
  );
};

/**
 * Looks at all inputs and fetches none.
 *
 * @throws TollamaError of `findRemoteFiles`
 */
export const findInputs = async (
  database: DuckDb,
  inputs: readonly string[],
  options: RemoteOptions,
): Promise<PanelInputs> => {
  const remote = new Map<string, readonly RemoteFile[]>();
  const identities: string[] = [];
  for (const input of inputs) {
    if (isRemote(input)) {
      const files = await findRemoteFiles([input], options);
      remote.set(input, files);
      identities.push(...files.map(({ identity }) => identity));
    } else identities.push(...(await localIdentities(database, input)));
  }
  const { patience } = options;
  return {
    identities,
    names: inputs.flatMap((input) => remote.get(input)?.map(({ path }) => path) ?? [input]),
    async fetch(fetching) {
      const all = [...remote.values()].flat();
      if (all.length === 0) return inputs;
      const places = await stageFiles(all, { ...fetching, patience });
      let at = 0;
      return inputs.flatMap((input) => {
        const files = remote.get(input);
        if (!files) return [input];
        at += files.length;
        return places.slice(at - files.length, at);
      });
    },
  };
};
