import { zstdCompressSync } from 'node:zlib';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';
import type { TuningOrder } from './fine-tuning.ts';
import { TimegptService } from './service.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
});
afterAll(() => at[Symbol.asyncDispose]());

type Answer = Record<string, unknown> & {
  mean: number[];
  sizes: number[];
  idxs: number[];
  anomaly: boolean[];
  intervals: Record<string, number[]>;
  feature_contributions: number[][];
};

const post = async (path: string, body: unknown, expected = 200): Promise<Answer> => {
  const answer = await at.call('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(expected);
  return answer.body as Answer;
};

const wave = (length: number, level = 50): number[] =>
  Array.from({ length }, (_, i) => level + 10 * Math.sin((2 * Math.PI * i) / 7) + (i % 3));

const panel = (...columns: number[][]) => ({
  y: columns.flat() as (number | null)[],
  sizes: columns.map(({ length }) => length),
  X: null as null | unknown[][],
  X_future: null as null | unknown[][],
});

const body = (fields: Record<string, unknown> = {}, series = panel(wave(60), wave(51, 500))) => ({
  series,
  model: 'timegpt-2.1',
  freq: 'D',
  h: 3,
  ...fields,
});

test('forecasts are flat, series after series, with the keys that the client reads', async () => {
  const answer = await post('/v2/forecast', body({ level: [80, 97.5, 80] }));
  expect(answer.mean).toHaveLength(6);
  expect(answer.mean.slice(0, 3).every((value) => value < 100)).toBe(true);
  expect(answer.mean.slice(3).every((value) => value > 400)).toBe(true);
  expect(Object.keys(answer.intervals)).toEqual(['lo-80', 'hi-80', 'lo-97.5', 'hi-97.5']);
  answer.mean.forEach((_, i) => {
    expect(answer.intervals['lo-97.5']![i]).toBeLessThanOrEqual(answer.intervals['lo-80']![i]!);
    expect(answer.intervals['hi-80']![i]).toBeLessThanOrEqual(answer.intervals['hi-97.5']![i]!);
  });
  expect(answer).toMatchObject({
    weights_x: null,
    feature_contributions: null,
    input_tokens: 111,
    output_tokens: 6,
    finetune_tokens: 0,
  });
  expect((await post('/timegpt/v2/forecast', body())).intervals).toBeNull();
});

test('gaps, single points, unknown frequencies and unknown members are taken', async () => {
  const gaps = panel([1, 2, 3, 4], [7]);
  gaps.y[1] = null;
  gaps.y[3] = null;
  const answer = await post('/v2/forecast', body({ freq: 'cbh', surprise: 1 }, gaps));
  expect(answer.mean.every(Number.isFinite)).toBe(true);
  expect(answer.mean.slice(3)).toEqual([7, 7, 7]);
});

test('a compressed body beyond the usual limit', async () => {
  const columns = Array.from({ length: 1000 }, (_, i) => wave(40, i));
  const text = JSON.stringify(body({ model: 'seasonal-naive' }, panel(...columns)));
  const response = await fetch(`${at.url}/v2/forecast`, {
    method: 'POST',
    headers: { 'content-encoding': 'zstd' },
    body: zstdCompressSync(text),
  });
  const answer = (await response.json()) as Answer;
  expect(response.status).toBe(200);
  expect(answer.mean).toHaveLength(3000);
});

test('errors are told in detail, with statuses that are not repeated in vain', async () => {
  const wrong = await post('/v2/forecast', body({ h: 'x' }), 422);
  expect(wrong.detail).toMatchObject([{ loc: ['body', 'h'], msg: expect.any(String) }]);
  const sizes = panel([1, 2, 3]);
  sizes.sizes = [2];
  expect((await post('/v2/forecast', body({}, sizes), 422)).detail).toMatchObject([
    { loc: ['body', 'series', 'sizes'] },
  ]);
  const text = panel([1, 2]);
  (text.y as unknown[])[1] = 'two';
  await post('/v2/forecast', body({}, text), 422);
  const kinds = { ...panel([1, 2]), X: [['a', { toString: '' }]], categorical_exog: [0] };
  expect((await post('/v2/forecast', body({}, kinds), 422)).detail).toMatchObject([
    { loc: ['body', 'series', 'X', 0, 1] },
  ]);
  const unknown = await post('/v2/forecast', body({ model: 'nope' }), 404);
  expect(unknown.detail).toMatch(/'nope' is not installed; tollama pull nope/);
  expect((await post('/v2/no_such_route', {}, 404)).detail).toBe('Not Found');
  expect((await at.call('GET', '/model_params?model=nope')).status).toBe(404);
  await post('/v2/execute_step/async', {}, 501);
  const tuned = await post('/v2/forecast', body({ finetuned_model_id: 'none' }), 404);
  expect(tuned.detail).toBe('Finetuned model not found');
  // Behind the name stands a model without weights.
  await post('/v2/finetune', body({ model: 'theta' }), 501);
  await post('/v2/forecast', body({ model: 'theta', finetune_steps: 3 }), 501);
});

test('windows of a cross-validation, without a look ahead', async () => {
  const ask = (series: ReturnType<typeof panel>) =>
    post('/v2/cross_validation', body({ n_windows: 2, step_size: 2, level: [50] }, series));
  const answer = await ask(panel(wave(60), wave(30)));
  expect(answer.sizes).toEqual([6, 6]);
  expect(answer.idxs).toEqual([55, 56, 57, 57, 58, 59, 85, 86, 87, 87, 88, 89]);
  const spoiled = panel(wave(60), wave(30));
  for (const place of [57, 58, 59]) spoiled.y[place] = 9999;
  const same = await ask(spoiled);
  expect(same.mean.slice(0, 3)).toEqual(answer.mean.slice(0, 3));
  const short = await post('/v2/cross_validation', body({ n_windows: 9 }, panel(wave(9))), 422);
  expect(short.detail).toMatchObject([{ msg: expect.stringContaining('series 0 has 9 points') }]);
});

test('a fit of the history ends where the history ends', async () => {
  const asked = body({ full_history: true, level: [80] }, panel(wave(60), wave(2)));
  for (const path of ['/v2/cross_validation', '/v2/historic_forecast']) {
    const answer = await post(path, asked);
    expect(answer.sizes[1]).toBe(1);
    expect(answer.idxs.slice(-2)).toEqual([59, 61]);
    expect(answer.intervals['lo-80']).toHaveLength(answer.mean.length);
  }
});

test('anomalies of the history are the points outside of the interval', async () => {
  const series = panel(wave(120));
  series.y[100] = 900;
  series.y[101] = null;
  const answer = await post('/v2/anomaly_detection', body({ level: 99 }, series));
  const spike = answer.idxs.indexOf(100);
  expect(answer.anomaly[spike]).toBe(true);
  expect(answer.anomaly[spike + 1]).toBe(false);
  answer.idxs.forEach((place, i) => {
    const value = series.y[place];
    const isOutside =
      value !== null &&
      value !== undefined &&
      (value < answer.intervals['lo-99']![i]! || value > answer.intervals['hi-99']![i]!);
    expect(answer.anomaly[i]).toBe(isOutside);
  });
});

test('online anomalies: a spike scores highest; together, one flag holds for all', async () => {
  const series = panel(wave(120), wave(120, 90));
  for (const place of [117, 237]) series.y[place] = 900;
  const asked = (fields: object) => body({ detection_size: 8, h: 7, ...fields }, series);
  const path = '/v2/online_anomaly_detection';
  const alone = (await post(path, asked({}))) as Answer & { anomaly_score: number[] };
  expect(alone.idxs.slice(0, 8)).toEqual([112, 113, 114, 115, 116, 117, 118, 119]);
  expect(alone.anomaly[5]).toBe(true);
  expect(Math.max(...alone.anomaly_score)).toBe(alone.anomaly_score[5]);
  const joint = await post(path, asked({ threshold_method: 'multivariate' }));
  expect(joint.anomaly.slice(0, 8)).toEqual(joint.anomaly.slice(8));
  expect(joint.anomaly[5]).toBe(true);
  expect(joint.intervals).toBeNull();
  const uneven = { detection_size: 8, threshold_method: 'multivariate' };
  await post(path, body(uneven), 422);
  await post(path, body({ detection_size: 60 }), 422);
});

const promoted = () => {
  const promo = Array.from({ length: 80 }, (_, i) => Number(i % 5 === 0 || i % 7 === 0));
  const series = panel(wave(80).map((value, i) => value + 40 * promo[i]!));
  const kind = promo.map((on) => (on ? 'sale' : 'none'));
  return { ...series, X: [promo, kind, wave(80, 1)], categorical_exog: [1] };
};

test.each(['shapley', 'intervention', 'granger', 'transfer_entropy'])(
  'exogenous rows have an effect, which %s explains',
  async (kind) => {
    const ask = (on: number) => {
      const word = on ? 'sale' : 'none';
      const X_future = [
        [on, on, on],
        [word, word, word],
      ];
      return post(
        '/v2/forecast',
        body(
          { feature_contributions: true, feature_contributions_type: kind, level: [80] },
          { ...promoted(), X_future },
        ),
      );
    };
    const [low, high] = [await ask(0), await ask(1)];
    expect(high.mean[0]! - low.mean[0]!).toBeGreaterThan(25);
    expect(low.weights_x).toHaveLength(3);
    const columns = high.feature_contributions;
    expect(columns).toHaveLength(4);
    if (kind === 'intervention') return;
    high.mean.forEach((mean, i) => {
      expect(columns.reduce((sum, column) => sum + column[i]!, 0)).toBeCloseTo(mean, 6);
    });
  },
);

test('a row of the past alone is no look ahead in a window', async () => {
  const ask = (series: object) =>
    post('/v2/cross_validation', body({ hist_exog: [0, 2] }, series as never));
  const series = promoted();
  const changed = { ...series, X: series.X.map((row) => [...row]) };
  for (const row of [0, 2]) for (const i of [77, 78, 79]) changed.X[row]![i] = 1000;
  expect((await ask(series)).mean).toEqual((await ask(changed)).mean);
});

const finished = async (path: string): Promise<Record<string, unknown>> => {
  for (;;) {
    const { body: state } = await at.call('GET', path);
    const { status } = state as { status: string };
    if (status !== 'pending' && status !== 'running') return state as Record<string, unknown>;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test('jobs: submitted, done, over', async () => {
  const order = body({ n_paths: 5, seed: 7 }, panel(wave(40), wave(30)));
  const results: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const { job_id } = await post('/v2/simulate/async', order, 202);
    const state = await finished(`/v2/simulate/jobs/${job_id}`);
    expect(state).toMatchObject({ job_id, status: 'succeeded', error: null });
    results.push(state.result);
    expect((await at.call('GET', `/v2/forecast/jobs/${job_id}`)).status).toBe(404);
    await post(`/v2/async/jobs/${job_id}/cancel`, {}, 409);
  }
  expect(results[0]).toEqual(results[1]);
  const { samples, sizes } = results[0] as { samples: number[]; sizes: number[] };
  expect(samples).toHaveLength(5 * 2 * 3);
  expect(sizes).toEqual([3, 3]);
  await post('/v2/async/jobs/none/cancel', {}, 404);
  await post('/v2/simulate/async', body({ n_paths: 0 }), 422);
  const failing = await post('/v2/forecast/async', body({ model: 'nope' }), 202);
  expect(await finished(`/v2/forecast/jobs/${failing.job_id}`)).toMatchObject({
    status: 'failed',
    error: { status_code: 404, detail: expect.stringContaining('nope') },
  });
});

test('a job explains which rows drive the series', async () => {
  for (const method of ['granger', 'transfer_entropy']) {
    const { job_id } = await post('/v2/explain/async', { series: promoted(), method }, 202);
    const { result } = (await finished(`/v2/explain/jobs/${job_id}`)) as {
      result: { weights: number[] };
    };
    expect(result).toMatchObject({ method });
    expect(result.weights[0]).toBeGreaterThan(result.weights[2]!);
  }
});

test('key, usage, models and their limits', async () => {
  expect((await at.call('GET', '/validate_api_key')).body).toHaveProperty('detail');
  const { body: usage } = await at.call('GET', '/usage');
  expect(usage).toMatchObject({ minute: { limit: 0 }, month: { limit: 0 } });
  expect((usage as { month: { used: number } }).month.used).toBeGreaterThan(3);
  const { body: listed } = await at.call('GET', '/v2/models');
  const names = (listed as { models: { name: string }[] }).models.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['auto', 'timegpt-1', 'timegpt-1-long-horizon']));
  const { body: params } = await at.call('GET', '/model_params?model=timegpt-1&freq=SMS');
  expect(params).toEqual({ detail: { input_size: 10_000, horizon: 10_000 } });
});

test('fine-tuned models, where somebody tunes', async () => {
  const orders: TuningOrder[] = [];
  const removed: string[] = [];
  const { context } = at.daemon;
  const fineTuning = {
    tune: async (order: TuningOrder) => {
      orders.push(order);
      const manifest = {
        name: order.name,
        family: 'mock',
        source: { type: 'local' as const, repo_id: 'mock', revision: 'main' },
        resolved: null,
        size_bytes: 0,
        pulled_at: null,
        installed_at: '2026-01-01T00:00:00Z',
        license: { type: 'none', needs_acceptance: false, accepted: true, accepted_at: null },
      };
      await context.store.write(manifest);
    },
    remove: async (name: string) => {
      removed.push(name);
      await context.store.remove(name);
    },
  };
  const app = createApp({ ...context, fineTuning });
  const send = async (method: string, path: string, sent?: unknown) => {
    const init = { method, ...(sent !== undefined && { body: JSON.stringify(sent) }) };
    const response = await app.request(path, init);
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  };
  const order = body({ finetune_steps: 2, finetune_loss: 'mae', output_model_id: 'mine_1' });
  expect((await send('POST', '/v2/finetune', order)).body).toMatchObject({
    finetuned_model_id: 'mine_1',
    finetune_tokens: 222,
  });
  expect(orders[0]).toMatchObject({
    model: DEFAULT_MODEL,
    steps: 2,
    depth: 1,
    loss: 'mae',
    freq: 'D',
  });
  expect((await send('POST', '/v2/finetune', order)).status).toBe(422);
  const described = (await send('GET', '/v2/finetuned_models/mine_1')).body;
  expect(described).toMatchObject({
    id: 'mine_1',
    base_model_id: DEFAULT_MODEL,
    steps: 2,
    freq: 'D',
  });
  expect((await send('GET', '/v2/finetuned_models')).body.finetuned_models).toEqual([described]);
  const chained = { finetune_steps: 1, finetuned_model_id: 'mine_1' };
  const { body: child } = await send('POST', '/v2/finetune', body(chained));
  expect(orders[1]!.model).toBe('tuned-mine_1');
  expect(
    (await send('GET', `/v2/finetuned_models/${child.finetuned_model_id}`)).body.base_model_id,
  ).toBe('mine_1');
  const bad = body({ output_model_id: 'no spaces/allowed' });
  expect((await send('POST', '/v2/finetune', bad)).status).toBe(422);
  const steps = await send('POST', '/v2/forecast', body({ finetune_steps: 4 }));
  expect(steps.status).toBe(200);
  expect(removed.at(-1)).toBe(orders.at(-1)!.name);
  expect((await send('DELETE', '/v2/finetuned_models/mine_1')).status).toBe(204);
  expect((await send('DELETE', '/v2/finetuned_models/mine_1')).status).toBe(404);

  // A job that was cut off runs again: once before its record was there, once after.
  const service = new TimegptService({ ...context, fineTuning });
  const caller = { keyId: 'k', jobId: '00000000-0000-4000-8000-000000000001' };
  const tune = () => service.finetune(body({ output_model_id: 'job_1' }))(caller);
  const tuned = orders.length;
  const answers = [await tune(), await tune()];
  expect(answers[0]).toMatchObject({ finetuned_model_id: 'job_1' });
  expect(answers[1]).toEqual(answers[0]);
  expect(orders.length - tuned).toBe(1);
  expect(removed.at(-1)).toBe('tuned-job_1');
  const { body: shown } = await send('GET', '/v2/finetuned_models/job_1');
  expect(shown).not.toHaveProperty('job_id');
});
