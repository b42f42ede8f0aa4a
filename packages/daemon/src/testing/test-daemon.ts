/** A real daemon on a free port with a state folder of its own, for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@tollama/core/settings';
import { type Daemon, startDaemon } from '../serve.ts';

export interface TestDaemon extends AsyncDisposable {
  readonly daemon: Daemon;
  readonly url: string;
  readonly home: string;
  /** Sends JSON and reads JSON. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

export const startTestDaemon = async (
  env: Readonly<Record<string, string>> = {},
): Promise<TestDaemon> => {
  const home = await mkdtemp(join(tmpdir(), 'tollama-test-'));
  const all = {
    PATH: process.env.PATH,
    TOLLAMA_HOME: home,
    TOLLAMA_HOST: '127.0.0.1:0',
    TOLLAMA_LOG_LEVEL: 'silent',
    TOLLAMA_DRAIN_SECONDS: '0',
    HF_HUB_CACHE: join(home, 'hub'),
    ...env,
  };
  const daemon = await startDaemon(readSettings(all), all);
  return {
    daemon,
    url: daemon.url,
    home,
    async call(method, path, body) {
      const response = await fetch(`${daemon.url}${path}`, {
        method,
        ...(body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      });
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
};

/** Lines of a streamed answer. */
export const readLines = async (response: Response): Promise<Record<string, unknown>[]> =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Five days that count up. */
export const exampleSeries = (id = 's', length = 5) => ({
  id,
  freq: 'D',
  timestamps: Array.from({ length }, (_, i) =>
    new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10),
  ),
  target: Array.from({ length }, (_, i) => i + 1),
});

export const exampleBody = (fields: Readonly<Record<string, unknown>> = {}) => ({
  model: 'mock',
  horizon: 3,
  series: [exampleSeries()],
  ...fields,
});
