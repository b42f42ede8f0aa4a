/** The examples in Python: clients over plain HTTP, and a runner that the daemon starts. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { TollamaClient } from '@tollama/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';

const EXAMPLES = resolve(import.meta.dirname, '../examples/python');
const runs = (...args: readonly string[]): boolean => spawnSync('python3', args).status === 0;

const hasPython = runs('--version');
const hasHttpx = hasPython && runs('-c', 'import httpx');
if (!hasPython) console.warn('python3 is not here: the examples in Python are not tested');
else if (!hasHttpx) console.warn('httpx is not here: the clients in Python are not run');

const REGISTRY = `models:
  - name: my-model
    family: my-family
    source: {type: local, repo_id: me/my-model, revision: main}
    license: {type: mit, needs_acceptance: false}
  - name: strict
    family: my-family
    source: {type: local, repo_id: me/strict, revision: main}
    license: {type: mit, needs_acceptance: true}
`;

describe.runIf(hasPython)('in Python', () => {
  let daemon: TestDaemon;
  let client: TollamaClient;
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'tollama-python-'));
    const registry = join(home, 'registry.yaml');
    await writeFile(registry, REGISTRY);
    const commands = { 'my-family': ['python3', join(EXAMPLES, 'runner.py')] };
    const config = { version: 1, daemon: { runner_commands: commands } };
    await writeFile(join(home, 'config.json'), JSON.stringify(config));
    daemon = await startTestDaemon({ TOLLAMA_HOME: home, TOLLAMA_MODEL_REGISTRY_PATH: registry });
    client = new TollamaClient({ baseUrl: daemon.url });
    for await (const { status } of client.pull({ model: 'my-model' })) expect(status).toBeTruthy();
  });

  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  const series = (target: readonly number[], timestamps: readonly string[], freq = 'D') => ({
    id: 's',
    freq,
    timestamps: [...timestamps],
    target: [...target],
  });
  const days = (length: number): string[] =>
    Array.from({ length }, (_, i) => `2024-01-${String(i + 1).padStart(2, '0')}`);
  const ask = (one: ReturnType<typeof series>, options: Record<string, unknown> = {}) =>
    client.forecast({ model: 'my-model', horizon: 4, series: [one], options });

  test('a runner forecasts', async () => {
    const { forecasts, usage } = await ask(series([1, 2, 3, 1, 2, 3], days(6)), { season: 3 });
    expect(forecasts[0]).toMatchObject({
      id: 's',
      start_timestamp: '2024-01-07',
      mean: [1, 2, 3, 1],
    });
    expect(forecasts[0]!.quantiles).toEqual({
      '0.1': [1, 2, 3, 1],
      '0.5': [1, 2, 3, 1],
      '0.9': [1, 2, 3, 1],
    });
    expect(usage).toMatchObject({ runner: 'python-example', device: 'cpu' });
  });

  test.each([
    ['months', 'MS', ['2024-11-01', '2024-12-01'], '2025-01-01'],
    ['ends of months', 'ME', ['2024-01-31', '2024-02-29'], '2024-03-31'],
    ['hours', 'h', ['2024-01-01T22:00:00', '2024-01-01T23:00:00'], '2024-01-02T00:00:00'],
    ['numbers', 'auto', ['10', '15'], '20'],
  ])('the first step after %s', async (_, freq, timestamps, next) => {
    const { forecasts } = await ask(series([1, 2], timestamps, freq));
    expect(forecasts[0]!.start_timestamp).toBe(next);
  });

  test('missing values are no values', async () => {
    const one = { ...series([5, 0, 7], days(3)), missing_indices: [1] };
    const { forecasts } = await ask(one, { season: 2 });
    expect(forecasts[0]!.mean).toEqual([5, 7, 5, 7]);
  });

  test('what a runner refuses is a bad request; the runner goes on', async () => {
    await expect(ask(series([1, 2], days(2)), { season: 0 })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('option season = 0'),
    });
    expect((await ask(series([1, 2], days(2)))).forecasts).toHaveLength(1);
  });

  const runExample = async (file: string, ...args: readonly string[]) => {
    const env = { ...process.env, TOLLAMA_BASE_URL: daemon.url, TOLLAMA_API_KEY: '' };
    const child = spawn('python3', [join(EXAMPLES, file), ...args], { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  };

  describe.runIf(hasHttpx)('clients with httpx', () => {
    test('forecast', async () => {
      const { code, stdout } = await runExample('forecast.py', 'seasonal-naive');
      expect(code).toBe(0);
      expect(stdout).toMatch(/shop from 2024-03-11\n {5}26\.30/);
      expect(stdout.trim().split('\n')).toHaveLength(16);
    });

    test('an error is told with its hint', async () => {
      const { code, stderr } = await runExample('forecast.py', 'nothing');
      expect(code).toBe(1);
      expect(stderr).toContain("404: model 'nothing' is not installed");
      expect(stderr).toContain('tollama pull nothing');
    });

    test('stream', async () => {
      const { code, stdout, stderr } = await runExample('stream.py', 'drift');
      expect(code).toBe(0);
      expect(stderr).toContain('running forecast');
      expect(JSON.parse(stdout)[0]).toMatchObject({ start_timestamp: '2025-01-01' });
    });

    test('pull', async () => {
      const refused = await runExample('pull.py', 'strict');
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('409') });
      const { code, stdout } = await runExample('pull.py', 'strict', '--accept-license');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'success', model: 'strict' });
    });
  });
});
