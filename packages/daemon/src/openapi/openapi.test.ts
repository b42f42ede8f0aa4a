import { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { exampleBody, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';
import { openApiDocument, templateOf } from './document.ts';
import { OPERATIONS } from './operations/all.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
});
afterAll(() => at[Symbol.asyncDispose]());

/** Without the pattern of a parameter and without a slash at the end. */
const plain = (path: string): string => path.replace(/\{[^}]*\}/g, '').replace(/(.)\/$/, '$1');

test('every route is described, and every description has its route', () => {
  const routed = createApp(at.daemon.context)
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${plain(path)}`);
  const described = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect([...new Set(routed)].toSorted()).toEqual(described.toSorted());
});

test('references lead somewhere, ids are unique', () => {
  const document = openApiDocument() as {
    paths: Record<string, Record<string, { operationId: string }>>;
    components: { schemas: Record<string, unknown> };
  };
  const names = new Set(Object.keys(document.components.schemas));
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(50);
  for (const [, reference] of references) {
    expect(reference).toMatch(/^#\/components\/schemas\//);
    expect(names).toContain(reference!.split('/').at(-1));
  }
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(document.paths)).toContain(templateOf('/v1/models/:name'));
});

test('the schemas are those that parse', async () => {
  const { body } = await at.call('GET', '/openapi.json');
  expect(body).toMatchObject({
    openapi: '3.1.0',
    components: {
      schemas: {
        CompareRequest: {
          required: ['models', 'horizon', 'series'],
          additionalProperties: false,
          properties: {
            models: { type: 'array', minItems: 2 },
            series: { items: { $ref: '#/components/schemas/Series' } },
          },
        },
      },
    },
  });
});

test('the page stands alone', async () => {
  const page = await fetch(`${at.url}/docs`);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  const html = await page.text();
  for (const { path } of OPERATIONS) expect(html).toContain(`<code>${path}</code>`);
  expect(html).not.toMatch(/<script|<link|https?:\/\//);
  const anchors = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target);
});

describe('what is answered fits what is described', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(openApiDocument(), 'document');

  const fits = async (method: string, path: string, template: string, sent?: unknown) => {
    const { status, body } = await at.call(method, path, sent);
    const place = template.replaceAll('~', '~0').replaceAll('/', '~1');
    const kind = `${method.toLowerCase()}/responses/${status === 200 ? '200' : 'default'}`;
    const reference = `document#/paths/${place}/${kind}/content/application~1json/schema`;
    const validate = ajv.compile({ $ref: reference });
    expect(validate(body), JSON.stringify([body, validate.errors])).toBe(true);
    return status;
  };

  test.each([
    [200, 'POST', '/v2/repository/index', '/v2/repository/index', {}],
    [200, 'GET', '/v1/timeseries/models', '/v1/timeseries/models', undefined],
    [200, 'POST', '/v1/forecast', '/v1/forecast', exampleBody({ model: 'naive' })],
    [400, 'POST', '/v1/forecast', '/v1/forecast', { horizon: 'x' }],
    [400, 'POST', '/v2/models/auto/infer', '/v2/models/{name}/infer', {}],
    [400, 'POST', '/v2/repository/models/auto/load', '/v2/repository/models/{name}/load', []],
    [400, 'POST', '/v1/timeseries/forecast', '/v1/timeseries/forecast', {}],
    [422, 'POST', '/v2/forecast', '/v2/forecast', {}],
    [404, 'POST', '/api/show', '/api/show', { model: 'nope' }],
  ])('%d %s %s', async (status, method, path, template, sent) => {
    expect(await fits(method, path, template, sent)).toBe(status);
  });
});
