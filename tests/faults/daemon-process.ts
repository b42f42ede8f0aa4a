/** A daemon as a process of its own, to be killed and starved. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

const PROGRAM = resolve(import.meta.dirname, '../../packages/daemon/bin/tollamad.mjs');

export interface DaemonProcess {
  readonly process: ChildProcess;
  readonly url: string;
  /** Sends JSON and reads JSON. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

export interface DaemonProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** A program that starts the daemon: its arguments are followed by the daemon's command. */
  readonly wrapper?: readonly string[];
}

/** Starts one; its log tells the port that it got. Throws with the log when it does not start. */
export const startDaemonProcess = async ({
  env,
  wrapper = [],
}: DaemonProcessOptions): Promise<DaemonProcess> => {
  const [program, ...args] = [...wrapper, process.execPath, PROGRAM];
  const child = spawn(program!, args, {
    env: { PATH: process.env.PATH, TOLLAMA_HOST: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const url = await new Promise<string>((found, failed) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      log += String(chunk);
      const match = /"url":"([^"]+)"/.exec(log)?.[1];
      if (match) found(match);
    });
    child.once('exit', (code) => failed(new Error(`the daemon ended with ${code}: ${log}`)));
  });
  return {
    process: child,
    url,
    async call(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      });
      return { status: response.status, body: await response.json() };
    },
  };
};

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
};

/** As a power cut would. */
export const killDaemon = ({ process: child }: DaemonProcess): Promise<void> =>
  end(child, 'SIGKILL');

export const stopDaemon = ({ process: child }: DaemonProcess): Promise<void> =>
  end(child, 'SIGTERM');

/** Processes whose parent it is (Linux). */
export const childrenOf = async (pid: number): Promise<readonly number[]> => {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    all.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')),
  );
  return all
    .filter((_, i) => Number(parents[i]!.split(') ').at(-1)!.split(' ')[1]) === pid)
    .map(Number);
};

/** Whether a process is there (a zombie is not). */
export const isAlive = async (pid: number): Promise<boolean> => {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state !== undefined && !/\) [ZX] /.test(state);
};

/** Waits until something holds, one turn of the event loop after the other; the test's timeout ends it. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
};
