/** Commands that are interrupted while a model works: nothing half written, the right exit code, nobody left over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  childrenOf,
  type DaemonProcess,
  isAlive,
  startDaemonProcess,
  stopDaemon,
  until,
} from './daemon-process.ts';

const PROGRAM = resolve(import.meta.dirname, '../../packages/cli/bin/tollama.mjs');
const checkpoint = join(import.meta.dirname, '../../golden/chronos-bolt/tiny-a');

let folder: string;
let daemon: DaemonProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-interrupted-'));
  const home = join(folder, 'home');
  await mkdir(home);
  // Answers everything but forecasts.
  await writeFile(
    join(folder, 'silent.mjs'),
    `import { createInterface } from 'node:readline';
     createInterface({ input: process.stdin }).on('line', (line) => {
       const { id, method } = JSON.parse(line);
       const hello = { name: 'silent', version: '0', protocol: 1, capabilities: ['ping'] };
       if (method !== 'forecast') console.log(JSON.stringify({ id, result: method === 'hello' ? hello : { ok: true } }));
     });`,
  );
  const runner_commands = { statistical: [process.execPath, join(folder, 'silent.mjs')] };
  await writeFile(join(home, 'config.json'), JSON.stringify({ daemon: { runner_commands } }));
  const rows = Array.from({ length: 400 }, (_, i) => {
    const day = new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10);
    return `a,${day},${(10 + Math.sin(i / 3)).toFixed(3)}`;
  });
  await writeFile(join(folder, 'series.csv'), `unique_id,ds,y\n${rows.join('\n')}\n`);
  daemon = await startDaemonProcess({ env: { TOLLAMA_HOME: home } });
  const pull = { model: checkpoint, name: 'bolt', stream: false };
  expect(await daemon.call('POST', '/api/pull', pull)).toMatchObject({ status: 200 });
});
afterAll(async () => {
  await stopDaemon(daemon);
  await rm(folder, { recursive: true, force: true });
});

const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [PROGRAM, ...args, '--base-url', daemon.url], {
    env: { PATH: process.env.PATH, TOLLAMA_HOME: join(folder, 'home') },
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const working = async (): Promise<number> => {
  const text = await (await fetch(`${daemon.url}/metrics`)).text();
  return Number(/^tollama_queue_working{family="statistical"} (\d+)/m.exec(text)?.[1] ?? 0);
};

const training = async (): Promise<string> =>
  JSON.stringify((await daemon.call('GET', '/api/train')).body);

interface Command {
  readonly args: readonly string[];
  readonly isAtWork: () => Promise<boolean>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    args: ['run', 'naive', 'series.csv', '--horizon', '3', '--output', 'out.csv'],
    isAtWork: async () => (await working()) > 0,
  },
  train: {
    args: ['train', 'bolt', '--data', 'series.csv', '--steps', '100000', '--name', 'waves'],
    isAtWork: async () => (await training()).includes('"running"'),
  },
};

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGKILL', null],
] as const;

describe.runIf(process.platform === 'linux').each(Object.entries(COMMANDS))(
  'tollama %s',
  (_, { args, isAtWork }) => {
    test.each(SIGNALS)('%s', { timeout: 30_000 }, async (signal, expected) => {
      const before = (await readdir(folder)).toSorted();
      const child = start(...args);
      let said = '';
      child.stdout!.on('data', (text) => {
        said += String(text);
      });
      child.stderr!.on('data', (text) => {
        said += String(text);
      });
      while (!(await isAtWork())) {
        expect(child.exitCode, said).toBeNull();
        await new Promise(setImmediate);
      }
      const children = await childrenOf(child.pid!);
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      expect([code, said]).toEqual([expected, expect.not.stringMatching(/^\s+at /m)]);
      for (const pid of children) await until(async () => !(await isAlive(pid)));
      expect((await readdir(folder)).toSorted()).toEqual(before);
      expect(existsSync(join(folder, 'out.csv'))).toBe(false);
      // Whoever went away waits for nothing any more; a training goes on in the daemon until it is stopped.
      await until(async () => (await working()) === 0);
      const { body } = await daemon.call('GET', '/api/train');
      for (const { id, status } of (body as { jobs: { id: string; status: string }[] }).jobs) {
        if (status === 'running') await daemon.call('DELETE', `/api/train/${id}`);
      }
      await until(async () => !(await training()).includes('"running"'));
    });
  },
);
