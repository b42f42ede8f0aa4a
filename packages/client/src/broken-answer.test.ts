import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { TollamaClient } from './client.ts';

const serving = async (listener: RequestListener): Promise<AsyncDisposable & { url: string }> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const request = { model: 'm', horizon: 1, series: [] } as never;
const collect = async (lines: AsyncIterable<unknown>): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const line of lines) all.push(line);
  return all;
};

test('a page instead of an answer says where it came from', async () => {
  await using server = await serving((_, answer) => answer.end('<html>Log in</html>'));
  const client = new TollamaClient({ baseUrl: server.url });
  await expect(client.version()).rejects.toMatchObject({
    code: 'DAEMON_UNREACHABLE',
    message: `the answer of ${server.url}/api/version is no JSON: '<html>Log in</html>'`,
  });
});

test.each(['answer', 'stream'])('an %s that breaks off is an error of ours', async (kind) => {
  await using server = await serving((_, answer) => {
    answer.writeHead(200, { 'content-length': 1000 });
    answer.write('{"status":"a"}\n{"sta', () => answer.destroy());
  });
  const client = new TollamaClient({ baseUrl: server.url });
  const asked = kind === 'answer' ? client.version() : collect(client.forecastStream(request));
  await expect(asked).rejects.toMatchObject({
    code: 'DAEMON_UNREACHABLE',
    message: expect.stringContaining('broke off'),
  });
});

test('a stream that ends within a line gives the lines before it, then the error', async () => {
  await using server = await serving((_, answer) => answer.end('{"status":"a"}\n{"sta'));
  const lines = new TollamaClient({ baseUrl: server.url }).forecastStream(request);
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const line of lines) seen.push(line);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
  expect(seen).toEqual([{ status: 'a' }]);
});
