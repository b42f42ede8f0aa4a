/** A registry and runners of one's own: what holds for them holds for every name and family. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  readLines,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';

const REGISTRY = `
models:
  - { name: last-value, family: mock, source: { type: local, repo_id: own/last, revision: main }, license: { type: mit } }
  - { name: shell, family: mock, source: { type: local, repo_id: own/shell, revision: main }, license: { type: mit }, metadata: { forecast_ready: false } }
  - { name: own, family: own, source: { type: local, repo_id: own/own, revision: main }, license: { type: mit } }
  - { name: gone, family: gone, source: { type: local, repo_id: own/gone, revision: main }, license: { type: mit } }
`;

/** Answers hello, refuses with the code that the request asks for, else forecasts ones without quantiles. */
const RUNNER = `#!/usr/bin/env node
const { createInterface } = require('node:readline');
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const tell = (said) => console.log(JSON.stringify({ id, ...said }));
  if (method === 'hello') return tell({ result: { name: 'own', version: '1', capabilities: ['hello', 'forecast'] } });
  const { code } = params.options ?? {};
  if (code) return tell({ error: { code, message: 'asked to fail' } });
  const forecasts = params.series.map(({ id, freq, timestamps }) => ({
    id, freq, start_timestamp: timestamps.at(-1), mean: new Array(params.horizon).fill(1),
  }));
  tell({ result: { model: params.model, forecasts } });
});
`;

let at: TestDaemon;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-registry-'));
  const [registry, runner] = [join(folder, 'registry.yaml'), join(folder, 'runner.cjs')];
  await writeFile(registry, REGISTRY);
  await writeFile(runner, RUNNER);
  await chmod(runner, 0o755);
  const runner_commands = {
    own: [process.execPath, runner],
    gone: [join(folder, 'no-such-program')],
  };
  // Runners are chosen when the daemon starts.
  await writeFile(join(folder, 'config.json'), JSON.stringify({ daemon: { runner_commands } }));
  at = await startTestDaemon({ TOLLAMA_HOME: folder, TOLLAMA_MODEL_REGISTRY_PATH: registry });
  for (const model of ['last-value', 'shell', 'own', 'gone']) {
    expect(await at.call('POST', '/api/pull', { model, stream: false })).toMatchObject({
      status: 200,
    });
  }
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const forecast = (fields: Readonly<Record<string, unknown>>) =>
  at.call('POST', '/v1/forecast', exampleBody(fields));

test.each(['last-value', 'copy'])(
  'a model of the mock family repeats the last value: %s',
  async (model) => {
    if (model === 'copy') {
      await at.call('POST', '/api/copy', { source: 'last-value', destination: model });
    }
    expect(await forecast({ model })).toMatchObject({
      status: 200,
      body: { model, forecasts: [{ mean: [5, 5, 5], quantiles: { 0.5: [5, 5, 5] } }] },
    });
  },
);

test('a model that cannot forecast names some that can', async () => {
  const { status, body } = await forecast({ model: 'shell' });
  expect([status, body]).toEqual([
    400,
    {
      detail: "model 'shell' cannot forecast yet",
      hint: expect.stringMatching(/^use another model: .*'last-value'.*'auto'$/),
    },
  ]);
});

test('a forecast without quantiles says null', async () => {
  const { body } = await forecast({ model: 'own', quantiles: [] });
  expect(body).toMatchObject({ forecasts: [{ mean: [1, 1, 1], quantiles: null }] });
});

describe('a runner that refuses', () => {
  test.each([
    ['BAD_REQUEST', 400, 'fix the request'],
    ['MODEL_UNSUPPORTED', 400, 'use another model'],
    ['DEPENDENCY_MISSING', 503, 'then retry'],
  ])('%s is %i with a hint', async (code, status, words) => {
    const detail = { code, message: 'asked to fail' };
    expect(await forecast({ model: 'own', options: { code } })).toEqual({
      status,
      body: { detail, hint: expect.stringContaining(words) },
    });
  });

  test.each([
    ['own', { code: 'BAD_REQUEST' }, 400],
    ['gone', {}, 503],
  ])('a stream of %s that is refused at once is a plain status', async (model, options, status) => {
    const answer = await at.call('POST', '/api/forecast', exampleBody({ model, options }));
    expect(answer).toMatchObject({ status, body: { detail: expect.anything() } });
  });

  test('a stream that is not refused is one', async () => {
    const response = await fetch(`${at.url}/api/forecast`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(exampleBody({ model: 'own' })),
    });
    expect((await readLines(response)).at(-1)).toMatchObject({ done: true });
  });
});
