/** A daemon process and a hub that misbehaves: what is installed is right, and the daemon stays well. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../../packages/daemon/src/testing/fake-hub.ts';
import { type DaemonProcess, startDaemonProcess, stopDaemon } from './daemon-process.ts';

const golden = resolve(import.meta.dirname, '../../golden/chronos-bolt/tiny-a');
const STALL_SECONDS = '0.3';

let folder: string;
let hub: FakeHub;
let daemon: DaemonProcess;
const start = (partMegabytes: string): Promise<DaemonProcess> =>
  startDaemonProcess({
    env: {
      TOLLAMA_HOME: join(folder, 'home'),
      HF_ENDPOINT: hub.url,
      HF_HUB_CACHE: join(folder, 'hub'),
      TOLLAMA_PULL_PART_MB: partMegabytes,
      TOLLAMA_PULL_STALL_SECONDS: STALL_SECONDS,
    },
  });

const pull = () => daemon.call('POST', '/api/pull', { model: 'owner/name', stream: false });
const blobs = (): string => join(folder, 'hub', 'models--owner--name', 'blobs');

const expectRight = async (): Promise<void> => {
  const hash = createHash('sha256')
    .update(await readFile(join(golden, 'model.safetensors')))
    .digest('hex');
  const names = await readdir(blobs());
  expect(names).toContain(hash);
  expect(names.filter((name) => name.includes('.'))).toEqual([]);
  const blob = await readFile(join(blobs(), hash));
  expect(createHash('sha256').update(blob).digest('hex')).toBe(hash);
};

const expectNothingInstalled = async (): Promise<void> => {
  expect((await daemon.call('GET', '/api/tags')).body).toEqual({ models: [] });
  expect(await readdir(join(folder, 'home', 'models'))).toEqual([]);
};

// One stream, and five parts.
describe.each(['64', '0.02'])('with parts of %s MB', (partMegabytes) => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tollama-hub-'));
    hub = await startFakeHub(golden);
    daemon = await start(partMegabytes);
  });
  afterEach(async () => {
    for (const fault of Object.keys(hub.faults) as (keyof typeof hub.faults)[])
      delete hub.faults[fault];
    hub.requests.length = 0;
    expect(await daemon.call('GET', '/v1/health')).toEqual({ status: 200, body: { status: 'ok' } });
    await daemon.call('DELETE', '/api/delete', { model: 'name' });
    await rm(join(folder, 'hub'), { recursive: true, force: true });
  });
  afterAll(async () => {
    await stopDaemon(daemon);
    await hub[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('a hub in order', async () => {
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
    const ranges = hub.requests.filter(({ path }) => path.endsWith('.safetensors'));
    expect(ranges).toHaveLength(partMegabytes === '64' ? 1 : 6);
  });

  test('never answers, then does', async () => {
    hub.faults.silences = 2;
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('stalls in the middle of the bytes', async () => {
    hub.faults.pauseAfter = { bytes: 30_000, until: new Promise(() => {}) };
    const pulling = pull();
    // Each try brings bytes, so that it goes on for as long as it takes.
    expect(await pulling).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('cuts its answers short, again and again', async () => {
    hub.faults.breakAfter = { bytes: 9000, times: 7 };
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test.each([1, 4000])('promises %i bytes more than there are', async (listedBytesMore) => {
    hub.faults.listedBytesMore = listedBytesMore;
    expect(await pull()).toMatchObject({ status: 502, body: { detail: expect.any(String) } });
    await expectNothingInstalled();
    delete hub.faults.listedBytesMore;
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test.each([-1, -4000])('promises %i bytes', async (listedBytesMore) => {
    hub.faults.listedBytesMore = listedBytesMore;
    expect(await pull()).toMatchObject({ status: 502 });
    await expectNothingInstalled();
    delete hub.faults.listedBytesMore;
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test.each([1, -1, 4000, -4000])('sends %i bytes more', async (sentBytesMore) => {
    hub.faults.sentBytesMore = sentBytesMore;
    expect(await pull()).toMatchObject({ status: 502 });
    await expectNothingInstalled();
    delete hub.faults.sentBytesMore;
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('knows no ranges', async () => {
    hub.faults.ignoresRange = true;
    hub.faults.breakAfter = { bytes: 9000, times: 1 };
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('changes the file between two parts', async () => {
    // The first answer is cut, the rest comes from another file; then all of it does.
    hub.faults.breakAfter = { bytes: 9000, times: 1 };
    hub.faults.changesAtRequest = 2;
    expect(await pull()).toMatchObject({
      status: 502,
      body: { detail: expect.stringContaining('hash') },
    });
    await expectNothingInstalled();
    delete hub.faults.changesAtRequest;
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('is busy: 429 with Retry-After in seconds or as a date, then 500 and 503', async () => {
    hub.faults.statuses = [429, 500, 503];
    hub.faults.retryAfter = new Date(Date.now() - 60_000).toUTCString();
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('fails for good: 500 without end', async () => {
    hub.faults.statuses = Array.from({ length: 50 }, () => 500);
    expect(await pull()).toMatchObject({
      status: 502,
      body: { detail: expect.stringContaining('answered 500') },
    });
    await expectNothingInstalled();
    hub.faults.statuses = [];
    expect(await pull()).toMatchObject({ status: 200 });
    await expectRight();
  });

  test('two pulls of the same model at the same time fetch it once', async () => {
    const [one, other] = await Promise.all([pull(), pull()]);
    expect([one.status, other.status]).toEqual([200, 200]);
    await expectRight();
    const ranges = hub.requests.filter(({ path }) => path.endsWith('.safetensors'));
    expect(ranges).toHaveLength(partMegabytes === '64' ? 1 : 6);
  });
});
