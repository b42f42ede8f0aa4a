/** model://name: what a model is and can do. */
import {
  type McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { addressOf, nameIn } from '../addresses.ts';
import type { McpContext } from '../context.ts';
import { jsonContents } from './contents.ts';

export const registerModelResources = (server: McpServer, { client }: McpContext): void => {
  const names = async (): Promise<string[]> => {
    const { available, installed } = await client.models();
    return [...new Set([...installed, ...available].map(({ name }) => name))];
  };
  const template = new ResourceTemplate('model://{name}', {
    list: async (request) => {
      const { installed } = await client.models({ signal: request.mcpReq.signal });
      return {
        resources: installed.map(({ name, family }) => ({
          uri: addressOf('model', name),
          name,
          description: `${family} model`,
          mimeType: 'application/json',
        })),
      };
    },
    complete: {
      name: async (start) => (await names()).filter((name) => name.startsWith(start)),
    },
  });
  const config = {
    title: 'Forecasting models',
    description: 'Capabilities, limits, licence and source of a model',
    mimeType: 'application/json',
  };
  server.registerResource('model', template, config, async (uri, _, { mcpReq: { signal } }) => {
    const name = nameIn('model', uri.href);
    const { available, installed } = await client.models({ signal });
    const listed = [...installed, ...available].find((model) => model.name === name);
    if (!listed) throw new ResourceNotFoundError(uri.href);
    const capabilities = await client.capabilities(name, { signal });
    return jsonContents(uri, { ...listed, ...capabilities });
  });
};
