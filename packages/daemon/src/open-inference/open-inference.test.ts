import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
});
afterAll(() => at[Symbol.asyncDispose]());

interface Output {
  readonly name: string;
  readonly shape: number[];
  readonly data?: number[];
  readonly parameters?: { readonly binary_data_size?: number; readonly kind?: string };
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly bytes?: Uint8Array;
  readonly model?: string;
}

const context = [
  [1, 2, 3, 1, 2, 3, 1, 2, 3],
  [5, 5, 5, 5, 5, 5, 5, 5, 6],
];
const JSON_CONTEXT = { name: 'context', shape: [2, 9], datatype: 'FP32', data: context };
const HORIZON = { name: 'horizon', shape: [1], datatype: 'INT32', data: [2] };

const infer = async (
  request: unknown,
  { headers = {}, bytes = new Uint8Array(), model = 'naive' }: Sent = {},
) => {
  const json = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
  const response = await fetch(`${at.url}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: {
      ...(bytes.length > 0 && { 'inference-header-content-length': String(json.length) }),
      ...headers,
    },
    body: Buffer.concat([json, bytes]),
  });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
};

const inferJson = async (request: unknown, sent: Sent = {}, status = 200) => {
  const { response, bytes } = await infer(request, sent);
  expect(response.status, bytes.toString()).toBe(status);
  return JSON.parse(bytes.toString()) as { id?: string; error?: string; outputs: Output[] };
};

const named = (outputs: readonly Output[], name: string): Output =>
  outputs.find((output) => output.name === name)!;

test('the server, its models and their tensors', async () => {
  const get = async (path: string) => (await at.call('GET', path)).body;
  expect(await get('/v2')).toMatchObject({ name: 'tollama', extensions: expect.anything() });
  expect(await get('/v2/health/live')).toEqual({ live: true });
  expect(await get('/v2/health/ready')).toEqual({ ready: true });
  expect(await get('/v2/models/naive/ready')).toEqual({ name: 'naive', ready: true });
  expect(await get('/v2/models/naive/versions/1')).toMatchObject({
    name: 'naive',
    versions: ['1'],
    platform: 'tollama_onnx',
    inputs: [
      { name: 'context', datatype: 'FP32', shape: [-1, -1] },
      { name: 'mask' },
      { name: 'horizon', datatype: 'INT32', shape: [1] },
      { name: 'quantile_levels' },
    ],
    outputs: [{ name: 'mean' }, { name: 'quantiles' }, { name: 'quantile_levels' }],
  });
  expect(await get('/v2/models/naive/config')).toMatchObject({ max_batch_size: 0 });
  for (const path of ['/v2/models/nope', '/v2/models/naive/versions/2/ready', '/v2/health/what']) {
    const { status, body } = await at.call('GET', path);
    expect(status).toBe(404);
    expect(Object.keys(body as object)).toEqual(['error']);
  }
});

test('JSON in, JSON out: levels in the order that they are asked in', async () => {
  const levels = { name: 'quantile_levels', shape: [3], datatype: 'FP32', data: [0.9, 0.1, 0.5] };
  const { id, outputs } = await inferJson({ id: 'a', inputs: [JSON_CONTEXT, HORIZON, levels] });
  expect(id).toBe('a');
  expect(outputs.map(({ name }) => name)).toEqual(['mean', 'quantiles', 'quantile_levels']);
  expect(named(outputs, 'mean')).toMatchObject({ shape: [2, 2], data: [3, 3, 6, 6] });
  const { shape, data } = named(outputs, 'quantiles');
  expect(shape).toEqual([2, 2, 3]);
  expect(data![0]).toBeGreaterThan(data![2]!);
  expect(data![2]).toBeGreaterThan(data![1]!);
  const asked = [0.9, 0.1, 0.5].map(Math.fround);
  expect(named(outputs, 'quantile_levels').data).toEqual(asked);
});

test('binary tensors follow the JSON in its order', async () => {
  const values = Float32Array.from(context.flat());
  const steps = Int32Array.from([2]);
  const binary = (name: string, shape: number[], datatype: string, size: number) => ({
    name,
    shape,
    datatype,
    parameters: { binary_data_size: size },
  });
  const request = {
    inputs: [binary('context', [2, 9], 'FP32', 72), binary('horizon', [1], 'INT32', 4)],
    outputs: [
      { name: 'quantile_levels', parameters: { binary_data: true } },
      { name: 'mean', parameters: { binary_data: true } },
    ],
  };
  const bytes = Buffer.concat([Buffer.from(values.buffer), Buffer.from(steps.buffer)]);
  const answer = await infer(request, { bytes });
  const length = Number(answer.response.headers.get('inference-header-content-length'));
  expect(answer.response.headers.get('content-type')).toBe('application/octet-stream');
  const { outputs } = JSON.parse(answer.bytes.subarray(0, length).toString());
  expect(outputs.map(({ name }: Output) => name)).toEqual(['mean', 'quantile_levels']);
  const floats = new Float32Array(new Uint8Array(answer.bytes.subarray(length)).buffer);
  expect([...floats.subarray(0, 4)]).toEqual([3, 3, 6, 6]);
  expect(floats[4]).toBeCloseTo(0.1, 6);
  const whole = { ...request, outputs: [], parameters: { binary_data_output: true } };
  const all = await infer(whole, { bytes });
  expect(all.response.headers.get('inference-header-content-length')).not.toBeNull();
  const listed = { ...whole, outputs: [{ name: 'mean' }] };
  expect((await inferJson(listed, { bytes })).outputs[0]!.data).toEqual([3, 3, 6, 6]);
});

test('what is masked, or no number, is not there', async () => {
  const ask = async (data: number[], mask: boolean[]) => {
    const shape = [1, data.length];
    const inputs = [
      { name: 'context', shape, datatype: 'FP32', data },
      { name: 'mask', shape, datatype: 'BOOL', data: mask },
    ];
    return named((await inferJson({ inputs }, { model: 'auto' })).outputs, 'mean').data;
  };
  const wave = Array.from({ length: 30 }, (_, i) => i % 3);
  const plain = await ask(
    wave,
    wave.map(() => true),
  );
  const head = await ask([99, 98, ...wave], [false, false, ...wave.map(() => true)]);
  expect(head).toEqual(plain);
  const holed = (value: number) =>
    ask(
      wave.map((own, i) => (i === 9 ? value : own)),
      wave.map((_, i) => i !== 9),
    );
  expect(await holed(1e6)).toEqual(await holed(-4));
});

const shape = (fields: object) => ({ inputs: [{ ...JSON_CONTEXT, ...fields }] });
const extra = (...inputs: object[]) => ({ inputs: [JSON_CONTEXT, ...inputs] });

test.each([
  ['no JSON', '{', /not valid JSON/],
  ['no inputs', {}, /inputs/],
  ['another datatype', shape({ datatype: 'FP64' }), /FP64, expected FP32/],
  ['another rank', shape({ shape: [18] }), /expected \[-1,-1\]/],
  ['another count', shape({ shape: [2, 8] }), /18 values, its shape \[2,8\] holds 16/],
  ['a huge shape', shape({ shape: [1e9, 1e9] }), /holds/],
  ['words', shape({ shape: [1, 2], data: [1, 'b'] }), /"b" is not a value of FP32/],
  ['null', shape({ shape: [1, 2], data: [1, null] }), /null/],
  ['nothing observed', shape({ shape: [0, 0], data: [] }), /no value/],
  ['an unknown input', extra({ ...HORIZON, name: 'colour' }), /unknown input 'colour'/],
  ['an input twice', extra(HORIZON, HORIZON), /twice/],
  ['no context', { inputs: [HORIZON] }, /'context' is missing/],
  ['horizon 0', extra({ ...HORIZON, data: [0] }), /horizon is 0/],
  ['a broken number', extra({ ...HORIZON, data: [1.5] }), /1.5 is not a value of INT32/],
  [
    'a level beyond 1',
    extra({ name: 'quantile_levels', shape: [1], datatype: 'FP32', data: [1.5] }),
    /\(0, 1\)/,
  ],
  ['0 for false', extra({ name: 'mask', shape: [1, 1], datatype: 'BOOL', data: [0] }), /BOOL/],
  [
    'another mask',
    extra({ name: 'mask', shape: [1, 1], datatype: 'BOOL', data: [true] }),
    /mask has shape/,
  ],
  ['an unknown output', { ...extra(), outputs: [{ name: 'colour' }] }, /unknown output 'colour'/],
  [
    'lists without end',
    `{"inputs":[{"name":"context","shape":[1,1],"datatype":"FP32","data":${'['.repeat(50_000)}1${']'.repeat(50_000)}}]}`,
    /a list is not a value of FP32/,
  ],
  [
    'an input in shared memory',
    shape({ data: undefined, parameters: { shared_memory_region: 'r' } }),
    /shared memory is not offered/,
  ],
  [
    'an output in shared memory',
    { ...extra(), outputs: [{ name: 'mean', parameters: { shared_memory_region: 'r' } }] },
    /shared memory is not offered/,
  ],
  [
    'classes',
    { ...extra(), outputs: [{ name: 'mean', parameters: { classification: 3 } }] },
    /classification is not offered/,
  ],
  ['data twice', shape({ parameters: { binary_data_size: 72 } }), /both data and binary_data_size/],
  [
    'bytes that are not there',
    shape({ data: undefined, parameters: { binary_data_size: 72 } }),
    /72 more bytes expected/,
  ],
])('refused: %s', async (_, request, message) => {
  expect((await inferJson(request, {}, 400)).error).toMatch(message);
});

test('bytes that nobody announced, and a header outside of the body', async () => {
  const bytes = new Uint8Array(3);
  expect((await inferJson(extra(), { bytes }, 400)).error).toMatch(/3 bytes follow/);
  const headers = { 'inference-header-content-length': '100000' };
  expect((await inferJson(extra(), { headers }, 400)).error).toMatch(/not within the body/);
  expect((await inferJson(extra(), { model: 'nope' }, 404)).error).toMatch(/'nope'/);
});

test('a timeout longer than any timer is none, and what is not offered is told in its words', async () => {
  await inferJson({ ...extra(), parameters: { timeout: 1e18 } });
  for (const path of [
    '/v2/',
    '/v2/trace/setting',
    '/v2/systemsharedmemory/status',
    '/v2/logging',
  ]) {
    const { status, body } = await at.call('GET', path);
    expect([path, status, Object.keys(body as object)]).toEqual([path, 404, ['error']]);
  }
});

test('compression both ways, and none that is not known', async () => {
  const request = JSON.stringify(extra());
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(request)],
    ['deflate', deflateSync(request)],
  ] as const) {
    const headers = { 'content-encoding': encoding };
    expect((await inferJson('', { headers, bytes }, 400)).error).toBeDefined();
    const sent = await fetch(`${at.url}/v2/models/naive/infer`, {
      method: 'POST',
      headers: { ...headers, 'accept-encoding': 'gzip' },
      body: bytes,
    });
    expect(sent.status).toBe(200);
    expect(sent.headers.get('content-encoding')).toBe('gzip');
    expect(await sent.json()).toHaveProperty('outputs');
  }
  const headers = { 'content-encoding': 'br' };
  expect((await inferJson(extra(), { headers }, 415)).error).toMatch(/'br' is not supported/);
  expect(gunzipSync(gzipSync(request)).toString()).toBe(request);
});

const stateOf = async (name: string): Promise<string> => {
  const { body } = await at.call('POST', '/v2/repository/index');
  return (body as { name: string; state: string }[]).find((one) => one.name === name)!.state;
};

test('a model that was unloaded stays away until it is loaded', async () => {
  expect(await stateOf('drift')).toBe('READY');
  expect((await at.call('POST', '/v2/repository/models/drift/load')).status).toBe(200);
  expect((await at.call('POST', '/v2/repository/models/drift/unload', {})).status).toBe(200);
  expect((await at.call('GET', '/v2/models/drift/ready')).status).toBe(503);
  while ((await stateOf('drift')) === 'UNLOADING') await new Promise(setImmediate);
  expect(await stateOf('drift')).toBe('UNAVAILABLE');
  expect((await inferJson(extra(), { model: 'drift' }, 503)).error).toMatch(/unloaded/);
  const { body } = await at.call('POST', '/v2/repository/index', { ready: true });
  expect((body as { name: string }[]).some(({ name }) => name === 'drift')).toBe(false);
  expect((await at.call('POST', '/v2/repository/models/drift/load', {})).status).toBe(200);
  expect((await inferJson(extra(), { model: 'drift' })).outputs).toHaveLength(3);
  const override = { parameters: { config: '{}' } };
  expect((await at.call('POST', '/v2/repository/models/drift/load', override)).status).toBe(400);
  for (const verb of ['load', 'unload']) {
    expect((await at.call('POST', `/v2/repository/models/nope/${verb}`)).status).toBe(404);
  }
  expect((await at.call('GET', '/v2/repository/index')).status).toBe(405);
});

test('what was done is counted, split as Triton splits it', async () => {
  await inferJson(extra(), { model: 'ewma' });
  await inferJson({ inputs: [HORIZON] }, { model: 'ewma' }, 400);
  const { body } = await at.call('GET', '/v2/models/ewma/stats');
  const [stats] = (body as { model_stats: Record<string, unknown>[] }).model_stats;
  expect(stats).toMatchObject({
    name: 'ewma',
    inference_count: 1,
    inference_stats: { success: { count: 1 }, fail: { count: 1 }, compute_infer: { count: 1 } },
  });
  const metrics = await (await fetch(`${at.url}/metrics`)).text();
  for (const phase of ['queue', 'compute_input', 'compute_infer', 'compute_output']) {
    expect(metrics).toMatch(
      new RegExp(`nv_inference_${phase}_duration_us{model="ewma",version="1"} `),
    );
  }
});

test("KServe's time series", async () => {
  const input = { name: 'a', frequency: 'M', start_timestamp: '2024-01-31T00:00:00' };
  const one = { ...input, type: 'univariate_time_series', series: [1, 2, null, 4] };
  const series = [
    [1, 10],
    [2, 20],
    [3, 30],
  ];
  const two = { ...input, name: 'b', type: 'multivariate_time_series', frequency: 'hour', series };
  const options = { horizon: 2, quantiles: [0.9, 0.1] };
  const request = { model: 'naive', inputs: [one, two], options, metadata: { any: 1 } };
  const { status, body } = await at.call('POST', '/v1/timeseries/forecast', request);
  expect(status).toBe(200);
  const { outputs, usage } = body as {
    outputs: { status: string; content: Record<string, unknown>[] }[];
    usage: unknown;
  };
  expect(outputs[0]).toMatchObject({ status: 'completed' });
  expect(outputs[0]!.content[0]).toMatchObject({
    mean_forecast: [4, 4],
    start_timestamp: '2024-05-31T00:00:00',
    quantiles: { 0.1: expect.any(Array), 0.9: expect.any(Array) },
  });
  expect(outputs[0]!.content[1]).toMatchObject({
    mean_forecast: [
      [3, 30],
      [3, 30],
    ],
    start_timestamp: '2024-01-31T03:00:00',
  });
  expect(usage).toEqual({ prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 });
  expect((await at.call('GET', '/v1/timeseries/models')).body).toContain('naive');
  const wrong = await at.call('POST', '/v1/timeseries/forecast', { ...request, model: 'nope' });
  expect(wrong).toMatchObject({ status: 404, body: { error: { code: 'MODEL_NOT_FOUND' } } });
});

test('a request that runs out of its time is 503, as Triton tells it, and is not to be repeated', async () => {
  // The model's runner is not started yet: that takes longer than a microsecond.
  expect((await at.call('POST', '/api/pull', { model: 'mock', stream: false })).status).toBe(200);
  const late = { ...extra(), parameters: { timeout: 1 } };
  const { response, bytes } = await infer(late, { model: 'mock' });
  expect([response.status, JSON.parse(bytes.toString())]).toEqual([
    503,
    { error: expect.stringMatching(/'mock' did not answer in the request's timeout/) },
  ]);
  expect(response.headers.get('retry-after')).toBeNull();
});

test.each(['timeout', 'priority'])('%s counts', async (name) => {
  await inferJson({ ...extra(), parameters: { [name]: 0 } });
  for (const value of [-1, 1.5, 'soon']) {
    const { error } = await inferJson({ ...extra(), parameters: { [name]: value } }, {}, 400);
    expect(error).toMatch(`parameter '${name}' is ${JSON.stringify(value)}`);
  }
});

test('among requests that wait, the smaller priority is answered first', async () => {
  await using narrow = await startTestDaemon({ TOLLAMA_NUM_PARALLEL: '1' });
  const answered: unknown[] = [];
  const ask = async (id: string, priority?: number): Promise<void> => {
    const body = { id, ...extra(), ...(priority && { parameters: { priority } }) };
    answered.push((await narrow.call('POST', '/v2/models/naive/infer', body)).body);
  };
  const arrived = async (count: number): Promise<void> => {
    for (;;) {
      const metrics = await (await fetch(`${narrow.url}/metrics`)).text();
      const found = metrics.matchAll(/^tollama_queue_(?:working|waiting){.*} (\d+)$/gm);
      if ([...found].reduce((sum, [, queued]) => sum + Number(queued), 0) >= count) return;
      await new Promise(setImmediate);
    }
  };
  // The first has the only place until its runner is there; the others wait.
  const asked = [ask('first')];
  for (const [i, priority] of [undefined, 20, 3, 1].entries()) {
    await arrived(i + 1);
    asked.push(ask(String(priority), priority));
  }
  await Promise.all(asked);
  const ids = answered.map((answer) => (answer as { id: string }).id);
  expect(ids).toEqual(['first', '1', '3', 'undefined', '20']);
});
