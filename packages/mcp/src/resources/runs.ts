/** run://id: the latest forecasts of this server. */
import {
  type McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { addressOf, nameIn } from '../addresses.ts';
import type { McpContext } from '../context.ts';
import { jsonContents } from './contents.ts';

export const registerRunResources = (server: McpServer, { runs }: McpContext): void => {
  const template = new ResourceTemplate('run://{id}', {
    list: () => ({
      resources: runs.list().map(({ id, createdAt, response }) => ({
        uri: addressOf('run', id),
        name: id,
        description: `${response.model}, ${response.forecasts.length} series, ${createdAt}`,
        mimeType: 'application/json',
      })),
    }),
    complete: {
      id: (start) => runs.list().flatMap(({ id }) => (id.startsWith(start) ? [id] : [])),
    },
  });
  const config = {
    title: 'Forecasts of this session',
    description: 'What was asked and answered, without the data; the latest ones are kept',
    mimeType: 'application/json',
  };
  server.registerResource('run', template, config, (uri) => {
    const run = runs.find(nameIn('run', uri.href));
    if (!run) throw new ResourceNotFoundError(uri.href);
    return jsonContents(uri, run);
  });
};
