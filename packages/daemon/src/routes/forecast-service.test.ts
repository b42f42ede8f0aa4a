import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  exampleSeries,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: 'mock', stream: false });
});
afterAll(() => at[Symbol.asyncDispose]());

const post = (path: string, body: unknown) =>
  fetch(`${at.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** [event, data] of each record. */
const eventsOf = (text: string): [string, Record<string, unknown>][] =>
  text
    .split('\n\n')
    .filter((record) => record.includes('event: '))
    .map((record) => [
      /^event: (.*)$/m.exec(record)![1]!,
      JSON.parse(/^data: (.*)$/m.exec(record)![1]!) as Record<string, unknown>,
    ]);

describe('validate', () => {
  const validate = async (body: unknown) =>
    (await at.call('POST', '/api/validate', body)).body as {
      valid: boolean;
      errors: string[];
      warnings: string[];
      suggestions: string[];
    };

  test('any JSON value has an answer', async () => {
    expect(await validate(exampleBody())).toEqual({
      valid: true,
      errors: [],
      warnings: [],
      suggestions: [],
    });
    for (const body of [[1], 'x', null, 3, {}]) {
      const { valid, errors } = await validate(body);
      expect(valid).toBe(false);
      expect(errors.length).toBeGreaterThan(0);
    }
  });

  test.each([
    [exampleBody({ horizon: -1 }), 'horizon'],
    [exampleBody({ keep_alive: 'banana' }), 'keep_alive'],
    [exampleBody({ modelfile: 'nope' }), "modelfile 'nope'"],
    [exampleBody({ series: undefined, data_url: '/no/such/file.csv' }), 'there is no such file'],
    [exampleBody({ series: undefined, data_url: 'https://example.invalid/x.csv' }), 'not allowed'],
    [exampleBody({ stream: 'yes' }), 'stream'],
  ])('%j names what is wrong', async (body, named) => {
    const { valid, errors } = await validate(body);
    expect(valid).toBe(false);
    expect(errors.join()).toContain(named);
  });

  test('a model that is not there is a warning, limits are suggestions', async () => {
    const missing = await validate(exampleBody({ model: 'nope', stream: false }));
    expect(missing).toMatchObject({ valid: true, suggestions: ['tollama pull nope'] });
    const far = await validate(exampleBody({ model: 'granite-ttm-r2', horizon: 200 }));
    expect(far.suggestions.join()).toContain('beyond the 96 steps');
  });
});

describe('modelfiles', () => {
  test('are kept as YAML, listed, used and deleted', async () => {
    const profile = { model: 'mock', horizon: 2, quantiles: [0.25, 0.75] };
    const { status, body } = await at.call('POST', '/api/modelfiles', { name: 'p', profile });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'p', profile: { ...profile, enabled: true } });
    const content = 'model: mock\nhorizon: 1\nenabled: false\n';
    await at.call('POST', '/api/modelfiles', { name: 'q', content });
    const { body: list } = await at.call('GET', '/api/modelfiles');
    expect((list as { modelfiles: { name: string }[] }).modelfiles.map(({ name }) => name)).toEqual(
      ['p', 'q'],
    );
    expect((await at.call('GET', '/api/modelfiles/p')).body).toMatchObject({ profile });
    const used = await at.call('POST', '/v1/forecast', {
      modelfile: 'p',
      series: [exampleSeries()],
    });
    expect(used.body).toMatchObject({
      model: 'mock',
      forecasts: [{ mean: [5, 5], quantiles: { '0.25': [5, 5], '0.75': [5, 5] } }],
    });
    const off = await at.call('POST', '/v1/forecast', exampleBody({ modelfile: 'q' }));
    expect(off).toMatchObject({ status: 400, body: { detail: "modelfile 'q' is switched off" } });
    expect((await at.call('DELETE', '/api/modelfiles/p')).body).toEqual({
      deleted: true,
      name: 'p',
    });
    expect((await at.call('GET', '/api/modelfiles/p')).status).toBe(404);
    expect((await at.call('POST', '/v1/forecast', exampleBody({ modelfile: 'p' }))).status).toBe(
      404,
    );
  });

  test.each([
    [{ name: '../x', profile: { model: 'mock' } }],
    [{ name: 'x' }],
    [{ name: 'x', profile: { model: 'mock' }, content: 'model: mock' }],
    [{ name: 'x', profile: { model: 'mock', quantiles: [0.9, 0.1] } }],
    [{ name: 'x', content: 'model: [' }],
    [{ name: 'x', content: '- 1' }],
  ])('refuses %j', async (body) => {
    expect((await at.call('POST', '/api/modelfiles', body)).status).toBe(400);
  });
});

describe('usage and events', () => {
  test('counts what was answered, not what failed', async () => {
    const count = async () =>
      ((await at.call('GET', '/api/usage')).body as { summary: Record<string, number> }).summary;
    const before = await count();
    const series = [exampleSeries('a'), exampleSeries('b')];
    await at.call('POST', '/v1/forecast', exampleBody({ series }));
    await at.call('POST', '/v1/forecast', exampleBody({ model: 'nope' }));
    const after = await count();
    expect(after.request_count).toBe(before.request_count! + 1);
    expect(after.series_processed).toBe(before.series_processed! + 2);
  });

  test('a listener hears forecasts and is told when nothing happens', async () => {
    const listening = await fetch(
      `${at.url}/api/events?event=forecast.complete&events=model.selected&max_events=1&heartbeat=0.05`,
    );
    const reader = listening.body!.getReader();
    const decoder = new TextDecoder();
    let text = '';
    const until = async (part: string) => {
      while (!text.includes(part)) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value);
      }
    };
    await until(': keepalive');
    expect(text).toMatch(/^retry: 3000\n\n/);
    await at.call('POST', '/v1/forecast', exampleBody());
    await until('forecast.complete');
    expect(text).toContain('id: ');
    expect(eventsOf(text)[0]).toMatchObject([
      'forecast.complete',
      { event: 'forecast.complete', data: { model: 'mock', series_count: 1, horizon: 3 } },
    ]);
    expect((await reader.read()).done).toBe(true);
  });

  test.each(['heartbeat=0', 'max_events=1.5', 'max_events=x'])('refuses %s', async (query) => {
    expect((await at.call('GET', `/api/events?${query}`)).status).toBe(400);
  });
});

describe('the stream of events of a forecast', () => {
  test('comes in order and ends with the response', async () => {
    const series = [exampleSeries('a'), exampleSeries('b')];
    const response = await post('/api/forecast/stream', exampleBody({ series }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(await response.text());
    expect(events.map(([name]) => name)).toEqual([
      'model_loading',
      'inference_started',
      'series_complete',
      'series_complete',
      'done',
    ]);
    expect(events[4]![1]).toMatchObject({ response: { forecasts: [{ id: 'a' }, { id: 'b' }] } });
  });

  test('an unknown model is a status, what fails later an event', async () => {
    expect((await post('/api/forecast/stream', exampleBody({ model: 'nope' }))).status).toBe(404);
    const bad = await post('/api/forecast/stream', exampleBody({ options: { precision: 'int2' } }));
    const [name, data] = eventsOf(await bad.text()).at(-1)!;
    expect([name, data.code]).toEqual(['error', 400]);
  });
});

describe('data_url', () => {
  const csv =
    'date,series,sales,price\n2024-01-01,a,1,9\n2024-01-02,a,2,8\n2024-01-03,a,,7\n2024-01-05,a,5,6\n';
  const options = (fields: object) => ({
    model: 'naive',
    horizon: 1,
    data_url: join(at.home, 'sales.csv'),
    ingest: { target_column: 'sales', ...fields },
  });
  beforeAll(() => writeFile(join(at.home, 'sales.csv'), csv));

  test('a path or a file address is read, gaps are repaired on demand', async () => {
    const missing = { enabled: true, max_missing_ratio: 0.5 };
    const body = options({ freq: 'D', preprocessing: { missing } });
    const plain = await at.call('POST', '/v1/forecast', {
      ...body,
      data_url: pathToFileURL(body.data_url).href,
    });
    expect(plain.body).toMatchObject({
      forecasts: [{ id: 'a', start_timestamp: '2024-01-06', mean: [5] }],
      preprocessing: { series: [{ id: 'a', imputed_point_count: 2, regularized_row_count: 5 }] },
      warnings: ["series 'a': 2 missing values were filled in by linear"],
    });
  });

  test.each([
    [{ target_column: 'eur' }, "target_column: there is no column 'eur'"],
    [{ freq_column: 'nope' }, "no column 'nope'"],
    [{ covariate_columns: ['weather'] }, "no column 'weather'"],
    [{ preprocessing: { missing: { enabled: true } }, freq: 'D' }, 'max_missing_ratio'],
  ])('%j is refused by name', async (fields, named) => {
    const { status, body } = await at.call('POST', '/v1/forecast', options(fields));
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(named);
  });

  test('other addresses are refused', async () => {
    for (const data_url of [
      'https://example.invalid/x.csv',
      'ftp://x/y.csv',
      'http://',
      '/dev/zero',
    ]) {
      const { status } = await at.call('POST', '/v1/forecast', { ...options({}), data_url });
      expect(status).toBe(400);
    }
  });
});

test('one limit holds for all routes that run models', async () => {
  await using limited = await startTestDaemon({
    TOLLAMA_RATE_LIMIT_PER_MINUTE: '1',
    TOLLAMA_RATE_LIMIT_BURST: '2',
  });
  const body = exampleBody({ model: 'naive' });
  const statuses: number[] = [];
  for (const path of ['/v1/forecast', '/api/forecast/stream', '/api/what-if']) {
    const response = await fetch(`${limited.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.text();
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});
