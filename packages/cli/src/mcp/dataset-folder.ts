/** The tables of a folder as datasets of the MCP server. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import { Series } from '@tollama/core/series';
import { readSeries } from '@tollama/ingest/read-series';
import type { DatasetEntry, DatasetSource } from '@tollama/mcp';
import { requestSeries, seriesInChunks } from '../forecast/body.ts';

const TABLE = /\.(?:csv|tsv|txt|json|jsonl|ndjson|parquet|arrow|feather)(?:\.gz)?$/i;

/** Files of the folder itself, by name; no name leads out of it. */
const listTables = async (folder: string): Promise<readonly DatasetEntry[]> => {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && TABLE.test(entry.name))
    .map(({ name }) => name)
    .toSorted();
  return Promise.all(
    names.map(async (name) => ({ name, sizeBytes: (await stat(join(folder, name))).size })),
  );
};

/** @throws TollamaError INVALID_INPUT when the folder cannot be read */
export const datasetFolder = async (folder: string): Promise<DatasetSource> => {
  const list = () => listTables(folder);
  await list().catch((cause: Error) => {
    const message = `the folder '${folder}' cannot be read: ${cause.message}`;
    throw new TollamaError('INVALID_INPUT', message, { hint: 'give --data a folder', cause });
  });
  return {
    list,
    async read(name, signal) {
      const names = (await list()).map((entry) => entry.name);
      if (!names.includes(name)) {
        const near = didYouMean(name, names);
        throw new TollamaError('NOT_FOUND', `there is no dataset '${name}'`, {
          hint: near ? `did you mean '${near}'?` : `there are ${names.join(', ') || 'none'}`,
        });
      }
      signal.throwIfAborted();
      const { series, request } = await readSeries({ path: join(folder, name) });
      const read = request ? series.map(requestSeries) : seriesInChunks(series, {}).flat();
      return read.map((one) => Series.parse(one));
    },
  };
};
