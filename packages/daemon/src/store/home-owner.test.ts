import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@tollama/core/settings';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon } from '../serve.ts';
import { openHome } from './home.ts';
import { claimHome } from './home-owner.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-owner-'));
});
afterEach(() => rm(folder, { recursive: true }));

const pidFile = () => join(folder, 'daemon.pid');
/** A process that lives until the test ends. */
const startOther = () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  return { pid: child.pid!, [Symbol.dispose]: () => void child.kill('SIGKILL') };
};

test('a folder has one owner; what a dead one left is taken over', async () => {
  await writeFile(pidFile(), '4194305\n');
  {
    await using claim = await claimHome(openHome(folder));
    expect(claim.other).toBeUndefined();
    expect(await readFile(pidFile(), 'utf8')).toBe(`${process.pid}\n`);
  }
  await expect(readFile(pidFile())).rejects.toThrow('ENOENT');
  using other = startOther();
  await writeFile(pidFile(), String(other.pid));
  await using second = await claimHome(openHome(folder));
  expect(second.other).toBe(other.pid);
  expect(await readFile(pidFile(), 'utf8')).toBe(String(other.pid));
});

test('a daemon that starts takes nothing away from one that lives', async () => {
  const half = join(folder, 'models', 'half', 'snapshot.tmp');
  const settings = readSettings({
    TOLLAMA_HOME: folder,
    TOLLAMA_HOST: '127.0.0.1:0',
    TOLLAMA_LOG_LEVEL: 'silent',
  });
  await mkdir(half, { recursive: true });
  {
    using other = startOther();
    await writeFile(pidFile(), String(other.pid));
    await using _ = await startDaemon(settings, {});
    expect(await readFile(pidFile(), 'utf8')).toBe(String(other.pid));
    expect(await readdir(join(folder, 'models', 'half'))).toEqual(['snapshot.tmp']);
  }
});
