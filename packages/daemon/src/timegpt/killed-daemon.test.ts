/** A real daemon that is killed while a job runs: the next one on its state folder knows all jobs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bin/tollamad.mjs', import.meta.url));
const RUNNER = import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs');

const home = mkdtempSync(join(tmpdir(), 'tollama-killed-'));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const daemon of running) daemon.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A runner that never answers its first forecast, and is our own from the second start on. */
const mark = join(home, 'asked');
const hangsOnce = join(home, 'hangs-once.mjs');
writeFileSync(
  hangsOnce,
  `import { existsSync, writeFileSync } from 'node:fs';
   import { createInterface } from 'node:readline';
   const mark = ${JSON.stringify(mark)};
   if (existsSync(mark)) await import(${JSON.stringify(RUNNER)});
   else createInterface({ input: process.stdin }).on('line', (line) => {
     const { id, method } = JSON.parse(line);
     const hello = { name: 'hangs', version: '0', protocol: 1, capabilities: ['ping'] };
     if (method === 'hello') console.log(JSON.stringify({ id, result: hello }));
     else if (method === 'forecast') writeFileSync(mark, '');
     else console.log(JSON.stringify({ id, result: { ok: true } }));
   });`,
);
const argv = [process.execPath, hangsOnce, '--family', 'statistical'];
writeFileSync(
  join(home, 'config.json'),
  JSON.stringify({ daemon: { runner_commands: { statistical: argv } } }),
);

const start = async (): Promise<{ url: string; daemon: ChildProcess }> => {
  const daemon = spawn(process.execPath, [PROGRAM], {
    env: { PATH: process.env.PATH, TOLLAMA_HOME: home, TOLLAMA_HOST: '127.0.0.1:0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(daemon);
  for await (const line of createInterface({ input: daemon.stderr! })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url) return { url, daemon };
  }
  throw new Error('the daemon ended before it listened');
};

const ask = async (url: string, body?: object): Promise<Record<string, unknown>> => {
  const sent = body && { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, sent);
  return (await response.json()) as Record<string, unknown>;
};

const over = async (url: string): Promise<Record<string, unknown>> => {
  for (;;) {
    const state = await ask(url);
    if (state.status !== 'pending' && state.status !== 'running') return state;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test('a job that is over is answered after a kill, one that was cut off runs again', async () => {
  const y = Array.from({ length: 40 }, (_, i) => i % 7);
  const series = { y, sizes: [40], X: [y.map((v) => v + 1)], X_future: null };
  const first = await start();
  const explained = await ask(`${first.url}/v2/explain/async`, { series });
  const explain = `/v2/explain/jobs/${explained.job_id}`;
  const before = await over(first.url + explain);
  expect(before).toMatchObject({ status: 'succeeded' });

  const order = { series: { ...series, X: null }, model: 'seasonal-naive', freq: 'D', h: 3 };
  const submitted = await ask(`${first.url}/v2/forecast/async`, order);
  const forecast = `/v2/forecast/jobs/${submitted.job_id}`;
  while (!existsSync(mark)) {
    expect((await ask(first.url + forecast)).error).toBeNull();
  }
  expect(await ask(first.url + forecast)).toMatchObject({ status: 'running', result: null });
  first.daemon.kill('SIGKILL');
  await once(first.daemon, 'exit');

  const second = await start();
  expect(await ask(second.url + explain)).toEqual(before);
  expect(await over(second.url + forecast)).toMatchObject({
    job_id: submitted.job_id,
    status: 'succeeded',
    result: { mean: [expect.any(Number), expect.any(Number), expect.any(Number)] },
    error: null,
  });
});
