/** dataset://name: the tables that this server offers, as an overview with the first and last points. */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import type { Series } from '@tollama/core/series';
import { addressOf, nameIn } from '../addresses.ts';
import type { DatasetSource } from '../context.ts';
import { jsonContents } from './contents.ts';

/** Series that are shown, and points at either end of each. */
const SHOWN_SERIES = 50;
const SHOWN_POINTS = 5;

const preview = ({ id, freq, timestamps, target, missing_indices, past_covariates }: Series) => {
  const missing = new Set(missing_indices ?? []);
  const points = timestamps.map((time, i): [string, number | null] => [
    time,
    missing.has(i) ? null : target[i]!,
  ]);
  return {
    id,
    freq,
    points: target.length,
    missing: missing.size,
    covariates: Object.keys(past_covariates ?? {}),
    first: points.slice(0, SHOWN_POINTS),
    last: points.slice(SHOWN_POINTS).slice(-SHOWN_POINTS),
  };
};

export const registerDatasetResources = (server: McpServer, datasets: DatasetSource): void => {
  const template = new ResourceTemplate('dataset://{name}', {
    list: async () => ({
      resources: (await datasets.list()).map(({ name, sizeBytes }) => ({
        uri: addressOf('dataset', name),
        name,
        size: sizeBytes,
        mimeType: 'application/json',
      })),
    }),
    complete: {
      name: async (start) =>
        (await datasets.list()).flatMap(({ name }) => (name.startsWith(start) ? [name] : [])),
    },
  });
  const config = {
    title: 'Datasets',
    description: 'Tables that tools take by name; read for an overview of their series',
    mimeType: 'application/json',
  };
  server.registerResource('dataset', template, config, async (uri, _, { mcpReq: { signal } }) => {
    const series = await datasets.read(nameIn('dataset', uri.href), signal);
    return jsonContents(uri, {
      series_count: series.length,
      points: series.reduce((sum, { target }) => sum + target.length, 0),
      series: series.slice(0, SHOWN_SERIES).map(preview),
    });
  });
};
