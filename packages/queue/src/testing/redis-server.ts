/** A real redis-server (or valkey-server) for tests, on a free port, with its append-only file in a folder. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAMS = ['redis-server', 'valkey-server'];

/** The program, or undefined where none is installed. */
export const redisProgram = PROGRAMS.find(
  (program) => spawnSync(program, ['--version']).status === 0,
);

/** Whether tests on Redis are left out; on a build server their absence is a failure instead. */
export const skipsRedis = (): boolean => {
  if (redisProgram) return false;
  if (process.env.CI)
    throw new Error('redis-server is not installed: apt-get install redis-server');
  console.warn('tests on Redis are left out: neither redis-server nor valkey-server is installed');
  return true;
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

export interface RedisServer extends AsyncDisposable {
  readonly address: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again from its append-only file. */
  start(): Promise<void>;
}

export const startRedis = async (): Promise<RedisServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'tollama-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    child = spawn(redisProgram!, [...args, ...durable], { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: child.stdout! })) {
      if (/ready to accept connections/i.test(line)) break;
    }
    child.stdout!.resume();
  };
  await start();
  return {
    address: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
