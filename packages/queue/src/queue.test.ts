import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFolderStore } from './content/folder-store.ts';
import { openStore } from './content/open-store.ts';
import { openJournalQueue } from './journal/journal-queue.ts';
import { openQueue } from './open-queue.ts';
import { describeQueue } from './testing/conformance.ts';
import { type RedisServer, skipsRedis, startRedis } from './testing/redis-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-queue-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a journal', () => {
  let now = 1_000_000;
  const path = join(folder, 'jobs.sqlite');
  describeQueue({
    open: (options) => openJournalQueue(path, { ...options, now: () => now }),
    expire: async (leaseMs) => {
      now += leaseMs + 1;
    },
  });

  test('what is over is forgotten after a while', async () => {
    const options = { name: 'old', keepMs: 1000 };
    {
      await using queue = await openJournalQueue(path, { ...options, now: () => now });
      await queue.enqueue({ id: 'over', payload: 1 });
      await queue.finish((await queue.lease())!, 1);
      await queue.enqueue({ id: 'waits', payload: 1 });
    }
    now += 2000;
    await using queue = await openJournalQueue(path, { ...options, now: () => now });
    expect(await queue.result('over')).toBeUndefined();
    expect(await queue.result('waits')).toMatchObject({ state: 'waiting' });
  });

  test('what is over is forgotten while the journal stays open', async () => {
    await using queue = await openJournalQueue(path, {
      ...{ name: 'open', keepMs: 1000 },
      now: () => now,
    });
    await queue.enqueue({ id: 'over', payload: 1 });
    await queue.finish((await queue.lease())!, 1);
    now += 2000;
    await queue.enqueue({ id: 'next', payload: 1 });
    expect(await queue.result('over')).toBeUndefined();
  });

  test('each way to end counts: done, failed, cancelled, lost too often; by default for a day', async () => {
    const hour = 60 * 60 * 1000;
    const ids = ['done', 'failed', 'cancelled', 'lost'];
    await using queue = await openJournalQueue(path, {
      ...{ name: 'ways', leaseMs: 1000, mostLosses: 0 },
      now: () => now,
    });
    for (const id of ids) await queue.enqueue({ id, payload: 1 });
    await queue.finish((await queue.lease())!, 1);
    await queue.fail((await queue.lease())!, { code: 'INTERNAL', message: 'no' }, true);
    await queue.cancel('cancelled');
    await queue.lease();
    now += 1001;
    await queue.lease();
    const known = async () => {
      await queue.enqueue({ id: `at-${now}`, payload: 1 });
      const records = await Promise.all(ids.map((id) => queue.result(id)));
      return records.map((record) => record?.state);
    };
    now += 23 * hour;
    expect(await known()).toEqual(['finished', 'failed', 'cancelled', 'failed']);
    now += 3 * hour;
    expect(await known()).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('what a process held that was killed is taken before its lease runs out', async () => {
    const program = `
      import { openJournalQueue } from ${JSON.stringify(import.meta.resolve('./journal/journal-queue.ts'))};
      const queue = await openJournalQueue(${JSON.stringify(path)}, { name: 'killed', leaseMs: 1e9 });
      await queue.enqueue({ id: 'a', payload: 1 });
      await queue.lease();
      process.kill(process.pid, 'SIGKILL');`;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(signal).toBe('SIGKILL');
    await using queue = await openJournalQueue(path, { name: 'killed' });
    const lease = await queue.lease();
    expect(lease).toMatchObject({ id: 'a', payload: 1 });
    expect(await queue.lease(), 'held by this process').toBeUndefined();
    expect(await queue.progress(lease!)).toBe('held');
  });

  test('a file that is no journal is refused by name', async () => {
    await expect(openQueue(folder, { name: 'x' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(folder),
    });
    await expect(openQueue('amqp://host', { name: 'x' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });
});

describe.skipIf(skipsRedis())('Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  describeQueue({
    open: (options) => openQueue(server.address, options),
    expire: (leaseMs) =>
      new Promise((resolve) => {
        setTimeout(resolve, leaseMs + 1);
      }),
  });

  test('contents are kept by their hash', async () => {
    await using store = await openStore(server.address);
    const hash = await store.put(new Uint8Array([1, 2, 3]));
    expect([...(await store.get(hash))!]).toEqual([1, 2, 3]);
    await store.remove(hash);
    expect(await store.get(hash)).toBeUndefined();
  });

  test('a killed server that comes back has lost nothing', async () => {
    await using queue = await openQueue(server.address, { name: 'killed' });
    await queue.enqueue({ id: 'before', payload: 1 });
    await queue.enqueue({ id: 'held', payload: 2 });
    await queue.finish((await queue.lease())!, 'done');
    const lease = (await queue.lease())!;
    await server.kill();
    const asked = queue.enqueue({ id: 'while-away', payload: 3 });
    await server.start();
    expect(await asked).toBe('waiting');
    expect(await queue.result('before')).toMatchObject({ state: 'finished', result: 'done' });
    expect(await queue.finish(lease, 'too')).toBe(true);
    expect((await queue.lease())?.id).toBe('while-away');
  });
});

test('a server that is not there is said by its address, without its password', async () => {
  await expect(openQueue('redis://:secret@127.0.0.1:1', { name: 'x' })).rejects.toMatchObject({
    code: 'DEPENDENCY_MISSING',
    message: expect.stringContaining('redis://***@127.0.0.1:1'),
  });
});

test('a folder keeps contents whole or not at all', async () => {
  await using store = openFolderStore(join(folder, 'contents'));
  const hash = await store.put(new TextEncoder().encode('abc'));
  expect(hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(new TextDecoder().decode(await store.get(hash))).toBe('abc');
  expect(await store.get('0'.repeat(64))).toBeUndefined();
});
