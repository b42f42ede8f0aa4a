/**
 * Against a running daemon: LIVE_TOLLAMA_TESTS=1 and TOLLAMA_BASE_URL, TOLLAMA_ENDPOINT, TOLLAMA_TOKEN,
 * TOLLAMA_MODEL_NAME, TOLLAMA_MODEL_VERSION, TOLLAMA_TIMEOUT_S (8), TOLLAMA_RETRY_COUNT (0). Skipped when off
 * or when nothing answers there.
 */
import { describe, expect, test } from 'vitest';
import { settingsFrom } from './config/load.ts';
import { Gateway } from './gateway.ts';
import { createLogger } from './observe/log.ts';
import { responseOf } from './pipeline/answer.ts';
import { ForecastRequest } from './request/forecast-request.ts';
import { systemClock } from './resilience/clock.ts';
import { soundRequest } from './testing/test-gateway.ts';
import { rowsOf } from './upstream/answer.ts';
import { PooledPost, TollamaUpstream } from './upstream/tollama-upstream.ts';
import { askHealth } from './warmup/warmup.ts';

const env = {
  TOLLAMA_BASE_URL: 'http://127.0.0.1:11435',
  TOLLAMA_TIMEOUT_S: '8',
  TOLLAMA_RETRY_COUNT: '0',
  // A cold model may take its time.
  TSFM_ADAPTER__REQUEST_DEADLINE_S: '30',
  ...process.env,
};
const { settings } = settingsFrom({ environment: 'dev' }, env);
const { adapter } = settings.tsfm;
const isOn = process.env.LIVE_TOLLAMA_TESTS === '1' && (await askHealth(adapter.base_url, 2000));

const model = {
  model_name: process.env.TOLLAMA_MODEL_NAME ?? 'mock',
  model_version: process.env.TOLLAMA_MODEL_VERSION ?? null,
};

describe.skipIf(!isOn)('a live daemon', () => {
  const pool = new PooledPost(() => adapter);
  const upstream = new TollamaUpstream({
    settings: () => adapter,
    clock: systemClock,
    random: Math.random,
    post: pool.post,
  });

  test('answers in a form that the adapter reads', async () => {
    const levels = [0.1, 0.5, 0.9];
    const answer = await upstream.forecast(
      {
        model: model.model_name,
        modelVersion: model.model_version ?? 'unknown',
        series: Array.from({ length: 48 }, (_, i) => Math.sin(i / 5)),
        horizon: 4,
        freq: '5min',
        levels,
        pastCovariates: {},
        futureCovariates: {},
        params: {},
      },
      { deadlineMs: systemClock.now() + 30_000 },
    );
    expect(rowsOf(answer, levels, 4)).toHaveLength(3);
  });

  test('serves the gateway without a fallback', async () => {
    await using gateway = new Gateway({
      settings,
      log: createLogger('silent'),
      upstream: () => upstream,
    });
    const question = gateway.validate(ForecastRequest.parse(soundRequest({ model })));
    const { meta } = responseOf(await gateway.forecast(question));
    expect(meta).toMatchObject({ fallback_used: false, runtime: 'tollama' });
    pool[Symbol.dispose]();
  });
});
