import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { settingsFrom } from '../config/load.ts';
import type { Layer } from '../config/profiles.ts';
import { systemClock } from '../resilience/clock.ts';
import { openFakeUpstream } from '../testing/fake-upstream.ts';
import type { UpstreamFailure } from './failure.ts';
import type { UpstreamTask } from './payload.ts';
import { deadlineOf, PooledPost, TollamaUpstream } from './tollama-upstream.ts';

const TASK: UpstreamTask = {
  model: 'm',
  modelVersion: 'unknown',
  series: [0, 1],
  horizon: 1,
  freq: '5m',
  levels: [0.1, 0.5, 0.9],
  pastCovariates: {},
  futureCovariates: {},
  params: {},
};

const FOREVER = Number.POSITIVE_INFINITY;

const adapterOf = (adapter: Layer) => settingsFrom({ tsfm: { adapter } }, {}).settings.tsfm.adapter;

const openUpstream = (adapter: Layer) => {
  const settings = adapterOf({ retry_count: 0, ...adapter });
  const pool = new PooledPost(() => settings);
  const upstream = new TollamaUpstream({
    settings: () => settings,
    clock: systemClock,
    random: () => 0,
    post: pool.post,
  });
  return { upstream, [Symbol.dispose]: () => pool[Symbol.dispose]() };
};

const failureOf = (upstream: TollamaUpstream): Promise<UpstreamFailure> =>
  upstream.forecast(TASK, { deadlineMs: FOREVER }).then(
    () => {
      throw new Error('it answered');
    },
    (failure: UpstreamFailure) => failure,
  );

describe('each phase has its own limit', () => {
  test('reading', async () => {
    await using fake = await openFakeUpstream();
    fake.always = { kind: 'hang' };
    using opened = openUpstream({ base_url: fake.url, timeout_s: 60, read_timeout_s: 0.05 });
    const failure = await failureOf(opened.upstream);
    expect(failure).toMatchObject({
      code: 'RUNTIME_TIMEOUT',
      kind: 'ReadTimeout',
      isTransient: true,
    });
    expect(failure.message).toBe('tollama forecast failed: ReadTimeout: no progress within 50 ms');
  });

  test('waiting for a connection', async () => {
    await using fake = await openFakeUpstream();
    fake.script({ kind: 'held' });
    const pool = { max_connections: 1, pool_timeout_s: 0.05, timeout_s: 60 };
    using opened = openUpstream({ base_url: fake.url, ...pool });
    const first = opened.upstream.forecast(TASK, { deadlineMs: FOREVER });
    await expect.poll(() => fake.asked.length).toBe(1);
    expect((await failureOf(opened.upstream)).kind).toBe('PoolTimeout');
    fake.release();
    expect((await first).meta).toEqual({ upstream: 'fake' });
  });

  test('all of them together, by the deadline', async () => {
    await using fake = await openFakeUpstream();
    fake.always = { kind: 'hang' };
    using opened = openUpstream({ base_url: fake.url, timeout_s: 60, retry_count: 5 });
    const deadlineMs = systemClock.now() + 60;
    const asked = opened.upstream.forecast(TASK, { deadlineMs });
    await expect(asked).rejects.toMatchObject({ code: 'RUNTIME_TIMEOUT' });
    expect(fake.asked).toHaveLength(1);
  });
});

test('connections are kept and used again', async () => {
  let connections = 0;
  const sockets: Socket[] = [];
  const text = '{"quantiles": {"0.5": [1]}}';
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n`;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.push(socket);
    socket.on('data', () => socket.write(head + text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  using opened = openUpstream({ base_url: `http://127.0.0.1:${port}` });
  for (let i = 0; i < 5; i++) await opened.upstream.forecast(TASK, { deadlineMs: FOREVER });
  expect(connections).toBe(1);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a refused connection is a network failure', async () => {
  using opened = openUpstream({ base_url: 'http://127.0.0.1:1' });
  expect(await failureOf(opened.upstream)).toMatchObject({
    code: 'RUNTIME_NETWORK',
    kind: 'ConnectError',
    isTransient: true,
  });
});

test('the lines of a streaming daemon are read to the last', async () => {
  await using fake = await openFakeUpstream();
  const response = { forecasts: [{ id: 'series-0', quantiles: { '0.5': [1] } }] };
  const lines = [{ status: 'loading model' }, { done: true, response }];
  fake.always = { kind: 'text', text: `${lines.map((one) => JSON.stringify(one)).join('\n')}\n` };
  using opened = openUpstream({ base_url: fake.url, endpoint: '/api/forecast' });
  const { quantiles } = await opened.upstream.forecast(TASK, { deadlineMs: FOREVER });
  expect([...quantiles]).toEqual([[0.5, [1]]]);
});

test.each([
  [{}, 2 * 1200 + 200],
  [{ retry_count: 0 }, 1200],
  [{ request_deadline_s: 1.8 }, 1800],
  [
    {
      connect_timeout_s: 0.1,
      write_timeout_s: 0.1,
      read_timeout_s: 1,
      pool_timeout_s: 0.1,
      retry_count: 0,
    },
    1300,
  ],
])('%o allows %d ms', (adapter, ms) => {
  expect(deadlineOf(adapterOf(adapter))).toBeCloseTo(ms, 6);
});
