/** Runs the gateway's live tests against a daemon of ours that is started for them; CI does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '..');
const home = await mkdtemp(join(tmpdir(), 'tollama-live-'));
const cli = join(ROOT, 'packages/cli/bin/tollama.mjs');
const daemon = spawn(process.execPath, [cli, 'serve', '--port', '0'], {
  env: { ...process.env, TOLLAMA_HOME: home },
  stdio: ['ignore', 'ignore', 'pipe'],
});

const addressOf = async (): Promise<string> => {
  for await (const line of createInterface({ input: daemon.stderr })) {
    const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('the daemon ended before it listened');
};

const runTests = async (env: Readonly<Record<string, string>>): Promise<number> => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', 'packages/gateway/src/live.test.ts'], {
    cwd: ROOT,
    env: { ...process.env, LIVE_TOLLAMA_TESTS: '1', ...env },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
};

try {
  // A model without weights: nothing is pulled.
  process.exitCode = await runTests({
    TOLLAMA_BASE_URL: await addressOf(),
    TOLLAMA_MODEL_NAME: 'ewma',
  });
} finally {
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  await rm(home, { recursive: true, force: true });
}
