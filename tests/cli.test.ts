/** The command line as a process of its own, against a daemon of this process. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  startTestDaemon,
  type TestDaemon,
} from '../packages/daemon/src/testing/test-daemon.ts';

const PROGRAM = resolve(import.meta.dirname, '../packages/cli/bin/tollama.mjs');

let at: TestDaemon;
let file: string;
beforeAll(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: 'mock', stream: false });
  file = join(at.home, 'my sales.csv');
  const rows = Array.from({ length: 60 }, (_, i) => {
    const day = new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10);
    return ['north', 'south'].map((id) => `${id},${day},${i + 1}`);
  });
  await writeFile(file, `unique_id,ds,y\n${rows.flat().join('\n')}\n`);
});
afterAll(() => at[Symbol.asyncDispose]());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const tollama = (args: readonly string[], stdin = ''): Promise<Ended> =>
  new Promise((done) => {
    const env = { PATH: process.env.PATH, TOLLAMA_HOME: at.home, NO_COLOR: '1' };
    const child = spawn(process.execPath, [PROGRAM, ...args], { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code) => done({ code, stdout, stderr }));
    child.stdin.end(stdin);
  });

const interactive = (...lines: string[]): Promise<Ended> =>
  tollama(['run', 'mock', '--interactive', '--base-url', at.url], `${lines.join('\n')}\n`);

describe('run --interactive', () => {
  test('load, set, forecast, plot, compare, save', async () => {
    const saved = join(at.home, 'forecast.csv');
    const { code, stdout, stderr } = await interactive(
      `load "${file}"`,
      'horizon 3',
      'quantiles 0.2 0.8',
      'settings',
      'forecast north',
      '/plot south',
      'compare',
      `save "${saved}"`,
      'quit',
      'settings',
    );
    expect([code, stderr.replace(/^forecasting.*\n/gm, '')]).toEqual([0, '']);
    expect(stdout).toMatch(/north +60 +2024-01-01 +2024-02-29/);
    expect(stdout).toMatch(/horizon +3\nquantiles +0.2, 0.8/);
    expect(stdout).toContain('north - 3 steps by mock');
    expect(stdout).toMatch(/TIME +MEAN +0.2 +0.8\n2024-03-01 +60 +60 +60/);
    expect(stdout).not.toContain('south - 3 steps');
    expect(stdout).toMatch(/MODEL +MASE[\s\S]*seasonal-naive/);
    expect(stdout.match(/quantiles +0.2, 0.8/g)).toHaveLength(1);
    expect((await readFile(saved, 'utf8')).split('\n')[1]).toContain('2024-03-01');
  });

  test('errors are told, and the session goes on', async () => {
    const { code, stdout, stderr } = await interactive(
      'forecast',
      'load nowhere.csv',
      'forcast',
      'horizon -1',
      'save x.csv',
      'model ghost',
      `load "${file}"`,
      'forecast east',
      'forecast',
      'model mock',
      'help',
    );
    expect(code).toBe(0);
    expect(stderr).toContain('Error: there is nothing to forecast\nHint: type: load sales.csv');
    expect(stderr).toContain('nowhere.csv');
    expect(stderr).toContain("Hint: did you mean 'forecast'?");
    expect(stderr).toContain('use a whole number above 0');
    expect(stderr).toContain("there is no series 'east'");
    expect(stderr).toContain('ghost');
    expect(stdout).toMatch(/load FILE +read series/);
  });

  test('--input is loaded first', async () => {
    const args = ['run', 'mock', '--interactive', '--input', file, '--base-url', at.url];
    expect((await tollama(args)).stdout).toContain('south');
  });
});

describe('top', () => {
  test('once, as text and as JSON', async () => {
    await at.call('POST', '/v1/forecast', exampleBody());
    const text = await tollama(['top', '--base-url', at.url]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/FAMILY +STATE +WORKING +WAITING[\s\S]*mock +running +0 +0/);
    const { stdout } = await tollama(['top', '--json', '--base-url', at.url]);
    expect(JSON.parse(stdout)).toMatchObject({
      requests: {
        total: expect.any(Number),
        p50_ms: expect.any(Number),
        p95_ms: expect.any(Number),
      },
      families: expect.arrayContaining([
        expect.objectContaining({ family: 'mock', running: true, working: 0, waiting: 0 }),
      ]),
      models: expect.arrayContaining([expect.objectContaining({ name: 'mock', expires_at: null })]),
    });
  });

  test('no daemon: says so', async () => {
    expect(await tollama(['top', '--base-url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('tollama serve'),
    });
  });
});

test('commands that nobody knows', async () => {
  expect(await tollama(['lst'])).toEqual({
    code: 2,
    stdout: '',
    stderr: "Error: unknown command 'lst'\nHint: did you mean 'tollama list'?\n",
  });
  expect((await tollama(['constructor'])).code).toBe(2);
});

test.each([
  [['show'], "Error: missing required argument 'model'"],
  [['list', '--bogus'], "Error: unknown option '--bogus'"],
  [['serve', '--log-level', 'loud'], 'use trace, debug, info, warn, error or silent'],
])('a wrong use of %j is told as an error and exits 2', async (args, words) => {
  const { code, stderr } = await tollama(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  expect(stderr).toMatch(/^Error: /);
});

test('help of a command, both ways', async () => {
  const [one, other] = await Promise.all([tollama(['help', 'ls']), tollama(['ls', '--help'])]);
  expect(one).toEqual(other);
  expect(one.stdout).toContain('list installed models');
});
