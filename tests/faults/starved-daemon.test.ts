/** A daemon process that lacks something: a runner that stands still, file descriptors, quiet clients. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type DaemonProcess,
  isAlive,
  startDaemonProcess,
  stopDaemon,
  until,
} from './daemon-process.ts';

const checkpoint = join(import.meta.dirname, '../../golden/chronos-bolt/tiny-a');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-starved-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ask = ({ call }: DaemonProcess, model: string, timeout = 20) => {
  const timestamps = Array.from(
    { length: 20 },
    (_, i) => `2024-01-${String(i + 1).padStart(2, '0')}`,
  );
  const series = [{ id: 's', freq: 'D', timestamps, target: timestamps.map((_, i) => i % 7) }];
  return call('POST', '/v1/forecast', { model, horizon: 3, series, timeout });
};

interface Info {
  readonly runners: readonly { readonly family: string; readonly pid: number | null }[];
}

const runnerOf = async ({ call }: DaemonProcess, family: string): Promise<number> => {
  const { body } = await call('GET', '/api/info');
  return (body as Info).runners.find((runner) => runner.family === family)!.pid!;
};

/** Sockets that say a word of HTTP, or none, and are not closed. */
const openSockets = async (url: string, count: number, greeting: string): Promise<Socket[]> => {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => resolve());
          socket.on('close', () => resolve());
          if (greeting === '') socket.once('connect', () => resolve());
          else {
            socket.once('data', () => resolve());
            socket.write(greeting);
          }
        }),
    ),
  );
  return sockets;
};

describe.runIf(process.platform === 'linux')('a daemon', () => {
  test('a runner that stands still costs its own requests alone, and is replaced', {
    timeout: 60_000,
  }, async () => {
    const daemon = await startDaemonProcess({ env: { TOLLAMA_HOME: join(folder, 'still') } });
    const pull = { model: checkpoint, name: 'bolt', stream: false };
    expect(await daemon.call('POST', '/api/pull', pull)).toMatchObject({ status: 200 });
    expect(await ask(daemon, 'bolt')).toMatchObject({ status: 200 });
    const still = await runnerOf(daemon, 'chronos-bolt');
    process.kill(still, 'SIGSTOP');
    const stuck = Promise.all([ask(daemon, 'bolt', 3), ask(daemon, 'bolt', 3)]);
    expect(await ask(daemon, 'naive')).toMatchObject({ status: 200 });
    expect((await stuck).map(({ status }) => status)).toContain(503);
    expect(await ask(daemon, 'bolt')).toMatchObject({ status: 200 });
    expect(await runnerOf(daemon, 'chronos-bolt')).not.toBe(still);
    await until(async () => !(await isAlive(still)));
    await stopDaemon(daemon);
  });

  test('a thousand quiet connections leave room for a forecast', { timeout: 60_000 }, async () => {
    const daemon = await startDaemonProcess({ env: { TOLLAMA_HOME: join(folder, 'quiet') } });
    const greeting = 'GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const sockets = await openSockets(daemon.url, 1000, greeting);
    expect(await ask(daemon, 'naive')).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
    await stopDaemon(daemon);
  });

  test('too few file descriptors: refused, not ended, and well again once there are some', {
    timeout: 60_000,
  }, async () => {
    const daemon = await startDaemonProcess({
      env: { TOLLAMA_HOME: join(folder, 'few') },
      wrapper: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'],
    });
    const sockets = await openSockets(daemon.url, 100, '');
    const answers = await Promise.allSettled([ask(daemon, 'naive', 5), ask(daemon, 'theta', 5)]);
    for (const answer of answers) {
      if (answer.status === 'fulfilled') expect([200, 500, 503]).toContain(answer.value.status);
    }
    for (const socket of sockets) socket.destroy();
    expect(await isAlive(daemon.process.pid!)).toBe(true);
    await until(async () => (await ask(daemon, 'naive').catch(() => undefined))?.status === 200);
    await stopDaemon(daemon);
  });
});
