/** Finds the daemon to talk to, and starts one where the user expects that. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TollamaClient } from '@tollama/client';
import { homeNotWritable, TollamaError } from '@tollama/core/errors';
import { readSettings } from '@tollama/core/settings';
import { activeTraceHeaders } from '@tollama/telemetry/active-trace';
import type { Progress } from '../terminal/progress.ts';

export interface ConnectionOptions {
  readonly baseUrl?: string | undefined;
  /** Seconds for answers that need no model. */
  readonly timeout?: number | undefined;
  /** A family that is needed at once: its runner starts beside the daemon. */
  readonly warm?: string | undefined;
}

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 15;
/** A daemon that the command line started ends itself when nobody used it for that long. */
const IDLE_EXIT_SECONDS = 600;

const baseUrlOf = ({ baseUrl }: ConnectionOptions): string => {
  if (baseUrl) return /^https?:\/\//.test(baseUrl) ? baseUrl : `http://${baseUrl}`;
  const { host, port } = readSettings(process.env);
  const reachable =
    host === '0.0.0.0'
      ? '127.0.0.1'
      : host === '::'
        ? '[::1]'
        : host.includes(':')
          ? `[${host}]`
          : host;
  return `http://${reachable}:${port}`;
};

export const connect = (options: ConnectionOptions): TollamaClient =>
  new TollamaClient({
    baseUrl: baseUrlOf(options),
    apiKey: process.env.TOLLAMA_API_KEY,
    headers: activeTraceHeaders,
    // A command says at once that nobody answers.
    retries: 0,
    ...(options.timeout !== undefined && { timeoutMs: options.timeout * 1000 }),
  });

const openLog = (home: string): { readonly log: string; readonly file: number } => {
  const logs = join(home, 'logs');
  const log = join(logs, 'daemon.log');
  try {
    mkdirSync(logs, { recursive: true });
    return { log, file: openSync(log, 'a') };
  } catch (cause) {
    throw homeNotWritable(home, cause);
  }
};

/** Starts `tollama serve` in the background; its log goes to the state folder. */
const startDaemon = (warm: string | undefined): { hasExited: () => boolean; log: string } => {
  const { home } = readSettings(process.env);
  const { log, file } = openLog(home);
  const program = fileURLToPath(new URL('../../bin/tollama.mjs', import.meta.url));
  const ahead = warm === undefined ? [] : ['--warm', warm];
  const args = [program, 'serve', '--exit-when-idle', String(IDLE_EXIT_SECONDS), ...ahead];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', file, file] });
  let exited = false;
  child.on('exit', () => {
    exited = true;
  });
  child.on('error', () => {
    exited = true;
  });
  child.unref();
  return { hasExited: () => exited, log };
};

/**
 * A client of a daemon that answers. Without one, and unless the user named an address, starts a daemon
 * in the background, which ends itself when it is idle.
 */
export const connectOrStart = async (
  options: ConnectionOptions,
  progress: Progress,
): Promise<TollamaClient> => {
  const client = connect(options);
  if (await client.isHealthy()) return client;
  if (options.baseUrl) {
    await client.version();
    return client;
  }
  progress.status('starting the daemon');
  const daemon = startDaemon(options.warm);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (await client.isHealthy()) return client;
    if (daemon.hasExited()) break;
    await sleep(POLL_MS);
  }
  throw new TollamaError('DAEMON_UNREACHABLE', `the daemon did not start at ${client.baseUrl}`, {
    hint: `its log is ${daemon.log}; \`tollama serve\` in another terminal shows what is wrong`,
  });
};
