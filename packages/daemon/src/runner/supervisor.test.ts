/** With real runner processes that are really killed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  exampleSeries,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';
import { backoffMs } from './supervisor.ts';

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

  test('during a forecast: that one gets a clear 503, the next one succeeds', async () => {
    await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }));
    // Twenty thousand steps of roll-out take long enough to be interrupted.
    const slow = at.call(
      'POST',
      '/v1/forecast',
      exampleBody({ model: 'bolt', horizon: 100_000, series: [exampleSeries('s', 128)] }),
    );
    const { supervisor } = at.daemon.context;
    while (supervisor.inFlight('chronos-bolt') === 0)
      await new Promise((resolve) => setImmediate(resolve));
    process.kill(pid(), 'SIGKILL');
    const failed = await slow;
    expect(failed).toEqual({
      status: 503,
      body: {
        detail: "the runner of family 'chronos-bolt' was ended by SIGKILL",
        hint: 'retry in a moment; `tollama ps` and the daemon log tell what is going on',
      },
    });
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

test('backoff grows, is capped, and starts at once', () => {
  expect([0, 1, 2, 3, 30].map((failures) => backoffMs(failures, 1))).toEqual([
    0, 100, 200, 400, 5000,
  ]);
  expect(backoffMs(5, 0)).toBe(0);
});
