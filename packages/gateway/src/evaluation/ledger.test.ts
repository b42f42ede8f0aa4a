import { describe, expect, test } from 'vitest';
import { metric, openTestGateway } from '../testing/test-gateway.ts';
import { Ledger } from './ledger.ts';
import { type Realised, scoresOf } from './scores.ts';

const RULES = { targetCoverage: 0.8, minSamples: 5, driftSigmas: 3 };

const realised = (changes: Partial<Realised>): Realised => ({
  market: 'm',
  low: 0.4,
  median: 0.5,
  high: 0.6,
  actual: 0.5,
  ...changes,
});

describe('scores', () => {
  test('worked by hand', () => {
    const samples = [
      realised({ median: 0.9, actual: 1, low: 0.8, high: 1 }),
      realised({ median: 0.9, actual: 0, low: 0.8, high: 1 }),
      realised({ median: 0.2, actual: 0, low: 0, high: 0.4 }),
    ];
    const scores = scoresOf(samples, RULES);
    expect(scores.brier).toBeCloseTo((0.01 + 0.81 + 0.04) / 3, 12);
    expect(scores.coverage).toBeCloseTo(2 / 3, 12);
    expect(scores.width).toBeCloseTo((0.2 + 0.2 + 0.4) / 3, 12);
    expect(scores.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1) + Math.log(0.8)) / 3, 12);
    expect(scores.ece).toBeCloseTo((Math.abs(1.8 - 1) + Math.abs(0.2 - 0)) / 3, 12);
  });

  test('coverage that chance does not explain is drift', () => {
    const inside = Array.from({ length: 80 }, () => realised({}));
    const outside = (count: number) => Array.from({ length: count }, () => realised({ actual: 0 }));
    expect(scoresOf([...inside, ...outside(20)], RULES).hasDrifted).toBe(false);
    expect(scoresOf([...inside, ...outside(80)], RULES).hasDrifted).toBe(true);
    expect(scoresOf(outside(4), RULES).hasDrifted).toBe(false);
  });

  test('nothing realised scores nothing', () => {
    expect(scoresOf([], RULES)).toMatchObject({ samples: 0, brier: undefined, hasDrifted: false });
  });
});

test('the ledger forgets the forecasts of markets left alone', () => {
  const ledger = new Ledger(() => ({ ...RULES, maxPending: 3, window: 100 }));
  const response = (market_id: string, hour: number) => ({
    market_id,
    as_of_ts: `2026-02-20T1${hour}:00:00Z`,
    freq: '1h',
    horizon_steps: 1,
    quantiles: [0.1, 0.5, 0.9],
    yhat_q: { '0.1': [0.4], '0.5': [0.5], '0.9': [0.6] },
    meta: {} as never,
    conformal_last_step: null,
  });
  const segments = { category: null, liquidity_bucket: null, tte_bucket: null };
  for (const [market, hour] of [
    ['old', 0],
    ['a', 0],
    ['a', 1],
    ['a', 1],
    ['b', 0],
  ] as const) {
    ledger.remember(response(market, hour), segments);
  }
  expect(ledger.pending).toBe(3);
  const at = (hour: number) => Date.UTC(2026, 1, 20, hour) * 1000;
  expect(ledger.realise({ market: 'old', atMicros: at(11), actual: 0.5 })).toEqual([]);
  expect(ledger.realise({ market: 'a', atMicros: at(12), actual: 0.5 })).toHaveLength(1);
});

test('what came true is posted back, scored and shown', async () => {
  await using test = await openTestGateway();
  await test.answer({ market_id: 'm-1' });
  const { status, body } = await test.post('/tsfm/outcomes', {
    outcomes: [
      { market_id: 'm-1', ts: '2026-02-20T12:05:00Z', value: 0.33 },
      { market_id: 'm-1', ts: '2026-02-20T12:07:00Z', value: 0.33 },
      { market_id: 'm-2', ts: '2026-02-20T12:05:00Z', value: 1 },
    ],
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ received: 3, forecasts_scored: 1 });
  expect(await metric(test, 'calibration_conformal_coverage')).toBe(1);
  expect(await metric(test, 'calibration_total_markets')).toBe(1);
  const one = { market_id: 'm-1', ts: '2026-02-20T12:10:00Z', value: 0.9 };
  expect((await test.post('/tsfm/outcomes', one)).body.scores.coverage).toBe(0.5);
  expect((await test.post('/tsfm/outcomes', { ...one, value: 2 })).status).toBe(422);
  expect((await test.post('/tsfm/outcomes', one, {})).status).toBe(401);
});
