/** With real runner processes that are really killed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../log.ts';
import {
  exampleBody,
  exampleSeries,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';
import { backoffMs } from './backoff.ts';
import { Supervisor } from './supervisor.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: checkpoint, name: 'bolt', stream: false });
});
afterAll(() => at[Symbol.asyncDispose]());

const pid = (): number => at.daemon.context.supervisor.pidOf('chronos-bolt')!;

describe('a runner that dies', () => {
  test('between two forecasts: the next one works, and the restart is counted', async () => {
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }))).toMatchObject({
      status: 200,
    });
    const before = pid();
    process.kill(before, 'SIGKILL');
    const after = await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }));
    expect(after.status).toSatisfy((status: number) => status === 200 || status === 503);
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }))).toMatchObject({
      status: 200,
    });
    expect(pid()).not.toBe(before);
    expect(at.daemon.context.supervisor.restartTotal).toBeGreaterThanOrEqual(1);
  });

  test('during a forecast: it is tried again, and the next one succeeds', async () => {
    await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }));
    const body = exampleBody({ model: 'bolt', horizon: 2_000, series: [exampleSeries('s', 128)] });
    const slow = at.call('POST', '/v1/forecast', body);
    const { supervisor } = at.daemon.context;
    while (supervisor.inFlight('chronos-bolt') === 0)
      await new Promise((resolve) => setImmediate(resolve));
    process.kill(pid(), 'SIGKILL');
    expect(await slow).toMatchObject({ status: 200 });
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }))).toMatchObject({
      status: 200,
    });
  });

  test('a timeout is final and frees the runner', async () => {
    const body = exampleBody({
      model: 'bolt',
      horizon: 100_000,
      timeout: 0.3,
      series: [exampleSeries('s', 128)],
    });
    expect(await at.call('POST', '/v1/forecast', body)).toMatchObject({ status: 503 });
    expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }))).toMatchObject({
      status: 200,
    });
  });
});

test.runIf(process.platform === 'linux')(
  'only the runner loads onnxruntime, never the daemon',
  async () => {
    await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }));
    const maps = (process: number | 'self') => readFile(`/proc/${process}/maps`, 'utf8');
    expect(await maps(pid())).toContain('libonnxruntime');
    // The daemon runs inside of this test's process.
    expect(await maps('self')).not.toContain('libonnxruntime');
  },
);

describe('a supervisor', () => {
  let folder: string;
  let supervisor: Supervisor;
  let command: readonly string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tollama-supervisor-'));
    command = [process.execPath, join(import.meta.dirname, '../testing/fake-runner.ts'), folder];
    supervisor = new Supervisor({
      commandFor: () => ({ argv: command, isOwn: false }),
      log: createLogger('silent'),
      random: () => 1,
    });
  });
  afterEach(async () => {
    await supervisor[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (order: string, value: unknown = 1, timeoutMs = 30_000) =>
    supervisor.call('fake', 'forecast', { do: order, value }, { timeoutMs });

  test('refuses what ended its runner twice; what was under way beside it gets its answer', async () => {
    await ask('', 'warm');
    const [crash, ...others] = await Promise.allSettled([ask('crash'), ask('', 'a'), ask('', 'b')]);
    expect(crash).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('ended its runner twice') },
    });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    const restarts = supervisor.restartTotal;
    await expect(ask('crash')).rejects.toThrow('ended its runner twice');
    expect(supervisor.restartTotal).toBe(restarts);
    expect(await ask('', 'c')).toMatchObject({ value: 'c' });
  });

  test('tries once more what may have been innocent', async () => {
    expect(await ask('crash once', 7)).toMatchObject({ value: 7 });
    expect(supervisor.restartTotal).toBe(1);
  });

  test('a timeout is final: one attempt, its process ended, others go on', async () => {
    await ask('', 'warm');
    const pid = supervisor.pidOf('fake');
    const beside = ask('hang', 'x', 30_000).catch((error: Error) => error);
    await expect(ask('hang', 'y', 50)).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await ask('', 'z')).toMatchObject({ value: 'z' });
    expect(supervisor.pidOf('fake')).not.toBe(pid);
    await supervisor[Symbol.asyncDispose]();
    expect(await beside).toBeInstanceOf(Error);
  });

  test('a process that hangs is replaced, though its callers all gave up before their time', async () => {
    let now = 0;
    const patient = new Supervisor({
      commandFor: () => ({ argv: command, isOwn: false }),
      ...{ log: createLogger('silent'), random: () => 1, now: () => now },
    });
    const call = (signal?: AbortSignal) =>
      patient.call('fake', 'forecast', { value: 1 }, { timeoutMs: 60_000, signal });
    await call();
    const pid = patient.pidOf('fake')!;
    process.kill(pid, 'SIGSTOP');
    for (let asked = 0; asked < 4; asked++) {
      const leaving = new AbortController();
      const left = call(leaving.signal);
      while (patient.inFlight('fake') === 0) await new Promise(setImmediate);
      leaving.abort();
      await expect(left).rejects.toMatchObject({ code: 'INTERRUPTED' });
      now += 10_000;
    }
    expect(await call()).toMatchObject({ value: 1 });
    expect(patient.pidOf('fake')).not.toBe(pid);
    await patient[Symbol.asyncDispose]();
  });

  test('noise, second answers and floods of stderr do not matter', async () => {
    expect(await ask('noise', 'n')).toMatchObject({ value: 'n' });
    expect(await ask('twice', 't')).toMatchObject({ value: 't' });
    expect(await ask('shout', 's')).toMatchObject({ value: 's' });
    expect(await ask('', 'still there')).toMatchObject({ value: 'still there' });
  });

  test("a runner's own error is passed on, and not tried again", async () => {
    await expect(ask('fail')).rejects.toMatchObject({
      code: 'RUNNER_ERROR',
      data: { code: 'X', message: 'asked to fail' },
    });
    expect(supervisor.restartTotal).toBe(0);
  });

  test('another protocol, or no program, is a clear word and no wait', async () => {
    command = [...command, '2'];
    await expect(ask('')).rejects.toThrow(
      "the runner of family 'fake' speaks protocol 2, this daemon 1",
    );
    command = [join(folder, 'no-such-program')];
    await expect(supervisor.call('ghost', 'forecast', {}, { timeoutMs: 1000 })).rejects.toThrow(
      'does not start',
    );
    await expect(
      supervisor.call('ghost', 'forecast', {}, { timeoutMs: 1000 }),
    ).rejects.toMatchObject({ status: 503 });
    expect(supervisor.statuses([]).find(({ family }) => family === 'ghost')).toMatchObject({
      running: false,
      last_error: { message: expect.any(String) },
    });
  });
});

test('backoff grows, is capped, and starts at once', () => {
  expect([0, 1, 2, 3, 30].map((failures) => backoffMs(failures, 1))).toEqual([
    0, 100, 200, 400, 5000,
  ]);
  expect(backoffMs(5, 0)).toBe(0);
});
