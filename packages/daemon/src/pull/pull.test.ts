import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMIT, type FakeHub, startFakeHub } from '../testing/fake-hub.ts';
import {
  exampleBody,
  readLines,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let hub: FakeHub;
let at: TestDaemon;
beforeEach(async () => {
  hub = await startFakeHub(checkpoint);
  at = await startTestDaemon({ HF_ENDPOINT: hub.url });
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
});

const pull = (fields: Readonly<Record<string, unknown>> = {}) =>
  at.call('POST', '/api/pull', { model: 'owner/name', stream: false, ...fields });

const cache = (): string => join(at.home, 'hub', 'models--owner--name');

const streamed = async (): Promise<Record<string, unknown>[]> =>
  readLines(
    await fetch(`${at.url}/api/pull`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'owner/name' }),
    }),
  );

describe('from a hub', () => {
  test("into the hub's cache layout, and straight to a forecast", async () => {
    const lines = await streamed();
    expect(lines[0]).toEqual({ status: 'pulling manifest' });
    expect(lines[1]).toEqual({ status: 'resolving digest', digest: COMMIT });
    expect(lines.at(-2)).toMatchObject({
      status: 'downloading',
      files_completed: 2,
      files_total: 2,
    });
    expect(lines.at(-1)).toMatchObject({ status: 'success', model: 'name', digest: COMMIT });
    expect(await readFile(join(cache(), 'refs/main'), 'utf8')).toBe(COMMIT);
    const link = await readlink(join(cache(), 'snapshots', COMMIT, 'model.safetensors'));
    expect(link).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'name' }))).toMatchObject({
      status: 200,
    });
    const { body } = await at.call('POST', '/api/show', { model: 'name' });
    expect(body).toMatchObject({ family: 'chronos-bolt', resolved: { commit_sha: COMMIT } });
  });

  test('a broken transfer goes on where it stopped', async () => {
    hub.faults.breakAfter = { bytes: 30_000, times: 2 };
    expect(await pull()).toMatchObject({ status: 200 });
    const ranges = hub.requests
      .filter(({ path }) => path.endsWith('model.safetensors'))
      .map(({ range }) => range);
    // How much of a broken transfer arrives is the network's choice; what arrived is not asked for again.
    expect(ranges).toHaveLength(3);
    expect(ranges.filter((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).not.toEqual([]);
  });

  test('bytes left by a killed pull are used', async () => {
    const data = await readFile(join(checkpoint, 'model.safetensors'));
    const blobs = join(cache(), 'blobs');
    const { createHash } = await import('node:crypto');
    await mkdir(blobs, { recursive: true });
    await writeFile(
      join(blobs, `${createHash('sha256').update(data).digest('hex')}.incomplete`),
      data.subarray(0, 777),
    );
    expect(await pull()).toMatchObject({ status: 200 });
    expect(hub.requests.find(({ path }) => path.endsWith('model.safetensors'))?.range).toBe(
      'bytes=777-',
    );
    expect((await readdir(blobs)).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  });

  test('wrong bytes are never installed', async () => {
    hub.faults.corrupt = true;
    const answer = await pull();
    expect(answer.status).toBe(502);
    expect(JSON.stringify(answer.body)).toContain('do not have the hash');
    expect(await at.call('GET', '/api/tags')).toMatchObject({ body: { models: [] } });
    expect(await readdir(join(at.home, 'models'))).toEqual([]);
  });

  test('a commit that would lead out of the cache is no commit', async () => {
    hub.faults.commit = '../../../../../elsewhere';
    const answer = await pull();
    expect(answer.status).toBe(502);
    expect(JSON.stringify(answer.body)).toContain('does not answer like a hub');
    expect(await readdir(at.home)).not.toContain('elsewhere');
  });

  test('a hub that is busy is asked again', async () => {
    hub.faults.statuses = [429, 503, 500];
    expect(await pull()).toMatchObject({ status: 200 });
  });

  test('gated, missing, and unknown revisions are told apart', async () => {
    hub.faults.token = 'let-me-in';
    expect((await pull()).body).toMatchObject({
      detail: 'owner/name is gated or private (the hub answered 401)',
      hint: expect.stringContaining('TOLLAMA_HF_TOKEN'),
    });
    expect(await pull({ token: 'let-me-in' })).toMatchObject({ status: 200 });
    expect((await pull({ model: 'owner/other', token: 'let-me-in' })).body).toMatchObject({
      detail: expect.stringContaining('does not exist'),
    });
    expect(await pull({ model: 'owner/name@v9', name: 'other', token: 'let-me-in' })).toMatchObject(
      { status: 502 },
    );
  });

  test('offline: from the cache, or a clear word', async () => {
    expect(await pull({ offline: true })).toMatchObject({
      status: 502,
      body: { detail: 'offline, and owner/name@main is not in the local cache' },
    });
    await pull();
    await at.call('DELETE', '/api/delete', { model: 'name' });
    const before = hub.requests.length;
    expect(await pull({ offline: true })).toMatchObject({ status: 200 });
    expect(hub.requests.length).toBe(before);
  });

  test('a hub that cannot be reached', async () => {
    await hub[Symbol.asyncDispose]();
    const answer = await pull({ model: 'owner/name' });
    expect(answer).toMatchObject({
      status: 502,
      body: { hint: expect.stringContaining('HTTPS_PROXY') },
    });
  });
});

describe('from a folder', () => {
  test('installs it under the name of the folder, or another', async () => {
    expect(await pull({ model: checkpoint })).toMatchObject({
      body: { status: 'success', model: 'tiny-a' },
    });
    expect(await pull({ model: checkpoint, name: 'mine' })).toMatchObject({
      body: { model: 'mine' },
    });
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'mine' }))).toMatchObject({
      status: 200,
    });
  });

  test('a folder that is no checkpoint leaves nothing behind', async () => {
    const answer = await pull({ model: dirname(checkpoint) });
    expect(answer.status).toBe(502);
    expect(JSON.stringify(answer.body)).toContain('config.json');
    expect(await readdir(join(at.home, 'models'))).toEqual([]);
  });

  test('a checkpoint of no known family is refused by name', async () => {
    const folder = join(at.home, 'strange');
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), '{"model_type": "bert"}');
    await writeFile(
      join(folder, 'model.safetensors'),
      await readFile(join(checkpoint, 'model.safetensors')),
    );
    const answer = await pull({ model: folder });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('bert');
  });
});
