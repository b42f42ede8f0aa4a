/** A daemon that is killed in the middle of a pull: the next one goes on, ends whole, and leaves nothing over. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../packages/daemon/src/testing/fake-hub.ts';
import { killDaemon, startDaemonProcess, until } from './faults/daemon-process.ts';

const golden = resolve(import.meta.dirname, '../golden/chronos-bolt/tiny-a');
const KILLS = 20;

let folder: string;
let hub: FakeHub;
let weights: Buffer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-killed-'));
  hub = await startFakeHub(golden);
  weights = await readFile(join(golden, 'model.safetensors'));
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const start = (partMegabytes = '64') =>
  startDaemonProcess({
    env: {
      TOLLAMA_HOME: join(folder, 'home'),
      HF_ENDPOINT: hub.url,
      HF_HUB_CACHE: join(folder, 'hub'),
      TOLLAMA_PULL_PART_MB: partMegabytes,
    },
  });

type Running = Awaited<ReturnType<typeof start>>;
const pull = (daemon: Running) =>
  daemon.call('POST', '/api/pull', { model: 'owner/name', stream: false });

const blobs = (): string => join(folder, 'hub', 'models--owner--name', 'blobs');

/** Bytes that a killed pull left. */
const isStarted = async (): Promise<boolean> =>
  (await readdir(blobs()).catch(() => [])).some((name) => /\.(incomplete|parts)$/.test(name));

const killedInPull = async (i: number, partMegabytes: string): Promise<void> => {
  // Places spread over the file, another one each time; the hub stops there and the daemon is killed.
  const bytes = 1 + Math.floor(((i + Math.random()) / KILLS) * (weights.length - 2));
  hub.faults.pauseAfter = {
    until: new Promise<void>(() => {}),
    bytes: (await isStarted()) ? Math.max(1, Math.floor(bytes / KILLS)) : bytes,
  };
  const asked = hub.requests.length;
  const daemon = await start(partMegabytes);
  const cut = pull(daemon).catch(() => undefined);
  await until(() => hub.requests.slice(asked).some(({ path }) => path.endsWith('.safetensors')));
  await killDaemon(daemon);
  await cut;
};

// One stream, and five parts.
test.each(['64', '0.02'])(
  `killed at ${KILLS} places, the pull still ends with the right bytes; parts of %s MB`,
  async (partMegabytes) => {
    for (let i = 0; i < KILLS; i++) await killedInPull(i, partMegabytes);
    delete hub.faults.pauseAfter;
    const daemon = await start(partMegabytes);
    expect((await pull(daemon)).status).toBe(200);
    const hash = createHash('sha256').update(weights).digest('hex');
    const names = await readdir(blobs());
    expect(names.filter((name) => name.includes('.'))).toEqual([]);
    const blob = await readFile(join(blobs(), hash));
    expect(createHash('sha256').update(blob).digest('hex')).toBe(hash);
    expect((await readdir(join(folder, 'home', 'models'))).toSorted()).toEqual(['name']);
    await killDaemon(daemon);
  },
);

test('killed while manifests are written: each is there whole or not at all', async () => {
  const models = join(folder, 'home', 'models');
  for (let kill = 0; kill < 6; kill++) {
    const daemon = await start();
    let written = 0;
    const write = async (one: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const name = `m-${kill}-${one}-${i}`;
        await daemon.call('POST', '/api/pull', { model: 'mock', name, stream: false });
        written++;
      }
    };
    const writers = [0, 1, 2, 3].map((one) => write(one).catch(() => undefined));
    const enough = 5 + Math.floor(Math.random() * 20);
    await until(() => written >= enough);
    await killDaemon(daemon);
    await Promise.all(writers);
  }
  await writeFile(join(models, 'm-0-0-0', 'manifest.json.123.4.tmp'), '{"name": "na');
  const daemon = await start();
  const { status, body } = await daemon.call('GET', '/api/tags');
  expect(status).toBe(200);
  const installed = (body as { models: { name: string }[] }).models.map(({ name }) => name);
  expect(installed.toSorted()).toEqual((await readdir(models)).toSorted());
  expect(installed.length).toBeGreaterThan(29);
  for (const name of installed) {
    expect((await readdir(join(models, name))).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    JSON.parse(await readFile(join(models, name, 'manifest.json'), 'utf8'));
  }
  await killDaemon(daemon);
});
