/** What no daemon of ours would answer: each ends in a baseline with its reason, at once or in time. */
import { createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { openTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const SLOW = { timeout_s: 0.2 };

const openRaw = async (reply: (socket: Socket) => void): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => reply(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

const useUpstream = ({ gateway }: TestGateway, server: Server): void => {
  const { settings } = gateway;
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const adapter = { ...settings.tsfm.adapter, base_url: `http://127.0.0.1:${port}` };
  gateway.useSettings({ ...settings, tsfm: { ...settings.tsfm, adapter } });
};

const metaOf = async (reply: (socket: Socket) => void, adapter = {}) => {
  const server = await openRaw(reply);
  await using test = await openTestGateway({ tsfm: { adapter } });
  useUpstream(test, server);
  const { meta } = await test.answer();
  server.close();
  return meta;
};

const rows = (first: string): string =>
  `${OK}\r\n{"quantiles":{"0.1":${first},"0.5":[1,1,1],"0.9":[1,1,1]}}`;

test.each([
  ['a page', `${OK}content-type: text/html\r\n\r\n<html>bad</html>`, 'BAD_RESPONSE_SCHEMA'],
  ['another protocol', 'SSH-2.0-x\r\n', 'NETWORK'],
  ['nothing', `${OK}content-length: 0\r\n\r\n`, 'BAD_RESPONSE_SCHEMA'],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'BAD_RESPONSE_SCHEMA'],
  [
    'an upgrade',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    'BAD_RESPONSE_SCHEMA',
  ],
  [
    'a redirect',
    'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
    'REJECTED',
  ],
  ['endless headers', `${OK}x: ${'a'.repeat(70_000)}\r\n\r\n{}`, 'NETWORK'],
  ['an error under 200', `${OK}\r\n{"error":"overloaded"}`, 'BAD_RESPONSE_SCHEMA'],
  ['no row', rows('null'), 'BAD_RESPONSE_SCHEMA'],
  ['NaN', rows('[NaN,1,1]'), 'BAD_RESPONSE_SCHEMA'],
  ['an overflow', rows('[1e999,1,1]'), 'BAD_RESPONSE_SCHEMA'],
  ['Infinity as text', rows('["Infinity",1,1]'), 'BAD_RESPONSE_SCHEMA'],
  ['truth values', rows('[true,1,1]'), 'BAD_RESPONSE_SCHEMA'],
  ['a deep nest', `${OK}\r\n${'['.repeat(100_000)}`, 'BAD_RESPONSE_SCHEMA'],
  ['half of it', `${OK}\r\n{"quantiles":{"0.1":[1,1`, 'BAD_RESPONSE_SCHEMA'],
  ['a bad chunk', `${OK}transfer-encoding: chunked\r\n\r\nzz\r\nfoo`, 'NETWORK'],
])('%s', async (_, text, code) => {
  const meta = await metaOf((socket) => socket.end(text));
  expect(meta).toMatchObject({ runtime: 'baseline', failure_code: `RUNTIME_${code}` });
});

test.each([
  ['headers', 'HTTP/1.1 200 OK\r\nx: '],
  ['a body', `${OK}content-length: 100000\r\n\r\n`],
])('%s that drip cost no more than the time to read', async (_, start) => {
  const drip = (socket: Socket): void => {
    socket.write(start);
    const timer = setInterval(() => socket.write(' '), 20);
    socket.on('close', () => clearInterval(timer));
  };
  expect((await metaOf(drip, SLOW)).failure_code).toBe('RUNTIME_TIMEOUT');
});

test('the login of an address is used and never told', async () => {
  await using test = await openTestGateway();
  const { settings } = test.gateway;
  const base_url = test.upstream.url.replace('//', '//someone:hunter2@');
  const adapter = { ...settings.tsfm.adapter, base_url };
  test.gateway.useSettings({ ...settings, tsfm: { ...settings.tsfm, adapter } });
  test.upstream.always = { kind: 'status', code: 500 };
  const { body } = await test.ask();
  expect(JSON.stringify(body)).not.toContain('hunter2');
  expect(test.upstream.asked[0]!.headers.authorization).toMatch(/^Basic /);
});
