import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { startTestDaemon } from './testing/test-daemon.ts';

const series = Array.from({ length: 40 }, (_, s) => ({
  id: `s${s}`,
  freq: 'D',
  timestamps: Array.from({ length: 400 }, (_, t) => String(t + 1)),
  target: Array.from({ length: 400 }, (_, t) => Math.sin(t / 5 + s) + (t % 7)),
}));

test('forecasts under way are answered before a daemon ends, on connections kept open too', async () => {
  const at = await startTestDaemon({ TOLLAMA_DRAIN_SECONDS: '3600' });
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    request(`${at.url}/v1/forecast`, { method: 'POST', agent, headers })
      .once('response', (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      })
      .once('error', reject)
      .end(JSON.stringify({ model: 'auto', horizon: 12, series }));
  });
  await expect.poll(() => at.daemon.context.supervisor.inFlightTotal, { timeout: 20_000 }).toBe(1);
  await at[Symbol.asyncDispose]();
  expect(await answered).toBe(200);
  agent.destroy();
}, 30_000);
