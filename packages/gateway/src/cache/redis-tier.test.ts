import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestGateway } from '../testing/test-gateway.ts';
import type { SharedTier } from './answer-cache.ts';
import { openRedisTier } from './redis-tier.ts';

const SERVERS = ['redis-server', 'valkey-server'];
const server = SERVERS.find((name) => spawnSync(name, ['--version']).status === 0);
if (!server && process.env.CI) throw new Error(`CI needs one of ${SERVERS.join(', ')}`);
if (!server) console.warn(`skipped: no ${SERVERS.join(' or ')} on this machine`);

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

const startServer = (port: number): Promise<ChildProcess> => {
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn(server!, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve) => {
    child.stdout!.on('data', (text: Buffer) => {
      if (/ready to accept/i.test(text.toString())) resolve(child);
    });
  });
};

const stopServer = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

/** A client of the test's own, to put things where answers are. */
const openRaw = async (port: number) => {
  const { Redis } = await import('ioredis');
  const redis = new Redis({ port, host: '127.0.0.1' });
  return {
    command: async (name: string, ...words: string[]): Promise<string[]> =>
      (await redis.call(name, ...words)) as string[],
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
};

const poll = async (ask: () => Promise<string[]>): Promise<string[]> => {
  await expect.poll(async () => (await ask()).length).toBeGreaterThan(0);
  return ask();
};

describe.skipIf(!server)('a shared cache', () => {
  let port: number;
  let child: ChildProcess;
  beforeAll(async () => {
    port = await freePort();
    child = await startServer(port);
  });
  afterAll(() => stopServer(child));

  const open = (prefix: string): Promise<SharedTier> =>
    openRedisTier({ url: `redis://127.0.0.1:${port}`, prefix, timeoutMs: 500 }, () => {});

  test('an answer of one instance is a hit of another', async () => {
    await using one = await openTestGateway({ shared: await open('a:') });
    await using two = await openTestGateway({ shared: await open('a:') });
    const market = { market_id: 'shared' };
    const first = await one.answer(market);
    await expect
      .poll(async () => (await two.answer(market)).meta.cache_tier, { timeout: 5000 })
      .not.toBe('none');
    const again = await two.answer(market);
    expect(again.yhat_q).toEqual(first.yhat_q);
    expect(again.meta).toMatchObject({ cache_hit: true, cache_tier: 'l1', cache_state: 'fresh' });
    expect(two.upstream.asked.length).toBeLessThanOrEqual(1);
  });

  test('its answers tell their tier, and are stale answers when the upstream is down', async () => {
    const shared = await open('b:');
    await using one = await openTestGateway({ shared });
    const market = { market_id: 'tier' };
    await one.answer(market);
    one.gateway.parts.cache.clear();
    await expect
      .poll(async () => {
        one.gateway.parts.cache.clear();
        return (await one.answer(market)).meta.cache_tier;
      })
      .toBe('l2');
    one.gateway.parts.cache.clear();
    one.pass(61);
    one.upstream.always = { kind: 'status', code: 500 };
    expect((await one.answer(market)).meta).toMatchObject({
      cache_state: 'stale_if_error',
      cache_tier: 'l2',
    });
  });

  test('what is there that is no answer, or no text at all, is a miss and not a fault', async () => {
    await using redis = await openRaw(port);
    const shared = await open('d:');
    await using one = await openTestGateway({ shared });
    await one.answer({ market_id: 'mine' });
    const [key] = await poll(() => redis.command('KEYS', 'd:*'));
    for (const value of ['1 99999999999999 99999999999999 {oops}', '', '{}', '1 9 9 {}']) {
      await redis.command('SET', key!, value, 'PX', '60000');
      one.gateway.parts.cache.clear();
      expect((await one.answer({ market_id: 'mine' })).meta.cache_hit).toBe(false);
    }
    await redis.command('DEL', key!);
    await redis.command('RPUSH', key!, 'a', 'b');
    one.gateway.parts.cache.clear();
    expect((await one.answer({ market_id: 'mine' })).meta.cache_hit).toBe(false);
    expect(shared.isUp).toBe(true);
  });

  test('an answer is fresh by the clock of the server too', async () => {
    await using redis = await openRaw(port);
    const shared = await open('e:');
    const nowMs = Date.now();
    const ahead = nowMs + 3_600_000;
    const answer = { text: '{}', freshUntilMs: ahead + 60_000, staleUntilMs: ahead + 180_000 };
    shared.set('k', answer, ahead);
    await poll(() => redis.command('KEYS', 'e:*'));
    const read = await shared.get('k', nowMs);
    expect(read!.freshUntilMs - nowMs).toBeLessThanOrEqual(60_000);
    expect(read!.staleUntilMs - nowMs).toBeLessThanOrEqual(180_000);
    await redis.command('PERSIST', 'e:k');
    expect(await shared.get('k', nowMs)).toBeUndefined();
    await shared[Symbol.asyncDispose]();
  });

  test('its loss fails no request, and it is used again once it is back', async () => {
    const shared = await open('c:');
    await using one = await openTestGateway({ shared });
    await stopServer(child);
    for (let i = 0; i < 5; i++) expect((await one.answer()).meta.runtime).toBe('tollama');
    await expect.poll(() => shared.isUp).toBe(false);
    child = await startServer(port);
    await expect.poll(() => shared.isUp, { timeout: 10_000 }).toBe(true);
    const market = { market_id: 'back' };
    await one.answer(market);
    await expect
      .poll(async () => {
        one.gateway.parts.cache.clear();
        return (await one.answer(market)).meta.cache_tier;
      })
      .toBe('l2');
  });
});

test('a server that is not there is no error', async () => {
  const told: string[] = [];
  const url = `redis://127.0.0.1:${await freePort()}`;
  await using shared = await openRedisTier({ url, prefix: '', timeoutMs: 50 }, (m) => told.push(m));
  expect(shared.isUp).toBe(false);
  expect(await shared.get('x', 0)).toBeUndefined();
  shared.set('x', { text: '{}', freshUntilMs: 1e15, staleUntilMs: 1e15 }, 0);
  expect(told).toHaveLength(1);
});
