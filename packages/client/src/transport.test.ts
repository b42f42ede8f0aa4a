import { TollamaError } from '@tollama/core/errors';
import { describe, expect, test } from 'vitest';
import { TollamaClient } from './client.ts';

type Reply = () => Response | Promise<Response>;

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Response.json(body, { status, headers });
const busy =
  (seconds = '1'): Reply =>
  () =>
    json(503, { detail: 'busy', hint: 'later' }, { 'retry-after': seconds });
const down: Reply = () => Promise.reject(new TypeError('fetch failed'));

/** A client that gets the replies in turn, and what it did. */
const against = (replies: readonly Reply[], retries?: number) => {
  const waits: number[] = [];
  const requests: RequestInit[] = [];
  const client = new TollamaClient({
    apiKey: 'key',
    ...(retries !== undefined && { retries }),
    fetch: async (_, init) => {
      const reply = replies[requests.length];
      requests.push(init!);
      return reply!();
    },
    wait: async (milliseconds) => {
      waits.push(milliseconds);
    },
  });
  return { client, waits, requests };
};

const version: Reply = () => json(200, { version: '1' });
const body = { model: 'mock', horizon: 1, series: [] };

const thrownBy = (work: Promise<unknown>): Promise<TollamaError> =>
  work.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(TollamaError);
      return error as TollamaError;
    },
  );

describe('another try', () => {
  test('reads are repeated when nobody answers, later each time', async () => {
    const { client, waits } = against([down, down, version]);
    expect(await client.version()).toBe('1');
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(100);
    expect(waits[0]).toBeLessThanOrEqual(200);
    expect(waits[1]).toBeGreaterThanOrEqual(200);
    expect(waits[1]).toBeLessThanOrEqual(400);
  });

  test('not for ever', async () => {
    const { client, requests } = against([down, down, down]);
    expect((await thrownBy(client.version())).code).toBe('DAEMON_UNREACHABLE');
    expect(requests).toHaveLength(3);
  });

  test('a busy daemon says when', async () => {
    const { client, waits, requests } = against([busy('2'), busy('0'), () => json(200, {})]);
    await client.forecast(body);
    expect(waits).toEqual([2000, 0]);
    expect(requests.map(({ body: sent }) => sent)).toEqual(Array(3).fill(JSON.stringify(body)));
  });

  test('what may have been done is not done twice', async () => {
    const { client, requests } = against([down]);
    expect((await thrownBy(client.forecast(body))).code).toBe('DAEMON_UNREACHABLE');
    expect(requests).toHaveLength(1);
  });

  test.each([
    ['a 503 without Retry-After', () => json(503, { detail: 'timed out' })],
    ['one that comes back in an hour', busy('3600')],
    ['a 500', () => json(500, { detail: 'x' }, { 'retry-after': '1' })],
    ['a 404', () => json(404, { detail: "model 'x' is not installed" })],
  ] as const)('%s is final', async (_, reply) => {
    const { client, requests } = against([reply]);
    await thrownBy(client.version());
    expect(requests).toHaveLength(1);
  });

  test('none are made where none are wanted', async () => {
    const { client, requests } = against([busy()], 0);
    await thrownBy(client.version());
    expect(requests).toHaveLength(1);
    const other = against([down]);
    expect(await other.client.isHealthy()).toBe(false);
    expect(other.requests).toHaveLength(1);
  });

  test('an abort ends the wait', async () => {
    const stop = new AbortController();
    const client = new TollamaClient({ fetch: async () => busy('30')() });
    const asking = client.forecast(body, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });
});

test.each([
  [
    400,
    { detail: [{ loc: ['body', 'horizon'], msg: 'must be > 0', input: 0 }] },
    'INVALID_REQUEST',
  ],
  [400, { detail: { code: 'MODEL_UNSUPPORTED', message: 'no' } }, 'MODEL_UNSUPPORTED'],
  [401, { detail: 'missing bearer token' }, 'UNAUTHORIZED'],
  [404, { detail: "model 'x' is not installed" }, 'MODEL_NOT_FOUND'],
  [404, { detail: "modelfile 'x' not found" }, 'NOT_FOUND'],
  [405, { detail: 'Method Not Allowed' }, 'METHOD_NOT_ALLOWED'],
  [409, { detail: "model 'x' requires license acceptance" }, 'LICENSE_REQUIRED'],
  [409, { detail: "model 'x' exists already" }, 'MODEL_EXISTS'],
  [413, { detail: 'too large' }, 'BODY_TOO_LARGE'],
  [429, { detail: 'slow down' }, 'RATE_LIMITED'],
  [502, { detail: { code: 'FORECAST_ERROR', message: 'bad' } }, 'RUNNER_ERROR'],
  [503, { detail: 'gone', hint: 'later' }, 'RUNNER_UNAVAILABLE'],
  [500, 'no JSON', 'INTERNAL'],
])('%i %j is %s', async (status, answer, code) => {
  const reply =
    typeof answer === 'string' ? new Response(answer, { status }) : json(status, answer);
  const error = await thrownBy(against([() => reply]).client.version());
  expect(error.code).toBe(code);
  expect(error.message).toContain(`(HTTP ${status})`);
  expect(error.data).toMatchObject({ status });
  if (status === 503) expect(error.hint).toBe('later');
  if (Array.isArray((answer as { detail: unknown }).detail)) {
    expect(error.message).toContain('horizon: must be > 0 (got 0)');
  }
});

test('a file goes as a form, everything else as JSON, the key with both', async () => {
  const { client, requests } = against([() => json(200, {}), () => json(200, {})]);
  const file = new Blob(['ds,y\n1,2']);
  await client.forecastFile(file, { model: 'auto', horizon: 2 }, { name: 'a.csv', freq: 'D' });
  await client.validate(body);
  const form = requests[0]!.body as FormData;
  expect(Object.fromEntries(form)).toMatchObject({
    freq: 'D',
    payload: '{"model":"auto","horizon":2}',
  });
  expect((form.get('file') as File).name).toBe('a.csv');
  expect(requests.map(({ headers }) => headers)).toEqual([
    { authorization: 'Bearer key' },
    { authorization: 'Bearer key', 'content-type': 'application/json' },
  ]);
});

test('a silent daemon is given up', async () => {
  const client = new TollamaClient({
    timeoutMs: 1,
    fetch: (_, init) =>
      new Promise((__, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error));
      }),
  });
  const error = await thrownBy(client.version());
  expect(error).toMatchObject({ code: 'TIMEOUT' });
  expect(error.message).toContain('within 0.001 s');
});

test('an error within a stream is thrown with its code', async () => {
  const lines =
    (line: unknown): Reply =>
    () =>
      new Response(`{"status":"a"}\n${JSON.stringify(line)}\n`);
  const { client } = against([
    lines({ error: { message: 'disk full', hint: 'make room' } }),
    lines({ error: { detail: 'no', status: 503 } }),
  ]);
  const read = async (stream: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of stream);
  };
  expect(await thrownBy(read(client.pull({ model: 'x' })))).toMatchObject({
    code: 'PULL_FAILED',
    message: 'disk full',
    hint: 'make room',
  });
  expect(await thrownBy(read(client.forecastStream(body)))).toMatchObject({
    code: 'RUNNER_UNAVAILABLE',
  });
});
