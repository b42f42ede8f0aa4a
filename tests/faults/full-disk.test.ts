/**
 * A disk that is full: before a pull, in the middle of one, and while a manifest is written. The disk is a
 * small tmpfs in a mount namespace of the daemon; where the system gives none, the tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../../packages/daemon/src/testing/fake-hub.ts';
import { type DaemonProcess, startDaemonProcess, stopDaemon, until } from './daemon-process.ts';

const golden = resolve(import.meta.dirname, '../../golden/chronos-bolt/tiny-a');
const ON_SMALL_DISK = 'mount -t tmpfs -o size=$0 tmpfs "$1" && shift && exec "$@"';

const wrapper = (folder: string, bytes: number): readonly string[] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  ON_SMALL_DISK,
  String(bytes),
  folder,
];

const canMount = (): boolean => {
  const [program, ...args] = [...wrapper(tmpdir(), 65_536), 'true'];
  return spawnSync(program!, args).status === 0;
};

const hasDisk = canMount();
if (!hasDisk)
  console.warn('SKIPPED: full disk; this system gives no mount namespace (unshare -rm)');

let folder: string;
let hub: FakeHub;
let daemon: DaemonProcess;
const start = async (bytes: number, partMegabytes = '64'): Promise<void> => {
  daemon = await startDaemonProcess({
    wrapper: wrapper(folder, bytes),
    env: {
      TOLLAMA_HOME: join(folder, 'home'),
      HF_ENDPOINT: hub.url,
      HF_HUB_CACHE: join(folder, 'hub'),
      TOLLAMA_PULL_PART_MB: partMegabytes,
    },
  });
};
/** The daemon's disk, seen from outside of its namespace. */
const inside = (...path: string[]): string =>
  join(`/proc/${daemon.process.pid}/root`, folder, ...path);

const pull = (fields: object = {}) =>
  daemon.call('POST', '/api/pull', { model: 'owner/name', stream: false, ...fields });

const fillDisk = async (): Promise<void> => {
  const chunk = Buffer.alloc(4096);
  for (;;) {
    try {
      await writeFile(inside('filler'), chunk, { flag: 'a' });
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      return;
    }
  }
};

describe.runIf(hasDisk)('a full disk', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tollama-disk-'));
    hub = await startFakeHub(golden);
  });
  afterEach(async () => {
    expect(await daemon.call('GET', '/v1/health')).toMatchObject({ status: 200 });
    await stopDaemon(daemon);
    await hub[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('before a pull: refused with both sizes, and no byte is fetched', async () => {
    await start(65_536);
    expect(await pull()).toMatchObject({
      status: 502,
      body: { detail: expect.stringMatching(/needs .* free$/), hint: expect.any(String) },
    });
    expect(hub.requests.some(({ path }) => path.endsWith('.safetensors'))).toBe(false);
    expect(await daemon.call('GET', '/api/tags')).toMatchObject({ body: { models: [] } });
  });

  test.each(['64', '0.02'])('in the middle of a pull, parts of %s MB', async (partMegabytes) => {
    await start(400_000, partMegabytes);
    const go = Promise.withResolvers<void>();
    hub.faults.pauseAfter = { bytes: 10_000, until: go.promise };
    const pulling = pull();
    const blobs = inside('hub', 'models--owner--name', 'blobs');
    await until(async () => {
      const names = await readdir(blobs).catch(() => []);
      return names.some((name) => /\.(incomplete|parts)$/.test(name));
    });
    await fillDisk();
    go.resolve();
    expect(await pulling).toMatchObject({
      status: 502,
      body: { detail: expect.stringContaining('the disk is full') },
    });
    expect(await daemon.call('GET', '/api/tags')).toMatchObject({ body: { models: [] } });
    // Room again: the pull goes on and ends right.
    await rm(inside('filler'));
    delete hub.faults.pauseAfter;
    expect(await pull()).toMatchObject({ status: 200 });
    const [weights] = (await readdir(blobs)).filter((name) => name.length === 64);
    expect(await readFile(join(blobs, weights!))).toEqual(
      await readFile(join(golden, 'model.safetensors')),
    );
  });

  test('while a manifest is written: what was installed stays', async () => {
    await start(200_000);
    await mkdir(inside('home'), { recursive: true });
    expect(await pull({ model: 'mock' })).toMatchObject({ status: 200 });
    await fillDisk();
    expect(await pull({ model: 'mock', name: 'second' })).toMatchObject({
      status: 507,
      body: { detail: expect.stringContaining('no space'), hint: expect.stringContaining('room') },
    });
    expect(await daemon.call('GET', '/api/tags')).toMatchObject({
      body: { models: [{ name: 'mock' }] },
    });
    await rm(inside('filler'));
    expect(await pull({ model: 'mock', name: 'second' })).toMatchObject({ status: 200 });
  });
});
