/** `tollama batch` as its user has it: a process that Ctrl-C stops and that goes on when it is started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { panelRows, writePanel } from '../packages/batch/src/testing/panel-file.ts';

const PROGRAM = resolve(import.meta.dirname, '../packages/cli/bin/tollama.mjs');
const folder = mkdtempSync(join(tmpdir(), 'tollama-batch-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERIES = 2000;
const panel = writePanel(join(folder, 'panel.csv'), panelRows(SERIES));

const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, TOLLAMA_HOME: join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const run = async (
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> => {
  const child = start(args);
  let [out, err] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

const batch = (output: string): string[] => [
  ...['batch', panel, '--model', 'theta', '--horizon', '4', '--chunk', '4', '--workers', '1'],
  ...['--output', join(folder, output)],
];

const filesOf = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(folder, output))
      .filter((name) => name !== '_tollama')
      .map((name) => [name, readFileSync(join(folder, output, name)).toString('base64')]),
  );

test('Ctrl-C stops a run cleanly, the second run goes on, the files are the same', async () => {
  const child = start(batch('stopped'));
  for await (const line of createInterface({ input: child.stderr! })) {
    if (/^[1-9]\d* of 2000 series/.test(line)) break;
  }
  child.stderr!.resume();
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(130);
  const stopped = await run('batch', 'status', join(folder, 'stopped'), '--json');
  expect(JSON.parse(stopped.out)).toMatchObject({ state: 'interrupted', model: 'theta' });
  const second = await run(...batch('stopped'), '--resume');
  expect(second).toMatchObject({ code: 0, out: '' });
  expect(second.err).toMatch(/wrote 8000 rows of 2000 series to \d+ files/);
  expect((await run('batch', 'status', join(folder, 'stopped'))).out).toMatch(/^STATE .*\ndone /);
  expect(await run(...batch('whole'), '--quiet')).toMatchObject({ code: 0, out: '', err: '' });
  expect(filesOf('stopped')).toEqual(filesOf('whole'));
});

test('what is missing is said, with the exit code of a wrong command', async () => {
  const { code, err } = await run('batch', panel, '--output', join(folder, 'none'));
  expect([code, err]).toEqual([2, expect.stringContaining("'--horizon' not specified")]);
  const status = await run('batch', 'status', folder);
  expect([status.code, status.err]).toEqual([1, expect.stringContaining('holds no batch run')]);
});

test('all runs of a state folder are listed, and one of them is stopped by its output', async () => {
  const output = join(folder, 'asked');
  const child = start(batch('asked'));
  for await (const line of createInterface({ input: child.stderr! })) {
    if (/^[1-9]\d* of 2000 series/.test(line)) break;
  }
  child.stderr!.resume();
  const asked = await run('batch', 'stop', output, '--json');
  expect(JSON.parse(asked.out)).toMatchObject({ output, status: 'running', asked: true });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(130);
  const listed = JSON.parse((await run('batch', 'status', '--json')).out) as {
    batches: { output: string; status: string }[];
  };
  expect(listed.batches.find((one) => one.output === output)).toMatchObject({ status: 'stopped' });
  expect((await run('batch', 'status')).out).toMatch(/^OUTPUT .*\n.*asked +stopped +theta/);
  expect((await run('batch', 'stop', output)).out).toContain(
    'is stopped: there is nothing to stop',
  );
  const unknown = await run('batch', 'stop', folder);
  expect([unknown.code, unknown.err]).toEqual([
    1,
    expect.stringContaining('no batch run is known'),
  ]);
});
