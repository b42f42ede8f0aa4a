/** A daemon that is killed in the middle of a pull: the next one goes on, ends whole, and leaves nothing over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../packages/daemon/src/testing/fake-hub.ts';

const program = resolve(import.meta.dirname, '../packages/daemon/bin/tollamad.mjs');
const golden = resolve(import.meta.dirname, '../golden/chronos-bolt/tiny-a');
const KILLS = 20;

let folder: string;
let hub: FakeHub;
let weights: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-killed-'));
  hub = await startFakeHub(golden);
  weights = await readFile(join(golden, 'model.safetensors'));
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
}

/** A daemon process; its log tells the port that it got. */
const start = async (): Promise<Running> => {
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env.PATH,
      TOLLAMA_HOME: join(folder, 'home'),
      TOLLAMA_HOST: '127.0.0.1:0',
      HF_ENDPOINT: hub.url,
      HF_HUB_CACHE: join(folder, 'hub'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  for await (const chunk of child.stderr!) {
    log += String(chunk);
    const url = /"url":"([^"]+)"/.exec(log)?.[1];
    if (url) return { process: child, url };
  }
  throw new Error(`the daemon did not start: ${log}`);
};

const pull = ({ url }: Running): Promise<Response> =>
  fetch(`${url}/api/pull`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'owner/name', stream: false }),
  });

const kill = async ({ process: child }: Running): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const blobs = (): string => join(folder, 'hub', 'models--owner--name', 'blobs');

test(`killed at ${KILLS} places, the pull still ends with the right bytes`, async () => {
  for (let i = 0; i < KILLS; i++) {
    // Places spread over the file, another one each time; the hub stops there and the daemon is killed.
    const bytes = 1 + Math.floor(((i + Math.random()) / KILLS) * (weights.length - 2));
    const already = (await readdir(blobs()).catch(() => [])).filter((name) =>
      name.endsWith('.incomplete'),
    );
    hub.faults.pauseAfter = {
      until: new Promise<void>(() => {}),
      bytes: already.length > 0 ? Math.max(1, Math.floor(bytes / KILLS)) : bytes,
    };
    const asked = hub.requests.length;
    const daemon = await start();
    const cut = pull(daemon).catch(() => undefined);
    while (!hub.requests.slice(asked).some(({ path }) => path.endsWith('.safetensors'))) {
      await new Promise((done) => setImmediate(done));
    }
    await kill(daemon);
    await cut;
  }
  delete hub.faults.pauseAfter;
  const daemon = await start();
  expect((await pull(daemon)).status).toBe(200);
  const names = await readdir(blobs());
  expect(names.filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  const hash = createHash('sha256').update(weights).digest('hex');
  expect(
    createHash('sha256')
      .update(await readFile(join(blobs(), hash)))
      .digest('hex'),
  ).toBe(hash);
  expect((await readdir(join(folder, 'home', 'models'))).toSorted()).toEqual(['name']);
  await kill(daemon);
});

test('killed while a manifest was written: the model is there or not, never half', async () => {
  const models = join(folder, 'home', 'models');
  await writeFile(join(models, 'name', 'manifest.json.123.4.tmp'), '{"name": "na');
  const daemon = await start();
  const tags = (await (await fetch(`${daemon.url}/api/tags`)).json()) as {
    models: { name: string }[];
  };
  expect(tags.models.map(({ name }) => name)).toEqual(['name']);
  expect((await readdir(join(models, 'name'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  await kill(daemon);
});
