import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  exampleSeries,
  readLines,
  startTestDaemon,
  type TestDaemon,
} from './testing/test-daemon.ts';

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

describe('system', () => {
  test('health and version', async () => {
    expect(await at.call('GET', '/v1/health')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await at.call('GET', '/api/version')).toEqual({
      status: 200,
      body: { version: '0.1.0' },
    });
  });

  test('a float is no integer, however whole', async () => {
    const text = JSON.stringify(exampleBody()).replace(/"horizon":(\d+)/, '"horizon":$1.0');
    const headers = { 'content-type': 'application/json' };
    const send = (path: string) =>
      fetch(`${at.url}${path}`, { method: 'POST', headers, body: text });
    const refused = await send('/v1/forecast');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      detail: [{ type: 'int_type', loc: ['body', 'horizon'] }],
    });
    const checked = await send('/api/validate');
    expect(checked.status).toBe(200);
    expect(await checked.json()).toMatchObject({ valid: false });
  });

  test('an unknown path is 404, a wrong method 405 with what is allowed', async () => {
    expect(await at.call('GET', '/no/such/path')).toEqual({
      status: 404,
      body: { detail: 'Not Found' },
    });
    const wrong = await fetch(`${at.url}/v1/forecast`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await wrong.json()).toEqual({ detail: 'Method Not Allowed' });
  });
});

describe('models', () => {
  test('lists, shows and removes an installed model', async () => {
    const { body: tags } = await at.call('GET', '/api/tags');
    expect(tags).toMatchObject({
      models: [{ name: 'mock', size: 0, details: { family: 'mock' } }],
    });
    const { body: shown } = await at.call('POST', '/api/show', { model: 'mock' });
    expect(shown).toMatchObject({
      family: 'mock',
      resolved: { commit_sha: 'local' },
      license: { accepted: true },
    });
    expect(await at.call('DELETE', '/api/delete', { model: 'mock' })).toEqual({
      status: 200,
      body: { deleted: true, model: 'mock' },
    });
    expect(await at.call('DELETE', '/api/delete', { model: 'mock' })).toMatchObject({
      status: 404,
    });
    await at.call('POST', '/v1/models/pull', { name: 'mock', accept_license: false });
  });

  test('pull streams its statuses, and tells of a model that is there', async () => {
    await at.call('DELETE', '/v1/models/mock');
    const first = await readLines(await post('/api/pull', { model: 'mock' }));
    expect(first).toEqual([
      { status: 'pulling manifest' },
      { status: 'resolving digest', digest: 'local' },
      { status: 'success', model: 'mock', digest: 'local', size: 0 },
    ]);
    const again = await readLines(await post('/api/pull', { model: 'mock' }));
    expect(again.map(({ status }) => status)).toEqual(['already present', 'success']);
  });

  test('a licence that must be accepted', async () => {
    const refused = await at.call('POST', '/api/pull', { model: 'moirai-2.0-R-small' });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchInlineSnapshot(`
      {
        "detail": "model 'moirai-2.0-R-small' requires license acceptance; cc-by-nc-4.0: CC BY-NC 4.0: no commercial use; https://creativecommons.org/licenses/by-nc/4.0/",
        "hint": "read the licence, then repeat with --accept-license (accept_license: true)",
      }
    `);
  });

  test('an unknown model is named, with the closest known one', async () => {
    expect(await at.call('POST', '/api/pull', { model: 'chronos-bolt-smal' })).toEqual({
      status: 404,
      body: {
        detail: "model 'chronos-bolt-smal' is not defined in the registry",
        hint: "did you mean 'chronos-bolt-small'?",
      },
    });
  });
});

describe('forecasts', () => {
  test('the mock repeats the last value; quantiles by default', async () => {
    const { status, body } = await at.call('POST', '/v1/forecast', exampleBody());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      model: 'mock',
      forecasts: [
        {
          id: 's',
          freq: 'D',
          start_timestamp: '2024-01-06',
          mean: [5, 5, 5],
          quantiles: { '0.1': [5, 5, 5], '0.5': [5, 5, 5], '0.9': [5, 5, 5] },
        },
      ],
      usage: { runner: 'tollama-mock', device: 'cpu' },
      warnings: null,
    });
  });

  test('a classical model works with nothing installed and says what it did', async () => {
    const { body } = await at.call('POST', '/v1/forecast', exampleBody({ model: 'auto' }));
    const [forecast] = (body as { forecasts: { explanation: { chosen: string; why: string } }[] })
      .forecasts;
    expect(forecast!.explanation.chosen).toBeTypeOf('string');
    expect(forecast!.explanation.why).toBeTypeOf('string');
  });

  test('streams lines, the last of which is the response', async () => {
    const lines = await readLines(await post('/api/forecast', exampleBody()));
    expect(lines.map(({ status, done }) => status ?? done)).toEqual([
      'loading model',
      'running forecast',
      true,
    ]);
    expect(lines.at(-1)).toMatchObject({ response: { forecasts: [{ mean: [5, 5, 5] }] } });
  });

  test('what can be refused is refused before a stream starts', async () => {
    const response = await post('/api/forecast', exampleBody({ model: 'nope' }));
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      detail: "model 'nope' is not installed",
      hint: 'tollama pull nope',
    });
  });

  test('concurrent requests get their own answers', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        at.call(
          'POST',
          '/v1/forecast',
          exampleBody({ horizon: 1 + (i % 7), series: [exampleSeries(`s${i}`, 3 + (i % 5))] }),
        ),
      ),
    );
    answers.forEach(({ body }, i) => {
      const expected = { id: `s${i}`, mean: new Array(1 + (i % 7)).fill(3 + (i % 5)) };
      expect(body).toMatchObject({ forecasts: [expected] });
    });
  });

  test('keep_alive 0 frees the model, a negative one keeps it', async () => {
    const loaded = async () =>
      (
        (await at.call('GET', '/api/ps')).body as {
          models: { name: string; expires_at: string | null }[];
        }
      ).models;
    await at.call('POST', '/v1/forecast', exampleBody({ keep_alive: -1 }));
    expect((await loaded()).find(({ name }) => name === 'mock')?.expires_at).toBeNull();
    await at.call('POST', '/v1/forecast', exampleBody({ keep_alive: 0 }));
    expect((await loaded()).map(({ name }) => name)).not.toContain('mock');
  });
});

describe('bad requests', () => {
  const bad: [string, unknown, string][] = [
    ['horizon zero', exampleBody({ horizon: 0 }), 'horizon'],
    ['horizon text', exampleBody({ horizon: '3' }), 'horizon'],
    ['horizon huge', exampleBody({ horizon: 1e20 }), 'horizon'],
    ['unknown field', exampleBody({ bogus: 1 }), 'bogus'],
    ['no series', exampleBody({ series: [] }), 'series'],
    ['lengths differ', exampleBody({ series: [{ ...exampleSeries(), target: [1] }] }), 'target'],
    ['id twice', exampleBody({ series: [exampleSeries('a'), exampleSeries('a')] }), "'a'"],
    ['quantiles unsorted', exampleBody({ quantiles: [0.9, 0.1] }), 'quantiles'],
    ['quantile one', exampleBody({ quantiles: [1] }), 'quantiles'],
    ['keep_alive', exampleBody({ keep_alive: 'banana' }), 'banana'],
    [
      'freq unknown',
      exampleBody({ series: [{ ...exampleSeries(), freq: 'fortnight' }] }),
      'fortnight',
    ],
    [
      'future without past',
      exampleBody({ series: [{ ...exampleSeries(), future_covariates: { p: [1, 2, 3] } }] }),
      "'p'",
    ],
    ['precision unknown', exampleBody({ options: { precision: 'int2' } }), 'int2'],
  ];

  test.each(bad)('%s', async (_, body, named) => {
    const answer = await at.call('POST', '/v1/forecast', body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(named);
    expect((answer.body as { hint: string }).hint).toBeTypeOf('string');
  });

  test.each(['{bad', '', 'null', '[]', '{"horizon": NaN}'])('malformed JSON %j', async (raw) => {
    const response = await fetch(`${at.url}/v1/forecast`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: raw,
    });
    expect(response.status).toBe(400);
  });

  test('a body of another type, and one that is too large even in chunks', async () => {
    const text = await fetch(`${at.url}/v1/forecast`, { method: 'POST', body: '{}' });
    expect(text.status).toBe(400);
    const chunk = new Uint8Array(1024 * 1024).fill(32);
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 12; i++) controller.enqueue(chunk);
        controller.close();
      },
    });
    const large = await fetch(`${at.url}/v1/forecast`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(large.status).toBe(413);
  });

  test('covariates that a model cannot use: dropped with a warning, or refused in strict mode', async () => {
    const series = [{ ...exampleSeries(), past_covariates: { price: [1, 2, 3, 4, 5] } }];
    const { body } = await at.call('POST', '/v1/forecast', exampleBody({ series }));
    expect((body as { warnings: string[] }).warnings).toEqual([
      "ignoring unsupported covariate: model 'mock' (family=mock) does not support past-only numeric covariates; series='s' covariate='price'",
    ]);
    const strict = exampleBody({ series, parameters: { covariates_mode: 'strict' } });
    expect(await at.call('POST', '/v1/forecast', strict)).toMatchObject({ status: 400 });
  });
});
