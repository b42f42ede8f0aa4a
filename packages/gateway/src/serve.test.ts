/** The service over real sockets: start, hot reload, warm-up, drain. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from './serve.ts';
import { openFakeUpstream } from './testing/fake-upstream.ts';
import { soundRequest, TOKEN } from './testing/test-gateway.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ENV = { TSFM_FORECAST_API_TOKEN: TOKEN };

const start = async (name: string, yaml: string, env: Record<string, string> = {}) => {
  const config = join(folder, `${name}.yaml`);
  await writeFile(config, yaml);
  const options = { config: [config], port: 0, logLevel: 'silent' };
  const running = await startGateway(options, { ...ENV, ...env });
  const ask = async (changes = {}) => {
    const response = await fetch(`${running.url}/tsfm/forecast`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(soundRequest(changes)),
    });
    return { status: response.status, body: await response.json() };
  };
  const status = async (path: string) => (await fetch(running.url + path)).status;
  return {
    config,
    running,
    ask,
    status,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

const OPEN = 'api: {tsfm_forecast: {rate_limit_per_minute: 0}}\n';

test('safe settings are taken up while it runs, others wait for a restart', async () => {
  await using upstream = await openFakeUpstream();
  const yaml = `${OPEN}tsfm:\n  adapter: {base_url: '${upstream.url}'}\n`;
  await using test = await start('reload', yaml);
  expect((await test.ask()).body.meta.runtime).toBe('tollama');
  await writeFile(
    test.config,
    `${yaml}  routing: {default_route: baseline}\n  rollout_stage: canary_5\n`,
  );
  await test.running.reload();
  expect((await test.ask()).body.meta.fallback_reason).toBe('route_policy_baseline');
  expect(test.running.gateway.settings.tsfm.rollout_stage).toBe('unknown');
  await writeFile(test.config, 'tsfm: {cache: {ttl_s: never}}');
  await test.running.reload();
  expect(test.running.gateway.settings.tsfm.routing.default_route).toBe('baseline');
});

test('a new conformal state is taken up', async () => {
  await using upstream = await openFakeUpstream();
  const state = join(folder, 'conformal.json');
  const tsfm = `tsfm: {adapter: {base_url: '${upstream.url}'}, conformal: {state_path: '${state}'}}\n`;
  await using test = await start('conformal', OPEN + tsfm);
  const market = { market_id: 'm-conformal' };
  expect((await test.ask(market)).body.conformal_last_step).toBeNull();
  const adjustment = {
    target_coverage: 0.9,
    quantile_level: 0.9,
    center_shift: 0.1,
    width_scale: 1,
  };
  await writeFile(state, JSON.stringify({ adjustment }));
  await test.running.reload();
  const { body } = await test.ask(market);
  expect(body.meta.conformal_state_loaded).toBe(true);
  expect(body.conformal_last_step.conformal_center_shift).toBe(0.1);
});

test('it is ready once the upstream is warm', async () => {
  await using upstream = await openFakeUpstream();
  upstream.script({ kind: 'held' });
  const tsfm = `tsfm: {adapter: {base_url: '${upstream.url}'}, warmup: {enabled: true, models: [m-1]}}\n`;
  await using test = await start('warmup', OPEN + tsfm);
  await expect.poll(() => upstream.asked.length).toBe(1);
  expect(upstream.asked[0]!.body).toMatchObject({ model: 'm-1', horizon_steps: 1 });
  expect(await test.status('/readyz')).toBe(503);
  expect(await test.status('/healthz')).toBe(200);
  upstream.release();
  await expect.poll(() => test.status('/readyz')).toBe(200);
});

test('it is ready at once when baselines are allowed', async () => {
  const tsfm =
    'tsfm: {adapter: {base_url: "http://127.0.0.1:1"}, warmup: {enabled: true, allow_baseline_only: true}}\n';
  await using test = await start('baseline-only', OPEN + tsfm);
  expect(await test.status('/readyz')).toBe(200);
  expect((await test.ask()).body.meta.runtime).toBe('baseline');
});

test('requests under way are answered before it ends', async () => {
  await using upstream = await openFakeUpstream();
  upstream.always = { kind: 'held' };
  const test = await start(
    'drain',
    `${OPEN}tsfm: {adapter: {base_url: '${upstream.url}', timeout_s: 30}}\n`,
  );
  const asked = test.ask();
  await expect.poll(() => upstream.asked.length).toBe(1);
  const ended = test.running[Symbol.asyncDispose]();
  upstream.release();
  expect((await asked).body.meta.runtime).toBe('tollama');
  await ended;
  await expect(test.status('/healthz')).rejects.toThrow();
});

test('a connection that its client keeps open does not hold up the end', async () => {
  await using upstream = await openFakeUpstream();
  upstream.always = { kind: 'held' };
  const adapter = `adapter: {base_url: '${upstream.url}', timeout_s: 30}`;
  const api = 'api: {tsfm_forecast: {rate_limit_per_minute: 0, drain_s: 3600}}\n';
  const test = await start('kept-open', `${api}tsfm: {${adapter}}\n`);
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answered = new Promise<IncomingMessage>((resolve) => {
    request(`${test.running.url}/tsfm/forecast`, { method: 'POST', agent, headers })
      .once('response', (response) => resolve(response.resume()))
      .end(JSON.stringify(soundRequest()));
  });
  await expect.poll(() => upstream.asked.length).toBe(1);
  const ended = test.running[Symbol.asyncDispose]();
  upstream.release();
  expect((await answered).headers.connection).toBe('close');
  await ended;
  agent.destroy();
});

test('a body past the limit is refused', async () => {
  await using test = await start('limit', `${OPEN}tsfm: {limits: {max_body_bytes: 1000}}\n`);
  expect((await test.ask({ y: Array.from({ length: 1000 }, () => 0.5) })).status).toBe(413);
  const metrics = await (await fetch(`${test.running.url}/metrics`)).text();
  expect(metrics).toContain('code="413"} 1');
});

test('an address in use is told with what to do', async () => {
  await using test = await start('first', OPEN);
  const port = Number(new URL(test.running.url).port);
  const options = { config: [test.config], port, logLevel: 'silent' };
  await expect(startGateway(options, ENV)).rejects.toThrow('the address is in use');
});
