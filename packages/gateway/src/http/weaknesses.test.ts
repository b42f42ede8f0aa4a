/** Each weakness of the original service (contract, section 15) is held against ours. */
import { describe, expect, test } from 'vitest';
import { metric, openTestGateway, soundRequest, TOKEN } from '../testing/test-gateway.ts';

const stamps = (count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    new Date(Date.UTC(2026, 1, 20) + i * 300_000).toISOString(),
  );

const DOWN = { kind: 'status', code: 500 } as const;

test('an answer that a failure forced is not kept, neither as fresh nor as stale', async () => {
  await using test = await openTestGateway();
  test.upstream.script(DOWN, DOWN);
  const market = { market_id: 'blip' };
  expect((await test.answer(market)).meta.runtime).toBe('baseline');
  expect((await test.answer(market)).meta).toMatchObject({ runtime: 'baseline', cache_hit: false });
  expect((await test.answer(market)).meta.runtime).toBe('tollama');
});

test('an answer that the request itself settles is kept, but never served as the stale good one', async () => {
  await using test = await openTestGateway();
  const market = { market_id: 'short', y: [0.1, 0.2] };
  await test.answer(market);
  expect((await test.answer(market)).meta.cache_hit).toBe(true);
  test.pass(61);
  expect((await test.answer(market)).meta).toMatchObject({ cache_hit: false, cache_stale: false });
});

test('timestamps and gaps are part of the identity', async () => {
  await using test = await openTestGateway();
  const market = { market_id: 'times' };
  await test.answer(market);
  const swapped = stamps(48);
  [swapped[5], swapped[6]] = [swapped[6]!, swapped[5]!];
  expect((await test.ask({ ...market, y_ts: swapped })).status).toBe(400);
  const gapped = await test.answer({ ...market, max_gap_minutes: 500 });
  expect(gapped.meta.fallback_reason).toBe('max_gap_exceeded');
});

test('half-open closes under concurrent load', async () => {
  await using test = await openTestGateway();
  test.upstream.always = DOWN;
  for (let i = 0; i < 5; i++) await test.answer();
  test.pass(121);
  test.upstream.always = { kind: 'held' };
  const before = test.upstream.asked.length;
  const answers = Array.from({ length: 8 }, () => test.answer());
  await expect.poll(() => test.upstream.asked.length - before).toBe(2);
  test.upstream.release();
  const reasons = (await Promise.all(answers)).map(({ meta }) => meta.fallback_reason);
  expect(reasons.filter((reason) => reason === 'circuit_breaker_open')).toHaveLength(6);
  expect(test.gateway.parts.breaker.state).toBe('closed');
});

test('identical requests in flight make one call', async () => {
  await using test = await openTestGateway();
  test.upstream.always = { kind: 'held' };
  const answers = Array.from({ length: 8 }, () => test.answer({ market_id: 'same' }));
  await expect.poll(() => test.upstream.asked.length).toBe(1);
  test.upstream.release();
  const texts = (await Promise.all(answers)).map((answer) => JSON.stringify(answer));
  expect(new Set(texts).size).toBe(1);
  expect(test.upstream.asked).toHaveLength(1);
});

describe('metrics', () => {
  test('do not grow with markets, buckets or stages', async () => {
    await using test = await openTestGateway();
    await test.answer();
    const lines = async () =>
      ((await test.get('/metrics')).body as string).match(/^tsfm_/gm)!.length;
    for (let i = 0; i < 60; i++) {
      await test.answer({ liquidity_bucket: `bucket-${i}`, rollout_stage: `stage-${i}` });
    }
    const before = await lines();
    for (let i = 60; i < 120; i++) {
      await test.answer({ liquidity_bucket: `bucket-${i}`, rollout_stage: `stage-${i}` });
    }
    expect(await lines()).toBe(before);
    expect((await test.get('/metrics')).body).not.toContain('market-');
  });

  test('count every refusal', async () => {
    await using test = await openTestGateway({ api: { rate_limit_per_minute: 2 } });
    await test.ask({ freq: 'bad' });
    await test.post('/tsfm/forecast', '{oops');
    await test.post('/tsfm/forecast', soundRequest(), {});
    await test.ask();
    await test.ask();
    const errors = 'tsfm_request_total{rollout_stage="unknown",status="error"}';
    expect(await metric(test, errors)).toBe(4);
    for (const code of [200, 400, 401, 422, 429]) {
      const line = `tsfm_http_responses_total{rollout_stage="unknown",code="${code}"}`;
      expect([code, await metric(test, line)]).toEqual([code, 1]);
    }
    expect(
      await metric(
        test,
        'tsfm_failure_total{rollout_stage="unknown",failure_code="INPUT_INVALID"}',
      ),
    ).toBe(2);
  });

  test('declare histograms by their base name', async () => {
    await using test = await openTestGateway();
    const { body } = await test.get('/metrics');
    expect(body).toContain('# TYPE tsfm_request_latency_ms histogram');
    expect(body).toContain('rollout_stage_info{rollout_stage="unknown"} 1');
  });
});

test.each([
  ['a zero period', { freq: '0m' }],
  ['a zero period with times', { freq: '0m', y_ts: stamps(48) }],
  ['a negative period', { freq: '-5m' }],
  [
    'times with and without an offset',
    { y_ts: stamps(48).map((at, i) => (i === 3 ? at.slice(0, -1) : at)) },
  ],
  ['a horizon without end', { horizon_steps: 100_001 }],
  ['a negative eps', { transform: { eps: -1 } }],
  ['an eps that leaves nothing', { transform: { eps: 0.5 } }],
  ['a level of 0', { quantiles: [0, 0.5] }],
  ['a level above 1', { quantiles: [1.5] }],
  ['a covariate that is not finite', { x_past: { v: [1, Number.NaN] } }],
])('%s is refused', async (_, changes) => {
  await using test = await openTestGateway();
  const { status, body } = await test.ask(changes);
  // JSON has no NaN: it arrives as null.
  expect([400, 422]).toContain(status);
  expect(body.failure_code).toBe('INPUT_INVALID');
  expect(test.upstream.asked).toHaveLength(0);
});

test.each([-1000, 1000])('log odds of %s are a probability', async (value) => {
  await using test = await openTestGateway();
  test.upstream.always = { kind: 'rows', rows: [1, 2, 3].map(() => [value, value, value]) };
  const { yhat_q } = await test.answer();
  for (const row of Object.values(yhat_q)) for (const p of row) expect(p >= 0 && p <= 1).toBe(true);
});

describe('the comparison', () => {
  const body = soundRequest({ market_id: 'm-1' });

  test('asks for a token and counts against the rate', async () => {
    await using test = await openTestGateway({ api: { rate_limit_per_minute: 1 } });
    expect((await test.post('/markets/m-1/comparison', body, {})).status).toBe(401);
    expect((await test.post('/markets/m-1/comparison', body)).status).toBe(200);
    expect((await test.post('/markets/m-1/comparison', body)).status).toBe(429);
  });

  test('shows the model beside the baseline', async () => {
    await using test = await openTestGateway();
    const { body: seen } = await test.post('/markets/m-1/comparison', body);
    expect(seen.tollama.meta.runtime).toBe('tollama');
    expect(seen.baseline.meta.runtime).toBe('baseline');
    const last = (one: { yhat_q: Record<string, number[]> }) => one.yhat_q['0.5']!.at(-1)!;
    expect(seen.delta_last_q50).toBeCloseTo(last(seen.tollama) - last(seen.baseline), 12);
    expect((await test.post('/markets/m-2/comparison', body)).status).toBe(400);
  });
});

test('the rate limit keeps no token and forgets who left', async () => {
  await using test = await openTestGateway({ api: { rate_limit_per_minute: 6 } });
  const codes: number[] = [];
  for (let i = 0; i < 8; i++) codes.push((await test.ask()).status);
  expect(codes).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
  const refused = await test.ask();
  expect(Number(refused.headers.get('retry-after'))).toBe(60);
  test.pass(60.1);
  expect((await test.ask()).status).toBe(200);
});

test.each(['changeme', 'Example', '', '  '])(
  'the placeholder %j lets nobody in',
  async (expected) => {
    const { TokenCheck } = await import('./caller.ts');
    expect(new TokenCheck(expected).accepts(expected)).toBe(false);
  },
);

test('tokens come as Bearer or as X-API-Key, the former wins', async () => {
  await using test = await openTestGateway();
  const ask = async (headers: Record<string, string>) =>
    (await test.post('/tsfm/forecast', soundRequest(), headers)).status;
  expect(await ask({ authorization: `bEARER ${TOKEN}` })).toBe(200);
  expect(await ask({ 'x-api-key': TOKEN })).toBe(200);
  expect(await ask({ authorization: 'Bearer wrong', 'x-api-key': TOKEN })).toBe(401);
});

describe('hardened', () => {
  const HARDENED = { compatibility: 'hardened' };

  test('one warning of a kind, however long the horizon', async () => {
    await using test = await openTestGateway({ tsfm: HARDENED });
    test.upstream.always = { kind: 'rows', rows: [1, 2, 3].map(() => [0.5, 0.5, 0.5]) };
    const { meta } = await test.answer({ transform: { space: 'raw' } });
    expect(meta.warnings).toEqual(['interval_min_width_enforced']);
  });

  test('the baseline widens with the horizon, step k as a horizon of k', async () => {
    await using test = await openTestGateway({ tsfm: HARDENED });
    const y = Array.from({ length: 20 }, (_, i) => 0.4 + 0.02 * Math.sin(i));
    const { yhat_q } = await test.answer({ y, horizon_steps: 6 });
    const widths = yhat_q['0.9']!.map((high, i) => high - yhat_q['0.1']![i]!);
    for (let i = 1; i < widths.length; i++) expect(widths[i]).toBeGreaterThan(widths[i - 1]!);
    const short = await test.answer({ y, horizon_steps: 4 });
    expect(short.yhat_q['0.9']![3]).toBe(yhat_q['0.9']![3]);
  });

  test('a refused body is refused again unread', async () => {
    await using test = await openTestGateway({ tsfm: HARDENED });
    const body = JSON.stringify(soundRequest({ freq: 'bad' }));
    const first = await test.post('/tsfm/forecast', body);
    const second = await test.post('/tsfm/forecast', body);
    expect(second).toMatchObject({ status: 400, body: first.body });
    expect((await test.post('/tsfm/forecast', body, {})).status).toBe(401);
    const errors = 'tsfm_request_total{rollout_stage="unknown",status="error"}';
    expect(await metric(test, errors)).toBe(3);
  });
});

test('category and time to expiry reach the router and the conformal segments', async () => {
  await using test = await openTestGateway({
    tsfm: {
      routing: { default_route: 'baseline', enabled_segments: ['category=sports|tte_bucket=1d'] },
    },
  });
  const routed = await test.answer({ category: 'sports', tte_bucket: '1d' });
  expect(routed.meta).toMatchObject({
    route_selected: 'tsfm',
    route_segment_key: 'category=sports|tte_bucket=1d',
  });
  const other = await test.answer({ category: 'sports' });
  expect(other.meta.fallback_reason).toBe('route_policy_baseline');
});

test('a period whose times cannot be written is refused', async () => {
  await using test = await openTestGateway({ tsfm: { adapter: { endpoint: '/v1/forecast' } } });
  for (const freq of ['99999999999h', `${'9'.repeat(400)}m`]) {
    expect((await test.ask({ freq })).status).toBe(400);
  }
  expect((await test.ask({ freq: '87600h' })).status).toBe(200);
});

test('a list and an object of the same pairs are different requests', async () => {
  await using test = await openTestGateway();
  const ask = (x: unknown) => test.answer({ market_id: 'same', model: { params: { x } } });
  await ask({ a: 1 });
  expect((await ask([['a', 1]])).meta.cache_hit).toBe(false);
  expect((await ask({ a: 1 })).meta.cache_hit).toBe(true);
});

test('an outcome that is posted again is not scored again', async () => {
  await using test = await openTestGateway();
  await test.answer({ market_id: 'again' });
  const outcome = { market_id: 'again', ts: '2026-02-20T12:05:00Z', value: 0.4 };
  expect((await test.post('/tsfm/outcomes', outcome)).body.forecasts_scored).toBe(1);
  const { body } = await test.post('/tsfm/outcomes', outcome);
  expect([body.forecasts_scored, body.scores.samples]).toEqual([0, 1]);
});

test('what only shows takes no POST', async () => {
  await using test = await openTestGateway();
  for (const path of ['/metrics', '/healthz', '/readyz', '/tsfm/canary']) {
    const { status, headers } = await test.post(path, {});
    expect([path, status, headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
  }
});
