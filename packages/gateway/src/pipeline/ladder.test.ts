/** The ladder: fresh cache, upstream, stale cache, baseline, typed error; and what is told of each rung. */
import { expect, test } from 'vitest';
import { openTestGateway } from '../testing/test-gateway.ts';

test('each rung is taken when the one above gives nothing', async () => {
  await using test = await openTestGateway();
  const market = { market_id: 'ladder' };
  const first = await test.answer(market);
  expect(first.meta).toMatchObject({ runtime: 'tollama', cache_tier: 'none', cache_state: 'miss' });
  const fresh = await test.answer(market);
  expect(fresh.meta).toMatchObject({ cache_hit: true, cache_tier: 'l1', cache_state: 'fresh' });
  test.pass(61);
  test.upstream.always = { kind: 'status', code: 500 };
  const stale = await test.answer(market);
  expect(stale.yhat_q).toEqual(first.yhat_q);
  expect(stale.meta).toMatchObject({
    runtime: 'tollama',
    cache_hit: true,
    cache_stale: true,
    cache_state: 'stale_if_error',
    fallback_used: true,
    fallback_reason: 'stale_if_error',
    failure_code: 'CACHE_STALE_SERVED',
    failure_cause: 'RUNTIME_5XX',
    warnings: ['fallback_reason=stale_if_error'],
  });
  test.pass(121);
  const baseline = await test.answer(market);
  expect(baseline.meta).toMatchObject({
    runtime: 'baseline',
    fallback_reason: 'tollama_error:TollamaError',
    failure_code: 'RUNTIME_5XX',
    cache_state: 'miss',
  });
});

test('without any baseline the error has a type and a status', async () => {
  await using test = await openTestGateway();
  const y = Array.from({ length: 5 }, (_, i) => (i % 2 === 0 ? 1e308 : -1e308));
  const wild = { y, transform: { space: 'raw' } };
  // The rolling quantile is finite whatever the values; with one method there is nothing left.
  expect((await test.answer(wild)).meta.runtime).toBe('baseline');
  await using single = await openTestGateway({ tsfm: { fallback: { try_others: false } } });
  const { status, body } = await single.ask(wild);
  expect([status, body.failure_code]).toEqual([503, 'FORECAST_UNAVAILABLE']);
  expect(body.yhat_q).toBeUndefined();
});

test('while an answer is renewed in the background the old one is served', async () => {
  await using test = await openTestGateway({ tsfm: { cache: { revalidate_s: 20 } } });
  const market = { market_id: 'renewed' };
  await test.answer(market);
  test.pass(70);
  test.upstream.script({ kind: 'held' });
  const served = await test.answer(market);
  expect(served.meta).toMatchObject({
    cache_state: 'stale_while_revalidate',
    cache_stale: true,
    fallback_used: false,
  });
  await expect.poll(() => test.upstream.asked.length).toBe(2);
  test.upstream.release();
  await expect.poll(async () => (await test.answer(market)).meta.cache_state).toBe('fresh');
  expect(test.upstream.asked).toHaveLength(2);
});

test.each([
  ['status 429', { kind: 'status', code: 429 } as const, 'RUNTIME_RATE_LIMITED'],
  ['status 400', { kind: 'status', code: 400 } as const, 'RUNTIME_REJECTED'],
  ['a drop', { kind: 'drop' } as const, 'RUNTIME_NETWORK'],
  ['a cut', { kind: 'cut' } as const, 'RUNTIME_NETWORK'],
  ['no JSON', { kind: 'text', text: '{oops' } as const, 'RUNTIME_BAD_RESPONSE_SCHEMA'],
  ['no rows', { kind: 'text', text: '{}' } as const, 'RUNTIME_BAD_RESPONSE_SCHEMA'],
  ['a list', { kind: 'text', text: '[]' } as const, 'RUNTIME_BAD_RESPONSE_SCHEMA'],
  ['a short row', { kind: 'rows', rows: [[1], [2], [3]] } as const, 'RUNTIME_BAD_RESPONSE_SCHEMA'],
])('%s is told by its code', async (_, behaviour, code) => {
  await using test = await openTestGateway();
  test.upstream.always = behaviour;
  expect((await test.answer()).meta.failure_code).toBe(code);
});

test('an upstream that hangs costs no more than the deadline', async () => {
  await using test = await openTestGateway({
    tsfm: { adapter: { timeout_s: 0.05, retry_count: 3 } },
  });
  test.upstream.always = { kind: 'hang' };
  const { meta } = await test.answer();
  expect(meta).toMatchObject({ runtime: 'baseline', failure_code: 'RUNTIME_TIMEOUT' });
});

test('a market at its limit waits, and in the end gets a baseline with the reason', async () => {
  await using test = await openTestGateway({
    tsfm: { perf: { per_market_inflight_limit: 1, queue_timeout_ms: 0 } },
  });
  test.upstream.script({ kind: 'held' });
  const first = test.answer({ market_id: 'busy', horizon_steps: 1 });
  await expect.poll(() => test.upstream.asked.length).toBe(1);
  const second = await test.answer({ market_id: 'busy', horizon_steps: 2 });
  expect(second.meta).toMatchObject({
    fallback_reason: 'queue_timeout',
    failure_code: 'QUEUE_TIMEOUT',
  });
  test.upstream.release();
  expect((await first).meta.runtime).toBe('tollama');
});

test('degraded service can retry less and wait less', async () => {
  await using test = await openTestGateway({
    tsfm: {
      adapter: { retry_count: 2 },
      circuit_breaker: { min_requests: 1000 },
      degradation: {
        min_requests: 1,
        baseline_only_enter_failure_rate: 1,
        degraded_retry_count: 0,
      },
    },
  });
  await test.answer();
  test.upstream.always = { kind: 'status', code: 503 };
  await test.answer();
  expect(test.gateway.parts.degradation.state).toBe('degraded');
  expect(test.upstream.asked).toHaveLength(4);
  await test.answer();
  expect(test.upstream.asked).toHaveLength(5);
});

test('a cut history takes its covariates and its own timestamps along', async () => {
  const adapter = { endpoint: '/v1/forecast', freq_style: 'pandas' };
  await using test = await openTestGateway({ tsfm: { adapter, input_len_steps: 40 } });
  const y = Array.from({ length: 48 }, (_, i) => 0.3 + 0.001 * i);
  const y_ts = y.map((_, i) => new Date(Date.UTC(2026, 1, 20, 8) + i * 300_000).toISOString());
  const x_past = { volume: y.map((_, i) => i), odd: [1, 2] };
  await test.answer({ y, y_ts, x_past });
  const { series } = test.upstream.asked.at(-1)!.body as {
    series: { timestamps: string[]; target: number[]; past_covariates: Record<string, number[]> }[];
  };
  expect(series[0]!.timestamps).toHaveLength(40);
  expect(series[0]!.timestamps.at(-1)).toBe('2026-02-20T11:55:00Z');
  expect(series[0]!.past_covariates).toEqual({ volume: y.map((_, i) => i).slice(8), odd: [1, 2] });
});
