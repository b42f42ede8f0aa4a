import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSettings, settingsFrom } from './load.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

test("the original's names and units are read", () => {
  const adapter = { retry_backoff_ms: 20, retry_jitter_ms: 5, deadline_budget_ms: 1600 };
  const cache = { stale_while_revalidate_s: 7 };
  const { settings, warnings } = settingsFrom({ tsfm: { adapter, cache } }, {});
  expect(warnings).toEqual([]);
  expect(settings.tsfm.adapter).toMatchObject({
    retry_backoff_base_s: 0.02,
    retry_jitter_s: 0.005,
    request_deadline_s: 1.6,
    retry_jitter: 'additive',
  });
  expect(settings.tsfm.cache.stale_if_error_s).toBe(7);
  expect(settings.tsfm.fallback.horizon).toBe('flat');
});

test('unknown keys are named with the nearest known one', () => {
  const file = { tsfm: { cahce: {}, cache: { ttl: 3 } }, api: { tsfm_forecast: { auth: true } } };
  expect(settingsFrom(file, {}).warnings).toMatchInlineSnapshot(`
    [
      "unknown setting 'tsfm.cahce' is not used; did you mean 'cache'?",
      "unknown setting 'tsfm.cache.ttl' is not used; did you mean 'ttl_s'?",
      "unknown setting 'api.tsfm_forecast.auth' is not used; did you mean 'require_auth'?",
    ]
  `);
});

describe('environments', () => {
  test.each([
    ['dev', 2.5, 1, 32, 5, 15, 2, 30, 60],
    ['staging', 2, 2, 128, 8, 20, 3, 60, 120],
    ['prod', 1.8, 2, 256, 12, 30, 5, 60, 180],
  ])(
    '%s has the guide’s profile',
    (name, deadline, retries, pool, failures, cooldown, probes, ttl, stale) => {
      const { tsfm } = settingsFrom({ environment: name }, {}).settings;
      expect(tsfm.adapter).toMatchObject({
        request_deadline_s: deadline,
        retry_count: retries,
        max_connections: pool,
        retry_jitter: 'full',
      });
      expect(tsfm.circuit_breaker).toMatchObject({
        window_s: 30,
        failures_to_open: failures,
        cooldown_s: cooldown,
        half_open_probe_requests: probes,
      });
      expect(tsfm.cache).toMatchObject({ ttl_s: ttl, stale_if_error_s: stale });
      expect(tsfm.compatibility).toBe('hardened');
      expect(tsfm.interval_sanity.rule).toBe('contained');
    },
  );

  test('file over profile, its environment over the file, variables over all', () => {
    const file = {
      environment: 'prod',
      tsfm: { cache: { ttl_s: 10 }, adapter: { retry_count: 0 } },
      environments: { prod: { cache_ttl_s: 20, breaker_failures_30s: 3 } },
    };
    const { tsfm } = settingsFrom(file, { TSFM_ADAPTER__RETRY_COUNT: '4' }).settings;
    expect(tsfm.cache.ttl_s).toBe(20);
    expect(tsfm.cache.stale_if_error_s).toBe(180);
    expect(tsfm.circuit_breaker.failures_to_open).toBe(3);
    expect(tsfm.adapter.retry_count).toBe(4);
  });

  test('an unknown environment is refused by name', () => {
    expect(() => settingsFrom({}, { TSFM_ENVIRONMENT: 'production' })).toThrow(
      "unknown environment 'production'",
    );
  });
});

test('the upstream variables are read, and names of no setting are left alone', () => {
  const env = {
    TOLLAMA_BASE_URL: 'http://example.test:1',
    TOLLAMA_TOKEN: 'secret',
    TSFM_BASE_URL: 'x',
    TSFM_COMPATIBILITY: 'hardened',
    TSFM_ROUTING__ENABLED_SEGMENTS: '[a, b]',
  };
  const { tsfm } = settingsFrom({}, env).settings;
  expect(tsfm.adapter).toMatchObject({ base_url: 'http://example.test:1', token: 'secret' });
  expect(tsfm.routing.enabled_segments).toEqual(['a', 'b']);
  expect(tsfm.fallback.horizon).toBe('widening');
});

test.each([
  [{ cache: { ttl_s: -1 } }, 'tsfm.cache.ttl_s=-1 is not valid'],
  [{ fallback: { baseline_method: 'nope' } }, 'tsfm.fallback.baseline_method="NOPE" is not valid'],
  [{ quantiles: [0, 0.5] }, 'tsfm.quantiles'],
  [{ adapter: 3 }, 'tsfm.adapter=3 is not valid'],
  [{ freq: '5x' }, 'tsfm.freq="5x" is not valid'],
  [{ freq: '0m' }, 'tsfm.freq="0m" is not valid'],
  [{ adapter: { base_url: 'ftp://x' } }, 'tsfm.adapter.base_url="ftp://x" is not valid'],
  [{ adapter: { timeout_s: 0 } }, 'tsfm.adapter.timeout_s=0 is not valid'],
  [{ adapter: { timeout_s: 1e9 } }, 'tsfm.adapter.timeout_s=1000000000 is not valid'],
  [{ cache: { ttl_s: '1e400' } }, 'tsfm.cache.ttl_s="1e400" is not valid'],
  [{ cache: { l2: { url: 'http://:pw@x' } } }, 'tsfm.cache.l2.url="http://***@x" is not valid'],
  [{ adapter: { token: ['pw'] } }, 'tsfm.adapter.token="***" is not valid'],
  [{ interval_sanity: { min_width: 0.7 } }, 'min_width=0.7 is above max_width=0.6'],
  [{ horizon_steps: 20_000 }, 'horizon_steps=20000 is above limits.max_horizon_steps=10000'],
])('%o is refused', (tsfm, message) => {
  expect(() => settingsFrom({ tsfm }, {})).toThrow(message.replace('"NOPE"', '"nope"'));
});

test('words and digits of the environment and of YAML 1.1', () => {
  const of = (env: Record<string, string>) => settingsFrom({}, env).settings.tsfm;
  expect(of({ TSFM_ADAPTER__TOKEN: '12345' }).adapter.token).toBe('12345');
  expect(of({ TSFM_WARMUP__ENABLED: '1' }).warmup.enabled).toBe(true);
  const api = { tsfm_forecast: { require_auth: 'No' } };
  expect(settingsFrom({ api }, {}).settings.api.require_auth).toBe(false);
});

test('a breaker that could never close is mended and told', async () => {
  const path = join(folder, 'gateway.yaml');
  await writeFile(path, 'tsfm: {circuit_breaker: {half_open_probe_requests: 1}}\n');
  const { settings, warnings } = await loadSettings([path], {});
  expect(settings.tsfm.circuit_breaker.half_open_successes_to_close).toBe(1);
  expect(warnings[0]).toContain('half_open_successes_to_close=2 can never be reached');
});

test('a file that is missing or broken is named', async () => {
  await expect(loadSettings([join(folder, 'none')], {})).rejects.toThrow('no configuration at');
  const path = join(folder, 'broken.yaml');
  await writeFile(path, 'tsfm: [}');
  await expect(loadSettings([path], {})).rejects.toThrow('broken.yaml cannot be read');
});
