/** A real daemon that is killed while a job runs: the next one on its state folder knows all jobs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bin/tollamad.mjs', import.meta.url));
const RUNNER = import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs');

const home = mkdtempSync(join(tmpdir(), 'tollama-killed-'));
const running: ChildProcess[] = [];
const tuningHome = mkdtempSync(join(tmpdir(), 'tollama-killed-tuning-'));
afterAll(() => {
  for (const daemon of running) daemon.kill('SIGKILL');
  for (const folder of [home, tuningHome]) rmSync(folder, { recursive: true, force: true });
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

const start = async (home: string): Promise<{ url: string; daemon: ChildProcess }> => {
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
  const headers = { 'content-type': 'application/json' };
  const sent = body && { method: 'POST', headers, body: JSON.stringify(body) };
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
  const first = await start(home);
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

  const second = await start(home);
  expect(await ask(second.url + explain)).toEqual(before);
  expect(await over(second.url + forecast)).toMatchObject({
    job_id: submitted.job_id,
    status: 'succeeded',
    result: { mean: [expect.any(Number), expect.any(Number), expect.any(Number)] },
    error: null,
  });
});

test.each(['while it is tuned', 'while it forecasts'])(
  'a model for one request is gone after a kill %s',
  { timeout: 30_000 },
  async (moment) => {
    const checkpoint = fileURLToPath(
      new URL('../../../../golden/chronos-bolt/tiny-a', import.meta.url),
    );
    const asked = join(tuningHome, `${moment}.asked`);
    const hangs = join(tuningHome, 'hangs.mjs');
    writeFileSync(
      hangs,
      `import { spawn } from 'node:child_process';
       import { writeFileSync } from 'node:fs';
       import { createInterface } from 'node:readline';
       const stdio = ['pipe', 'inherit', 'inherit'];
       const own = ${JSON.stringify(fileURLToPath(RUNNER))};
       const runner = spawn(process.execPath, [own, '--family', 'chronos-bolt'], { stdio });
       const lines = createInterface({ input: process.stdin });
       lines.on('line', (line) => {
         const isLate = line.includes('"forecast"') && line.includes('tuned-for-one-request');
         if (isLate) writeFileSync(${JSON.stringify(asked)}, '');
         else runner.stdin.write(line + '\\n');
       });
       lines.on('close', () => runner.kill());`,
    );
    const runner_commands = { 'chronos-bolt': [process.execPath, hangs] };
    writeFileSync(join(tuningHome, 'config.json'), JSON.stringify({ daemon: { runner_commands } }));
    const first = await start(tuningHome);
    const pull = { model: checkpoint, name: 'bolt', stream: false };
    expect(await ask(`${first.url}/api/pull`, pull)).toMatchObject({ status: 'success' });
    const y = Array.from({ length: 300 }, (_, t) => Math.sin(t / 4) + 3);
    const series = { y, sizes: [y.length], X: null, X_future: null };
    const order = { series, model: 'bolt', freq: 'h', h: 4, finetune_steps: 2 };
    const answer = ask(`${first.url}/v2/forecast`, order).catch(() => 'cut off');
    const listed = async (path: string): Promise<string> =>
      JSON.stringify(await ask(`${first.url}${path}`));
    const [isThere, path] =
      moment === 'while it forecasts'
        ? [() => existsSync(asked), '/api/tags']
        : [async () => (await listed('/api/train')).includes('running'), '/api/train'];
    while (!(await isThere())) await new Promise(setImmediate);
    expect(await listed(path)).toContain('tuned-for-one-request');
    first.daemon.kill('SIGKILL');
    await once(first.daemon, 'exit');
    expect(await answer).toBe('cut off');

    const second = await start(tuningHome);
    expect(JSON.stringify(await ask(`${second.url}/api/tags`))).not.toContain('tuned-for');
    expect(await ask(`${second.url}/api/train`)).toEqual({ jobs: [] });
    expect(JSON.stringify(readdirSync(tuningHome, { recursive: true }))).not.toContain('tuned-for');
    second.daemon.kill('SIGTERM');
    await once(second.daemon, 'exit');
  },
);
