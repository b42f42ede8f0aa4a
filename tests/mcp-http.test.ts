/** The MCP server over HTTP: who is let in, and whose forecasts they see. */
import { request as httpRequest } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { TollamaClient } from '@tollama/client';
import { type McpHttpServer, serveOverHttp } from '@tollama/mcp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';
import { type Connection, call, disposing, series, startMcpDaemon } from './mcp-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startMcpDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

describe('over HTTP', () => {
  let server: McpHttpServer;
  const keys: (string | undefined)[] = [];

  beforeAll(async () => {
    server = await serveOverHttp({
      host: '127.0.0.1',
      port: 0,
      connect: (apiKey) => {
        keys.push(apiKey);
        return new TollamaClient({ baseUrl: daemon.url, apiKey });
      },
      allowedHosts: ['forecasts.example'],
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** fetch does not let callers set Host. */
  const statusWith = (headers: Readonly<Record<string, string>>, path = '/mcp'): Promise<number> =>
    new Promise((done, fail) => {
      const url = new URL(path, server.url);
      const options = {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
      };
      const sent = httpRequest(url, options, (response) => {
        response.resume();
        done(response.statusCode!);
      });
      sent.on('error', fail);
      sent.end('{}');
    });

  test.each([
    ['a foreign Host', { host: 'evil.example' }, 403],
    ['a foreign Origin', { origin: 'https://evil.example' }, 403],
    ['an allowed Host', { host: 'forecasts.example' }, 400],
    ['no Origin', {}, 400],
  ])('%s', async (_, headers, status) => {
    expect(await statusWith(headers)).toBe(status);
  });

  test('other paths are not there', async () => {
    expect(await statusWith({}, '/api/tags')).toBe(404);
  });

  test('callers use their own keys and see their own forecasts', async () => {
    const connectWith = async (key: string): Promise<Connection> => {
      const client = new Client(
        { name: 'test', version: '1' },
        { versionNegotiation: { mode: 'auto' } },
      );
      const headers = { authorization: `Bearer ${key}` };
      const transport = new StreamableHTTPClientTransport(new URL(server.url), {
        requestInit: { headers },
      });
      await client.connect(transport);
      return { client, ...disposing(client) };
    };
    await using ann = await connectWith('ann');
    await using bob = await connectWith('bob');
    await call(ann, 'forecast', { series: [series()], model: 'naive', horizon: 1 });
    const runsOf = async ({ client }: Connection): Promise<number> =>
      (await client.listResources()).resources.filter(({ uri }) => uri.startsWith('run://')).length;
    expect(await runsOf(ann)).toBe(1);
    expect(await runsOf(bob)).toBe(0);
    expect(new Set(keys)).toEqual(new Set(['ann', 'bob']));
  });
});
