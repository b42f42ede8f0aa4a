/** An older Node, where the machine has one: the program hands over, and what is sent to it goes along. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const versionOf = (program: string): number =>
  Number(/^v(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1]);

const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((program) => existsSync(program) && versionOf(program) < 22);

const program = (name: string): string => resolve(import.meta.dirname, '../packages', name);

test.skipIf(!oldNode).each(['cli/bin/tollama.mjs', 'daemon/bin/tollamad.mjs'])(
  '%s under an older Node: SIGTERM ends the daemon behind it',
  async (name) => {
    const home = await mkdtemp(join(tmpdir(), 'tollama-old-node-'));
    const args = [program(name), ...(name.startsWith('cli') ? ['serve'] : [])];
    const env = { ...process.env, TOLLAMA_HOME: home, TOLLAMA_HOST: '127.0.0.1:0' };
    const child = spawn(oldNode!, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(child, 'exit');
    let url = '';
    for await (const line of createInterface(child.stderr)) {
      url = /"url":"([^"]+)"/.exec(line)?.[1] ?? '';
      if (url) break;
    }
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    await expect(fetch(`${url}/v1/health`)).rejects.toThrow();
    await rm(home, { recursive: true });
  },
  30_000,
);
