/** One trace through the real chain: gateway, daemon, runner process, model. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startTestDaemon } from '@tollama/daemon/testing/test-daemon';
import { startGateway } from '@tollama/gateway/serve';
import {
  type CollectedSpan,
  type FakeCollector,
  openFakeCollector,
} from '@tollama/telemetry/testing/fake-collector';
import { afterEach, expect, test, vi } from 'vitest';

const TOKEN = 'test-secret';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

afterEach(() => vi.unstubAllEnvs());

/** Gateway over daemon over runner, ended after `ask`: what waited is sent then. */
const withChain = async (
  collector: FakeCollector | undefined,
  ask: (url: string) => Promise<void>,
): Promise<void> => {
  const env = collector ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } : {};
  // The runner process inherits it.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  await using daemon = await startTestDaemon(env);
  await using gateway = await startGateway(
    { port: 0, logLevel: 'silent', environment: 'dev' },
    {
      ...env,
      TSFM_FORECAST_API_TOKEN: TOKEN,
      TOLLAMA_BASE_URL: daemon.url,
      TOLLAMA_ENDPOINT: '/v1/forecast',
      TSFM_ADAPTER__FREQ_STYLE: 'pandas',
      TSFM_ADAPTER__READ_TIMEOUT_S: '20',
      TSFM_ADAPTER__REQUEST_DEADLINE_S: '20',
    },
  );
  await ask(gateway.url);
};

const postForecast = async (url: string, headers: Record<string, string>): Promise<void> => {
  const response = await fetch(`${url}/tsfm/forecast`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body: JSON.stringify({
      market_id: 'm',
      as_of_ts: '2026-02-20T12:00:00Z',
      y: Array.from({ length: 48 }, (_, i) => 0.3 + 0.005 * (i % 9)),
      model: { model_name: 'ewma' },
    }),
  });
  const { meta } = (await response.json()) as { meta: { runtime: string } };
  expect(meta.runtime).toBe('tollama');
};

const CLI = resolve(import.meta.dirname, '../packages/cli/bin/tollama.mjs');

test('the command line is the root, or a part of the trace of its environment', {
  timeout: 60_000,
}, async () => {
  await using collector = await openFakeCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  {
    await using daemon = await startTestDaemon(env);
    const data = join(daemon.home, 'data.csv');
    await writeFile(data, `ds,y\n${[1, 2, 3, 4, 5].map((d) => `2024-01-0${d},${d}`).join('\n')}\n`);
    const args = [CLI, 'run', 'naive', '--input', data, '--horizon', '2', '--base-url', daemon.url];
    await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, ...env, TRACEPARENT: `00-${TRACE}-${CALLER}-01` },
    });
  }
  const { spans } = collector;
  const run = spans.find(({ name, traceId }) => name === 'model run' && traceId === TRACE);
  expect(wayUp(spans, run!).slice(-3)).toEqual([
    expect.stringMatching(/^tollama-daemon: POST/),
    'tollama-cli: tollama run',
    CALLER,
  ]);
});

/** From a span up to the one that came from outside, as service:name. */
const wayUp = (spans: readonly CollectedSpan[], from: CollectedSpan): string[] => {
  const parent = spans.find(({ spanId }) => spanId === from.parentSpanId);
  const here = `${from.service}: ${from.name}`;
  return parent ? [here, ...wayUp(spans, parent)] : [here, String(from.parentSpanId)];
};

test('one trace from the caller to the run of the model', { timeout: 60_000 }, async () => {
  await using collector = await openFakeCollector();
  await withChain(collector, (url) =>
    postForecast(url, { traceparent: `00-${TRACE}-${CALLER}-01` }),
  );
  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE);
  const run = spans.find(({ name }) => name === 'model run');
  expect(wayUp(spans, run!)).toEqual([
    'tollama-runner: model run',
    'tollama-runner: runner forecast',
    'tollama-daemon: runner forecast',
    'tollama-daemon: forecast',
    'tollama-daemon: POST /v1/forecast',
    'tollama-gateway: POST /v1/forecast',
    'tollama-gateway: upstream',
    'tollama-gateway: breaker',
    'tollama-gateway: bulkhead',
    'tollama-gateway: ladder',
    'tollama-gateway: single flight',
    'tollama-gateway: cache',
    'tollama-gateway: route',
    'tollama-gateway: POST /tsfm/forecast',
    CALLER,
  ]);
  expect(run!.attributes).toMatchObject({ 'tollama.model': 'ewma', 'tollama.horizon': 12 });
  expect(spans.every(({ status }) => status !== 2)).toBe(true);
});

test('a caller without a trace starts one', { timeout: 60_000 }, async () => {
  await using collector = await openFakeCollector();
  await withChain(collector, (url) => postForecast(url, {}));
  const run = collector.spans.find(({ name }) => name === 'model run')!;
  const root = collector.spans.find(
    ({ name, traceId }) => name === 'POST /tsfm/forecast' && traceId === run.traceId,
  );
  expect(root).toMatchObject({ parentSpanId: undefined });
});
