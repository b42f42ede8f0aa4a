/** Routes x bad inputs: every answer is one of the registered errors, none is a 500. */
import { fc, test as property } from '@fast-check/vitest';
import { ERRORS } from '@tollama/core/errors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialectOf } from '../http/dialects.ts';
import { OPERATIONS } from '../openapi/operations/all.ts';
import { exampleSeries, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  // Nobody listens there: a pull fails at once and reaches nothing.
  at = await startTestDaemon({
    HF_ENDPOINT: 'http://127.0.0.1:9',
    TOLLAMA_FORECAST_TIMEOUT_SECONDS: '20',
  });
  await at.call('POST', '/api/pull', { model: 'mock', stream: false });
});
afterAll(() => at[Symbol.asyncDispose]());

/** What other products' clients expect beside our own statuses. */
const DIALECT_STATUSES = [403, 422];

const STATUSES: ReadonlySet<number> = new Set([
  ...DIALECT_STATUSES,
  ...Object.values(ERRORS)
    .map(({ status }) => status)
    .filter((status) => status !== 500),
]);

const ERROR_KEYS = { 'open-inference': true, 'kserve-time-series': true };

const send = async (method: string, path: string, body: string): Promise<void> => {
  const response = await fetch(`${at.url}${path}`, {
    method: method.toUpperCase(),
    headers: { 'content-type': 'application/json' },
    body,
  });
  const text = await response.text();
  if (response.ok) return;
  expect(
    STATUSES,
    `${method} ${path} ${body.slice(0, 300)} -> ${response.status} ${text}`,
  ).toContain(response.status);
  const error = JSON.parse(text) as Record<string, unknown>;
  const keys = dialectOf(path) in ERROR_KEYS ? ['error'] : ['detail', 'hint'];
  expect(Object.keys(error).every((key) => keys.includes(key))).toBe(true);
  expect(error[keys[0]!]).toBeTruthy();
};

const series = [exampleSeries('s', 12)];
const forecast = {
  model: 'm',
  forecasts: [{ id: 's', freq: 'D', start_timestamp: 'x', mean: [1] }],
};
const fields = { model: 'mock', horizon: 2, series };

const columns = {
  series: {
    y: [1, 2, null, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8],
    sizes: [8, 8],
    X: [Array.from({ length: 16 }, (_, i) => i % 3), 'abcdabcdabcdabcd'.split('')],
    categorical_exog: [1],
  },
  model: 'naive',
  freq: 'D',
  h: 2,
  level: [80],
};

const tensors = {
  inputs: [
    { name: 'context', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
    { name: 'mask', shape: [1, 3], datatype: 'BOOL', data: [true, true, false] },
    { name: 'horizon', shape: [1], datatype: 'INT32', data: [2] },
    { name: 'quantile_levels', shape: [2], datatype: 'FP32', data: [0.9, 0.1] },
  ],
  outputs: [{ name: 'mean', parameters: { binary_data: false } }],
  parameters: { timeout: 1e9 },
};

/** A body that each route takes, to be spoiled. */
const GOOD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/v2/forecast': columns,
  '/v2/cross_validation': { ...columns, hist_exog: [0], n_windows: 2, step_size: 1 },
  '/v2/historic_forecast': columns,
  '/v2/anomaly_detection': columns,
  '/v2/online_anomaly_detection': { ...columns, detection_size: 2, step_size: 1 },
  '/v2/models/naive/infer': tensors,
  '/v2/models/naive/versions/1/infer': tensors,
  '/v2/repository/index': { ready: true },
  '/v1/timeseries/forecast': {
    model: 'naive',
    inputs: [
      {
        type: 'univariate_time_series',
        name: 'a',
        frequency: 'D',
        series: [1, null, 3],
        start_timestamp: '2024-01-01',
      },
    ],
    options: { horizon: 2, quantiles: [0.1] },
  },
  '/v1/forecast': fields,
  '/api/forecast': fields,
  '/api/forecast/stream': fields,
  '/api/forecast/progressive': fields,
  '/api/auto-forecast': { ...fields, strategy: 'ensemble', allow_fallback: true },
  '/api/validate': fields,
  '/api/compare': { horizon: 2, series, models: ['mock', 'naive'] },
  '/api/what-if': {
    ...fields,
    scenarios: [{ name: 'x', transforms: [{ operation: 'add', field: 'target', value: 1 }] }],
  },
  '/api/counterfactual': { model: 'mock', series, intervention_index: 9 },
  '/api/scenario-tree': { ...fields, depth: 2, branch_quantiles: [0.1, 0.9] },
  '/api/pipeline': { ...fields, analyze_parameters: { max_points: 9 } },
  '/api/report': { ...fields, include_baseline: true },
  '/api/analyze': { series, parameters: { max_lag: 3 } },
  '/api/generate': { series, count: 2, seed: 1, variation: { noise_scale: 1 } },
  '/api/reconcile': { forecast, hierarchy: { tree: { t: ['s'] } }, method: 'bottom_up' },
  '/api/conformal': { forecast, actuals: [1, 2], predictions: [1, 3], coverage: 0.5 },
  '/api/modelfiles': { name: 'p', profile: { model: 'mock', horizon: 1, options: {} } },
};

/** Bodies of the routes that change what is installed; spoiled like the others, never sent as they are. */
const CHANGING: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/api/pull': { model: 'ghost', stream: false, accept_license: true, max_workers: 2, name: 'g' },
  '/v1/models/pull': { name: 'ghost', accept_license: false },
  '/api/show': { model: 'mock' },
  '/api/stop': { model: 'ghost' },
  '/api/train': { model: 'ghost', name: 'trained', series, options: { max_steps: 1 } },
  '/v2/finetune': { ...columns, model: 'ghost', finetune_steps: 1, output_model_id: 'mine' },
  '/api/copy': { source: 'ghost', destination: 'copy' },
  '/api/verify': { model: 'mock' },
  '/api/prune': { dry_run: true },
  '/v2/forecast/async': { ...columns, model: 'ghost', job_options: { timeout_seconds: 5 } },
  '/v2/repository/models/ghost/load': { parameters: {} },
  '/v2/repository/models/ghost/unload': { parameters: { unload_dependents: true } },
  '/api/create': { model: 'made', modelfile: 'FROM ghost', folder: '/nowhere' },
};

const ODD: readonly unknown[] = [
  null,
  true,
  '',
  'x',
  '../x',
  '0',
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  [],
  [1],
  ['x'],
  [[]],
  {},
  { x: 1 },
  { __proto__: null, constructor: 1 },
  'constructor',
  '__proto__',
  '\u0000',
  'é'.repeat(2000),
];

/** All places in a value, as paths of keys. */
const placesIn = (value: unknown, path: readonly string[] = []): (readonly string[])[] => {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, own]) => placesIn(own, [...path, key]));
  return path.length > 0 ? [path, ...inner] : inner;
};

const spoil = (value: unknown, path: readonly string[], by: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const own = (copy as Record<string, unknown>)[key];
  if (by === undefined && rest.length === 0) delete (copy as Record<string, unknown>)[key];
  else (copy as Record<string, unknown>)[key] = spoil(own, rest, by);
  return copy;
};

const ROUTES = OPERATIONS.filter(({ body }) => body !== undefined);

describe('any JSON at any route', () => {
  property.prop([fc.constantFrom(...ROUTES), fc.json()], { numRuns: 150 })(
    'is answered',
    ({ method, path }, body) => send(method, path, body),
  );

  property.prop([fc.constantFrom(...ROUTES), fc.string({ unit: 'binary', maxLength: 20 })], {
    numRuns: 60,
  })('or what is no JSON', ({ method, path }, body) => send(method, path, body));
});

describe('a good body with one thing wrong', () => {
  test('the good bodies are good', async () => {
    for (const [path, body] of Object.entries(GOOD)) {
      const response = await fetch(`${at.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect([path, response.status]).toEqual([path, 200]);
      await response.text();
    }
  });

  const broken = fc
    .constantFrom(...Object.entries({ ...GOOD, ...CHANGING }))
    .chain(([path, body]) =>
      fc.record({
        path: fc.constant(path),
        body: fc.constant(body),
        place: fc.constantFrom(...placesIn(body)),
        by: fc.oneof(fc.constantFrom(undefined, ...ODD), fc.jsonValue()),
      }),
    );
  test('no route with a body is left out', () => {
    const sent = Object.keys({ ...GOOD, ...CHANGING });
    const left = ROUTES.filter(({ method }) => method === 'post')
      .map(({ path }) => path)
      .filter((path) => !path.endsWith('/upload'))
      .filter((path) => {
        const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);
        return !sent.some((one) => pattern.test(one));
      });
    expect(left).toEqual([]);
  });

  property.prop([broken], { numRuns: 800 })('is answered', ({ path, body, place, by }) =>
    send('post', path, JSON.stringify(spoil(body, place, by)) ?? 'null'),
  );
});

describe('uploads', () => {
  const FIELDS = [
    'payload',
    'format_hint',
    'timestamp_column',
    'target_column',
    'covariate_columns',
    'freq',
    'preprocess_missing',
    'missing_method',
    'missing_max_ratio',
    'missing_max_gap',
  ];
  const word = fc.oneof(
    fc.constantFrom('', 'true', 'csv', 'parquet', 'ds', 'y', 'D', '-1', '1e400', '{"horizon": 2}'),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.json({ maxDepth: 2 }),
  );
  const content = fc.oneof(
    fc.constant(Buffer.from('ds,y\n2024-01-01,1\n2024-01-02,2\n')),
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'ab12-,;"\n {}[]'), maxLength: 60 }).map(Buffer.from),
  );
  const fieldsOf = fc.dictionary(fc.constantFrom(...FIELDS, 'strange'), word, { maxKeys: 4 });

  property.prop(
    [fc.constantFrom('/api/ingest/upload', '/api/forecast/upload'), fieldsOf, content],
    { numRuns: 120 },
  )('are answered', async (path, fields, bytes) => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)]), 'data.csv');
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    const response = await fetch(`${at.url}${path}`, { method: 'POST', body: form });
    const text = await response.text();
    if (response.ok) return;
    expect(STATUSES, `${path} ${JSON.stringify(fields)} -> ${response.status} ${text}`).toContain(
      response.status,
    );
  });

  property.prop([fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 20 })], { numRuns: 40 })(
    'that are none are refused',
    async (bytes, boundary) => {
      const response = await fetch(`${at.url}/api/ingest/upload`, {
        method: 'POST',
        headers: {
          'content-type': `multipart/form-data; boundary=${encodeURIComponent(boundary)}`,
        },
        body: new Uint8Array(bytes),
      });
      await response.text();
      expect([400, 413]).toContain(response.status);
    },
  );
});

describe('any query and any name', () => {
  const GETS = OPERATIONS.filter(({ method, path }) => method === 'get' && path !== '/api/events');
  property.prop(
    [
      fc.constantFrom(...GETS),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.webQueryParameters(),
    ],
    { numRuns: 80 },
  )('is answered', async ({ path }, name, query) => {
    const filled = path.replace(/:\w+/g, () => encodeURIComponent(name).replaceAll('.', '%2e'));
    const response = await fetch(`${at.url}${filled}?${query}`);
    await response.text();
    if (response.status < 400) return;
    expect(STATUSES, `${filled}?${query} -> ${response.status}`).toContain(response.status);
  });
});

test.each([
  '/v1/models/%2e%2e%2fx/capabilities',
  '/api/modelfiles/..%2f..%2fx',
  '/api/modelfiles/%00',
  '/api/events?heartbeat=-1',
  '/api/events?max_events=1e400',
])('GET %s', (path) =>
  fetch(`${at.url}${path}`).then(async (response) => {
    await response.body?.cancel();
    expect([400, 404]).toContain(response.status);
  }),
);
