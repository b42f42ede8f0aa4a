import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  exampleBody,
  readLines,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let at: TestDaemon;
beforeEach(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: checkpoint, name: 'bolt', stream: false });
});
afterEach(() => at[Symbol.asyncDispose]());

const stream = async (path: string, body: unknown) =>
  readLines(
    await fetch(`${at.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

const forecast = (fields: Readonly<Record<string, unknown>>) =>
  at.call('POST', '/v1/forecast', exampleBody(fields));

test('a copy outlives its source', async () => {
  expect(await at.call('POST', '/api/copy', { source: 'bolt', destination: 'mine' })).toMatchObject(
    { status: 200 },
  );
  expect(await at.call('POST', '/api/copy', { source: 'bolt', destination: 'mine' })).toMatchObject(
    { status: 409 },
  );
  expect(await at.call('POST', '/api/copy', { source: 'nope', destination: 'x' })).toMatchObject({
    status: 404,
  });
  await at.call('DELETE', '/api/delete', { model: 'bolt' });
  expect(await forecast({ model: 'mine' })).toMatchObject({ status: 200 });
});

test('many pulls, copies and removals of one name at once leave one whole model', async () => {
  const pull = () =>
    at.call('POST', '/api/pull', { model: checkpoint, name: 'many', stream: false });
  const pulled = await Promise.all(Array.from({ length: 20 }, pull));
  expect(pulled.map(({ status }) => status)).toEqual(pulled.map(() => 200));
  expect(await forecast({ model: 'many' })).toMatchObject({ status: 200 });
  const mixed = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      i % 2 === 0
        ? at.call('POST', '/api/copy', { source: 'bolt', destination: 'c' })
        : at.call('DELETE', '/api/delete', { model: 'c' }),
    ),
  );
  for (const { status } of mixed) expect([200, 404, 409]).toContain(status);
  expect(mixed[0]).toMatchObject({ status: 200 });
});

test('latest is the model itself, in every route', async () => {
  expect(await forecast({ model: 'bolt:latest' })).toMatchObject({
    status: 200,
    body: { model: 'bolt' },
  });
  expect(await forecast({ model: 'theta:latest' })).toMatchObject({ status: 200 });
  expect(await at.call('POST', '/api/show', { model: 'bolt:latest' })).toMatchObject({
    body: { name: 'bolt' },
  });
  await at.call('POST', '/api/copy', { source: 'bolt:latest', destination: 'mine:latest' });
  expect(await at.call('POST', '/api/stop', { model: 'bolt:latest' })).toMatchObject({
    status: 200,
  });
  expect(await at.call('DELETE', '/v1/models/mine:latest')).toEqual({
    status: 200,
    body: { removed: true, name: 'mine' },
  });
});

test('a name that no file system takes is not installed', async () => {
  expect(await forecast({ model: 'a'.repeat(5000) })).toMatchObject({ status: 404 });
  expect(await at.call('GET', `/v1/models/${'a'.repeat(5000)}/capabilities`)).toMatchObject({
    status: 404,
  });
});

test('verify names the damaged file', async () => {
  const fine = await stream('/api/verify', { model: 'bolt' });
  expect(fine.at(-1)).toEqual({ status: 'success', model: 'bolt', files: 2, damaged: 0 });
  const { snapshot } = at.daemon.context.home.model('bolt');
  await rm(join(snapshot, 'config.json'));
  await writeFile(join(snapshot, 'config.json'), '{}');
  const damaged = await stream('/api/verify', { model: 'bolt' });
  expect(damaged[0]).toMatchObject({ file: { path: 'config.json', status: 'damaged' } });
  expect(damaged.at(-1)).toMatchObject({ status: 'damaged', damaged: 1 });
});

test('prune takes leftovers and what can be made again, and the model still works', async () => {
  await forecast({ model: 'bolt' });
  await mkdir(join(at.home, 'models', 'half'), { recursive: true });
  await writeFile(join(at.home, 'models', 'half', 'x.bin'), 'x'.repeat(1000));
  const told = await at.call('POST', '/api/prune', { dry_run: true });
  expect(told.body).toMatchObject({ dry_run: true, freed_bytes: expect.any(Number) });
  expect(await readdir(join(at.home, 'models'))).toContain('half');
  await at.call('POST', '/api/prune', {});
  expect(await readdir(join(at.home, 'models'))).toEqual(['bolt']);
  await at.call('POST', '/api/stop', { model: 'bolt' });
  expect(await forecast({ model: 'bolt' })).toMatchObject({ status: 200 });
});

describe('a Modelfile', () => {
  const create = (modelfile: string) =>
    at.call('POST', '/api/create', { model: 'sales', modelfile, stream: false });

  test('sets what the request leaves open', async () => {
    expect(
      await create(
        'FROM bolt\nPARAMETER horizon 7\nPARAMETER quantiles [0.2, 0.8]\nDESCRIPTION weekly',
      ),
    ).toMatchObject({
      body: { status: 'success', model: 'sales', family: 'chronos-bolt', from: 'bolt' },
    });
    const { horizon: _, ...open } = exampleBody({ model: 'sales' });
    const { body } = await at.call('POST', '/v1/forecast', open);
    const [one] = (body as { forecasts: { mean: number[]; quantiles: object }[] }).forecasts;
    expect([one!.mean.length, Object.keys(one!.quantiles)]).toEqual([7, ['0.2', '0.8']]);
    expect(await forecast({ model: 'sales', horizon: 2 })).toMatchObject({ status: 200 });
    expect((await at.call('POST', '/api/show', { model: 'sales' })).body).toMatchObject({
      modelfile: expect.stringContaining('FROM bolt'),
      description: 'weekly',
    });
  });

  test.each([
    ['PARAMETER horizon 7', 400, 'no FROM'],
    ['FROM nope', 404, 'nope'],
    ['FROM bolt\nADAPTER ./missing', 400, 'adapter_config.json'],
    ['FROM bolt\nREQUIRES 99.0.0', 400, '99.0.0'],
  ])('%j is refused and leaves nothing behind', async (text, status, word) => {
    const answer = await create(text);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(word);
    await expect(access(at.daemon.context.home.model('sales').folder)).rejects.toThrow();
  });
});

test('a licence receipt is looked at before each run', async () => {
  const { store, home } = at.daemon.context;
  const manifest = await store.get('bolt');
  await store.write({
    ...manifest,
    license: {
      type: 'cc-by-nc-4.0',
      needs_acceptance: true,
      accepted: true,
      accepted_at: '2026-01-01T00:00:00Z',
    },
  });
  expect(await forecast({ model: 'bolt' })).toMatchObject({ status: 409 });
  const { writeReceipt } = await import('../store/license-receipt.ts');
  await writeReceipt(home, await store.get('bolt'));
  expect(await forecast({ model: 'bolt' })).toMatchObject({ status: 200 });
});

test('one broken manifest takes nothing else down', async () => {
  await mkdir(join(at.home, 'models', 'broken'));
  await writeFile(join(at.home, 'models', 'broken', 'manifest.json'), '{"name": ');
  expect((await at.call('GET', '/api/tags')).body).toMatchObject({ models: [{ name: 'bolt' }] });
  expect(await forecast({ model: 'bolt' })).toMatchObject({ status: 200 });
});

test('prune leaves a model alone that is just being installed', async () => {
  const { store, home } = at.daemon.context;
  const { promise, resolve } = Promise.withResolvers<void>();
  const half = join(home.model('coming').folder, 'snapshot.tmp');
  await mkdir(half, { recursive: true });
  const installing = store.change('coming', () => promise);
  await at.call('POST', '/api/prune', {});
  expect(await readdir(home.model('coming').folder)).toEqual(['snapshot.tmp']);
  resolve();
  await installing;
  await at.call('POST', '/api/prune', {});
  expect(await readdir(home.models)).toEqual(['bolt']);
});
