/** Every route of a real daemon, asked for real: what it answers is what the document says. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batchFolder, batchRecordPath } from '@tollama/core/batch-run';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, Contract } from '../testing/contract.ts';
import { exampleSeries, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';
import { openApiDocument, templateOf } from './document.ts';
import { OPERATIONS } from './operations/all.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');
const BATCH_ID = '0123456789abcdef';

const batch = {
  ...{ id: BATCH_ID, status: 'done', model: 'theta', horizon: 28, inputs: ['panel.parquet'] },
  ...{ output: '/data/out', host: 'box', pid: 1, workers: 2, queue: null, ended_at: null },
  ...{ started_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
  ...{ series: 10, failed: 1, total: 40, series_per_second: 5, eta_ms: null, memory_bytes: 1e8 },
  error: { code: 'INTERNAL', message: 'x', hint: 'y' },
};

let at: TestDaemon;
let contract: Contract;
beforeAll(async () => {
  at = await startTestDaemon({ HF_ENDPOINT: 'http://127.0.0.1:9' });
  contract = new Contract(at.url, openApiDocument() as Readonly<Record<string, unknown>>);
  await mkdir(batchFolder(at.home), { recursive: true });
  await writeFile(batchRecordPath(at.home, BATCH_ID), JSON.stringify(batch));
});
afterAll(() => at[Symbol.asyncDispose]());

const get = (path: string, more: Partial<Asked> = {}) =>
  contract.ask({ method: 'GET', path, ...more });
const post = (path: string, body: unknown, more: Partial<Asked> = {}) =>
  contract.ask({ method: 'POST', path, body, ...more });
const remove = (path: string, more: Partial<Asked> = {}) =>
  contract.ask({ method: 'DELETE', path, ...more });

const long = {
  ...exampleSeries('s', 40),
  target: Array.from({ length: 40 }, (_, i) => 5 + (i % 7)),
};
const spiked = { ...long, target: long.target.map((value, i) => (i === 20 ? 500 : value)) };
const full = {
  model: 'bolt',
  horizon: 3,
  quantiles: [0.1, 0.5, 0.9],
  series: [{ ...long, actuals: [1, 2, 3] }],
  parameters: { metrics: { names: ['mae', 'mase'] } },
  response_options: { narrative: true, explain: true },
};
const plain = { model: 'naive', horizon: 2, series: [long] };

const table = (fields: Readonly<Record<string, string>>): FormData => {
  const form = new FormData();
  const rows = long.timestamps.map((stamp, i) => `${stamp},${i === 5 ? '' : long.target[i]}`);
  form.set('file', new Blob([['timestamp,target', ...rows].join('\n')]), 'sales.csv');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};

/** Answers that begin with a word, or all of them, fit; returns the last value. */
const last = async (asked: Promise<{ status: number; values: readonly unknown[] }>) => {
  const { status, values } = await asked;
  expect([200, 202]).toContain(status);
  return values.at(-1) as Record<string, unknown>;
};

describe('models', () => {
  test('are pulled, shown, copied, verified and made', async () => {
    await last(post('/api/pull', { model: checkpoint, name: 'bolt', stream: false }));
    await last(post('/api/pull', { model: 'mock' }));
    await last(post('/v1/models/pull', { name: 'mock', accept_license: true }));
    await last(post('/api/copy', { source: 'bolt', destination: 'copied' }));
    await last(post('/api/create', { model: 'made', modelfile: 'FROM bolt\nPARAMETER horizon 4' }));
    await last(
      post('/api/create', { model: 'again', modelfile: 'FROM bolt\nLICENSE x', stream: false }),
    );
    await last(post('/api/show', { model: 'made' }));
    await last(post('/api/verify', { model: 'bolt' }));
    await last(get('/api/tags'));
    await last(get('/v1/models'));
    await last(get('/v1/models/{name}/capabilities', { at: { name: 'chronos-2' } }));
    await last(post('/api/prune', { dry_run: true }));
    await last(post('/v1/forecast', { ...plain, model: 'bolt' }));
    await last(get('/api/ps'));
    await last(get('/api/info'));
    await last(get('/api/dashboard/state'));
    await last(post('/api/stop', { model: 'bolt' }));
    await last(remove('/api/delete', { body: { model: 'copied' } }));
    await last(remove('/v1/models/{name}', { at: { name: 'again' } }));
  });

  test('what is not there, or there already', async () => {
    await post('/api/show', { model: 'ghost' });
    await post('/api/stop', { model: 'ghost' });
    await post('/api/pull', { model: 'owner/ghost', stream: false, offline: true });
    await post('/api/pull', { model: 'owner/ghost', offline: true });
    await post('/api/pull', { model: 'moirai-1.1-R-small' });
    await post('/v1/models/pull', { name: 'ghost', accept_license: false });
    await post('/api/copy', { source: 'ghost', destination: 'x' });
    await post('/api/copy', { source: 'bolt', destination: 'made' });
    await post('/api/create', { model: 'made', modelfile: 'FROM bolt' });
    await post('/api/create', { model: 'other', modelfile: 'FROM ghost' });
    await post('/api/verify', { model: 'ghost' });
    await remove('/api/delete', { body: { model: 'ghost' } });
    await remove('/v1/models/{name}', { at: { name: 'ghost' } });
    await get('/v1/models/{name}/capabilities', { at: { name: 'ghost' } });
    expect([...contract.seen].filter((one) => / 4\d\d$/.test(one)).length).toBeGreaterThan(8);
  });

  test('profiles', async () => {
    await last(post('/api/modelfiles', { name: 'p', profile: { model: 'naive', horizon: 2 } }));
    await last(post('/api/modelfiles', { name: 'q', content: 'model: naive' }));
    await last(get('/api/modelfiles'));
    await last(get('/api/modelfiles/{name}', { at: { name: 'p' } }));
    await last(remove('/api/modelfiles/{name}', { at: { name: 'q' } }));
    await get('/api/modelfiles/{name}', { at: { name: 'q' } });
    await post('/v1/forecast', { modelfile: 'ghost', series: [long] });
  });
});

describe('forecasts', () => {
  test.each(['/v1/forecast', '/api/forecast', '/api/forecast/stream'])('%s', async (path) => {
    await last(post(path, full));
    await last(post(path, plain));
    expect(await post(path, { ...plain, model: 'ghost' })).toMatchObject({ status: 404 });
    expect(await post(path, { horizon: 'x' }, { isBad: true })).toMatchObject({ status: 400 });
  });

  test('without a stream, by a model that fits, from a table', async () => {
    await last(post('/api/forecast', { ...full, stream: false }));
    await last(post('/api/forecast/progressive', { ...plain, model: undefined }));
    await last(
      post('/api/forecast/progressive', { ...plain, model: 'ghost', allow_fallback: true }),
    );
    await last(post('/api/auto-forecast', { ...full, model: undefined, strategy: 'ensemble' }));
    await last(post('/api/auto-forecast', plain));
    await last(post('/api/validate', { ...full, stream: true }));
    await last(post('/api/validate', { horizon: 'x' }, { isBad: true }));
    const payload = JSON.stringify({ model: 'naive', horizon: 2 });
    const form = table({ payload, missing_method: 'linear' });
    await last(contract.ask({ method: 'POST', path: '/api/forecast/upload', form }));
    await last(
      contract.ask({
        method: 'POST',
        path: '/api/ingest/upload',
        form: table({ preprocess_missing: 'true' }),
      }),
    );
    const wrong = { method: 'POST', path: '/api/ingest/upload', form: table({ freq: '' }) };
    expect(await contract.ask(wrong)).toMatchObject({ status: 400 });
  });

  test('several in one', async () => {
    await last(post('/api/compare', { ...full, model: undefined, models: ['bolt', 'ghost'] }));
    const transforms = [{ operation: 'multiply', field: 'target', value: 2 }];
    const odd = [{ operation: 'add', field: 'past_covariates', key: 'x', value: 2 }];
    await last(
      post('/api/what-if', {
        ...plain,
        scenarios: [
          { name: 'double', transforms },
          { name: 'odd', transforms: odd },
        ],
        continue_on_error: true,
      }),
    );
    await last(
      post('/api/counterfactual', {
        model: 'bolt',
        series: [long],
        quantiles: [0.1, 0.9],
        intervention_index: 35,
      }),
    );
    await last(post('/api/scenario-tree', { ...plain, depth: 2, branch_quantiles: [0.1, 0.9] }));
    await last(post('/api/pipeline', { ...full, pull_if_missing: true }));
    await last(post('/api/report', { ...full, include_baseline: true }));
    await last(post('/api/report', { ...plain, response_options: { narrative: false } }));
  });

  test('series', async () => {
    const series = [spiked, exampleSeries('short', 4)];
    await last(post('/api/analyze', { series, response_options: { narrative: true } }));
    await last(post('/api/generate', { series: [long], count: 2 }));
    const [forecasts, hierarchy] = [
      [{ id: 's', freq: 'D', start_timestamp: 'x', mean: [1] }],
      { tree: { t: ['s'] } },
    ];
    const forecast = { model: 'm', forecasts, mine: 1 };
    await last(post('/api/reconcile', { forecast, hierarchy }));
    await last(post('/api/reconcile', { forecast, hierarchy, check_only: true }));
    await last(post('/api/reconcile', { ...plain, hierarchy: { tree: { t: ['s'] } }, windows: 3 }));
    await last(post('/api/conformal', { forecast, actuals: [1, 2], predictions: [1, 3] }));
    await last(post('/api/conformal', { ...plain, windows: 5, coverage: 0.5 }));
    expect(await post('/api/analyze', { series: [] }, { isBad: true })).toMatchObject({
      status: 400,
    });
  });
});

describe('jobs', () => {
  test('a training', { timeout: 60_000 }, async () => {
    const options = { steps: 4, epochs: 2, batch_size: 4, threads: 1, horizon: 4 };
    const order = { model: 'bolt', name: 'waves', series: [{ ...long, freq: 'D' }], options };
    const { id } = (await last(post('/api/train', order))) as { id: string };
    await last(get('/api/train/{id}/events', { at: { id } }));
    await last(get('/api/train'));
    await last(get('/api/train/{id}', { at: { id } }));
    await remove('/api/train/{id}', { at: { id } });
    await contract.ask({ method: 'POST', path: '/api/train/{id}/resume', at: { id } });
    await last(remove('/api/train/{id}', { at: { id, '?': '?purge=true' } }));
    await get('/api/train/{id}', { at: { id } });
    await post('/api/train', { name: 'x', series: [long] });
    await post('/api/train', { ...order, model: 'ghost' });
  });

  test('batches', async () => {
    const id = BATCH_ID;
    await last(get('/api/batches'));
    await last(get('/api/batches/{id}', { at: { id } }));
    await remove('/api/batches/{id}', { at: { id } });
    await last(remove('/api/batches/{id}', { at: { id, '?': '?purge=true' } }));
    expect(await get('/api/batches/{id}', { at: { id } })).toMatchObject({ status: 404 });
  });
});

const y = Array.from({ length: 80 }, (_, i) => (i === 30 ? null : 5 + (i % 7)));
const panel = {
  series: { y, sizes: [40, 40], X: [y.map((_, i) => i % 3)] },
  model: 'naive',
  freq: 'D',
  h: 2,
  level: [80],
};
const noRows = { ...panel, series: { y, sizes: [40, 40] } };

describe('TimeGPT', () => {
  test('panels', async () => {
    const X_future = [[1, 2, 0, 1]];
    const explained = { ...panel, feature_contributions: true };
    await last(post('/v2/forecast', { ...explained, series: { ...panel.series, X_future } }));
    await last(post('/v2/forecast', noRows));
    await last(post('/v2/cross_validation', { ...panel, n_windows: 2 }));
    await last(post('/v2/cross_validation', { ...explained, full_history: true, level: null }));
    await last(post('/v2/historic_forecast', { ...noRows, h: undefined }));
    await last(post('/v2/anomaly_detection', { ...noRows, level: 99 }));
    const online = { ...noRows, detection_size: 3, level: 99 };
    await last(post('/v2/online_anomaly_detection', online));
    await last(
      post('/v2/online_anomaly_detection', { ...online, threshold_method: 'multivariate' }),
    );
    expect(await post('/v2/forecast', {}, { isBad: true })).toMatchObject({ status: 422 });
    await post('/v2/forecast', { ...noRows, model: 'ghost' });
    await post('/v2/anomaly_detection', { ...noRows, series: { y: [1], sizes: [5] } });
  });

  test('what there is', async () => {
    for (const path of ['/validate_api_key', '/usage', '/v2/models', '/v2/finetuned_models']) {
      await last(get(path));
    }
    await last(get('/model_params', { at: { '?': '?model=bolt' } }));
    await last(get('/model_params', { at: { '?': '?model=naive' } }));
    await get('/model_params', { at: { '?': '?model=ghost' } });
  });

  test('fine-tuned models', { timeout: 60_000 }, async () => {
    const body = { ...noRows, model: 'bolt', finetune_steps: 1, output_model_id: 'mine' };
    await last(post('/v2/finetune', body));
    await post('/v2/finetune', body);
    await post('/v2/finetune', { ...body, model: 'naive', output_model_id: 'other' });
    await last(get('/v2/finetuned_models'));
    await last(get('/v2/finetuned_models/{id}', { at: { id: 'mine' } }));
    expect(await remove('/v2/finetuned_models/{id}', { at: { id: 'mine' } })).toMatchObject({
      status: 204,
    });
    await get('/v2/finetuned_models/{id}', { at: { id: 'mine' } });
  });

  test('jobs', { timeout: 60_000 }, async () => {
    const done = async (task: string, body: unknown): Promise<string> => {
      const { job_id: job } = await last(post('/v2/{task}/async', body, { at: { task } }));
      await expect
        .poll(
          async () =>
            (await last(get('/v2/{task}/jobs/{job}', { at: { task, job: `${job}` } }))).status,
        )
        .toMatch(/succeeded|failed/);
      return String(job);
    };
    const job = await done('forecast', noRows);
    await done('cross_validation', panel);
    await done('simulate', { ...noRows, n_paths: 3 });
    await done('explain', { series: panel.series });
    await done('anomaly_detection', { ...noRows, detection_size: 3 });
    await done('forecast', { ...noRows, model: 'ghost' });
    const cancel = { method: 'POST', path: '/v2/async/jobs/{job}/cancel' };
    expect(await contract.ask({ ...cancel, at: { job } })).toMatchObject({ status: 409 });
    await contract.ask({ ...cancel, at: { job: 'ghost' } });
    const { job_id } = await last(post('/v2/{task}/async', noRows, { at: { task: 'forecast' } }));
    await contract.ask({ ...cancel, at: { job: `${job_id}` } });
    await post('/v2/{task}/async', {}, { at: { task: 'forecast' }, isBad: true });
    await get('/v2/{task}/jobs/{job}', { at: { task: 'forecast', job: 'ghost' } });
    const step = '/v2/execute_step/jobs/{job}/result';
    expect(await get(step, { at: { job: 'x' } })).toMatchObject({ status: 501 });
  });
});

const tensors = [
  { name: 'context', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
  { name: 'horizon', shape: [1], datatype: 'INT32', data: [2] },
];

describe('Open Inference Protocol', () => {
  test.each([
    ['/v2/models/{name}', { name: 'bolt' }],
    ['/v2/models/{name}/versions/{version}', { name: 'naive', version: '1' }],
  ])('%s', async (path, place) => {
    await last(get(path, { at: place }));
    for (const part of ['ready', 'config', 'stats']) {
      await last(get(`${path}/${part}`, { at: place }));
      await get(`${path}/${part}`, { at: { ...place, name: 'ghost' } });
    }
    const infer = `${path}/infer`;
    await last(post(infer, { id: 'a', inputs: tensors }, { at: place }));
    const binary = { inputs: tensors, parameters: { binary_data_output: true } };
    expect(await post(infer, binary, { at: place })).toMatchObject({ status: 200 });
    expect(await post(infer, {}, { at: place, isBad: true })).toMatchObject({ status: 400 });
    await post(infer, { inputs: tensors }, { at: { ...place, name: 'ghost' } });
  });

  test('server, repository and time series', async () => {
    for (const path of ['/v2', '/v2/health/live', '/v2/health/ready', '/v2/models/stats']) {
      await last(get(path));
    }
    await last(post('/v2/repository/index', { ready: true }));
    const place = { at: { name: 'naive' } };
    await last(post('/v2/repository/models/{name}/load', {}, place));
    await last(post('/v2/repository/models/{name}/unload', {}, place));
    expect(await get('/v2/models/{name}/ready', place)).toMatchObject({ status: 503 });
    await post('/v2/models/{name}/infer', { inputs: tensors }, place);
    await last(post('/v2/repository/models/{name}/load', {}, place));
    await post('/v2/repository/models/{name}/load', {}, { at: { name: 'ghost' } });
    await post('/v2/repository/models/{name}/load', [], { ...place, isBad: true });
    await last(get('/v1/timeseries/models'));
    const one = { type: 'univariate_time_series', name: 'a', frequency: 'D', series: [1, null, 3] };
    const two = {
      ...one,
      type: 'multivariate_time_series',
      series: [
        [1, 2],
        [3, 4],
      ],
    };
    const options = { horizon: 2, quantiles: [0.1] };
    await last(post('/v1/timeseries/forecast', { model: 'naive', inputs: [one, two], options }));
    await post('/v1/timeseries/forecast', {}, { isBad: true });
    await post('/v1/timeseries/forecast', { model: 'ghost', inputs: [one], options });
  });
});

test('the daemon itself', async () => {
  const paths = ['/', '/v1/health', '/health/live', '/health/ready', '/api/version', '/api/usage'];
  for (const path of [...paths, '/metrics', '/openapi.json', '/docs', '/redoc']) {
    await last(get(path));
  }
  await get('/dashboard');
  await get('/dashboard/{path}', { at: { path: 'index.html' } });
  const listening = get('/api/events', { at: { '?': '?max_events=1&heartbeat=5' } });
  await post('/api/analyze', { series: [long] });
  // What happened before the subscription is not heard.
  await expect
    .poll(async () => {
      await post('/api/analyze', { series: [long] });
      return Promise.race([listening.then(() => true), new Promise((done) => setImmediate(done))]);
    })
    .toBe(true);
  expect(await get('/api/events', { at: { '?': '?heartbeat=x' } })).toMatchObject({ status: 400 });
});

test('no route was left out, and each that can fail has failed', () => {
  const seen = (method: string, path: string): string[] =>
    [...contract.seen].filter((one) => one.startsWith(`${method.toUpperCase()} ${path} `));
  const without = (isMissing: (statuses: number[]) => boolean) =>
    OPERATIONS.map(({ method, path, answer }) => ({ method, path: templateOf(path), answer }))
      .filter(({ answer }) => !('text/html' in answer || '*/*' in answer))
      .filter(({ method, path }) =>
        isMissing(seen(method, path).map((one) => Number(one.split(' ').at(-1)))),
      )
      .map(({ path }) => path);
  expect(without((statuses) => !statuses.some((status) => status < 300))).toEqual([
    '/api/train/{id}/resume',
    '/v2/execute_step/jobs/{job}/result',
  ]);
});
