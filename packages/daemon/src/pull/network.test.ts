/** Pulls through a real proxy, from a hub with a certificate that nobody vouches for, and offline. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../testing/fake-hub.ts';
import { type FakeProxy, startFakeProxy } from '../testing/fake-proxy.ts';
import { SELF_SIGNED } from '../testing/self-signed.ts';
import { readLines, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let proxy: FakeProxy;
let hub: FakeHub;
let at: TestDaemon | undefined;
beforeEach(async () => {
  proxy = await startFakeProxy();
});
afterEach(async () => {
  await at?.[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const start = async ({
  tls = false,
  env = {},
}: {
  tls?: boolean;
  env?: Record<string, string>;
} = {}): Promise<void> => {
  hub = await startFakeHub(checkpoint, tls ? { tls: SELF_SIGNED } : {});
  at = await startTestDaemon({ HF_ENDPOINT: hub.url, ...env });
};
const proxyUrl = (credentials = ''): string => `http://${credentials}127.0.0.1:${proxy.port}`;
const pull = (fields: Readonly<Record<string, unknown>> = {}) =>
  at!.call('POST', '/api/pull', { model: 'owner/name', stream: false, ...fields });

describe('a proxy', () => {
  test('of the environment, with its credentials', async () => {
    await start({ env: { HTTP_PROXY: proxyUrl('me:secret@') } });
    expect(await pull()).toMatchObject({ status: 200 });
    expect(proxy.seen.length).toBe(hub.requests.length);
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(new Set(proxy.credentials)).toEqual(new Set([basic]));
    const { body } = await at!.call('GET', '/api/info');
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('of the request, without a scheme; it beats the environment', async () => {
    await start({ env: { HTTP_PROXY: 'http://127.0.0.1:9' } });
    expect(await pull({ http_proxy: `127.0.0.1:${proxy.port}` })).toMatchObject({ status: 200 });
    expect(proxy.seen.length).toBeGreaterThan(0);
  });

  test('is cleared by an explicit null', async () => {
    await start({ env: { HTTP_PROXY: proxyUrl() } });
    expect(await pull({ http_proxy: null })).toMatchObject({ status: 200 });
    expect(proxy.seen).toEqual([]);
  });

  test.each(['127.0.0.1', '*', 'example.org,127.0.0.1'])(
    'is passed by for NO_PROXY=%s',
    async (hosts) => {
      await start({ env: { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: hosts } });
      expect(await pull()).toMatchObject({ status: 200 });
      await at!.call('DELETE', '/api/delete', { model: 'name' });
      await rm(join(at!.home, 'hub'), { recursive: true });
      // Another list does not name the host; the proxy is asked and sees all.
      const fields = { http_proxy: proxyUrl(), no_proxy: 'example.org' };
      expect(await pull(fields)).toMatchObject({ status: 200 });
      expect(proxy.seen.length).toBeGreaterThan(0);
    },
  );

  test('carries TLS in a tunnel', async () => {
    await start({ tls: true, env: { HTTPS_PROXY: proxyUrl() } });
    expect(await pull({ insecure: true })).toMatchObject({ status: 200 });
    const { host } = new URL(hub.url);
    expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${host}`]));
  });

  test('that is away: a clear word', async () => {
    await start({ env: { HTTP_PROXY: 'http://127.0.0.1:9' } });
    expect(await pull()).toMatchObject({
      status: 502,
      body: {
        detail: expect.stringMatching(/cannot be reached: .*ECONNREFUSED/),
        hint: expect.stringContaining('HTTPS_PROXY'),
      },
    });
  });
});

describe('a certificate that nobody vouches for', () => {
  test('is refused at once, with the two ways out', async () => {
    await start({ tls: true });
    expect(await pull()).toMatchObject({
      status: 502,
      body: {
        detail: expect.stringMatching(/certificate of https:.* is not trusted: self-signed/),
        hint: expect.stringMatching(/NODE_EXTRA_CA_CERTS.*--insecure/),
      },
    });
    expect(hub.requests).toEqual([]);
  });

  test('is taken where that is asked for, with a warning', async () => {
    await start({ tls: true });
    const response = await fetch(`${at!.url}/api/pull`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'owner/name', insecure: true }),
    });
    const lines = await readLines(response);
    expect(lines).toContainEqual({
      status: 'warning',
      message: expect.stringContaining('certificates are not checked'),
    });
    expect(lines.at(-1)).toMatchObject({ status: 'success' });
  });
});

describe('offline', () => {
  test.each(['HF_HUB_OFFLINE', 'config'])('by %s: nobody is asked', async (source) => {
    await start({ env: source === 'config' ? {} : { HF_HUB_OFFLINE: '1' } });
    if (source === 'config') {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(at!.home, 'config.json'), '{"version": 1, "pull": {"offline": true}}');
    }
    expect(await pull()).toMatchObject({
      status: 502,
      body: { detail: 'offline, and owner/name@main is not in the local cache' },
    });
    expect(hub.requests).toEqual([]);
    // The request has the last word.
    expect(await pull({ offline: false })).toMatchObject({ status: 200 });
    expect(hub.requests.length).toBeGreaterThan(0);
  });

  test('local_files_only: from the cache, without a question', async () => {
    await start();
    expect(await pull()).toMatchObject({ status: 200 });
    await at!.call('DELETE', '/api/delete', { model: 'name' });
    const before = hub.requests.length;
    expect(await pull({ local_files_only: true })).toMatchObject({ status: 200 });
    expect(hub.requests.length).toBe(before);
  });
});
