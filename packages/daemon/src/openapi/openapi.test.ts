import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';
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
  const known = openApiDocument() as {
    paths: Record<string, Record<string, { operationId: string }>>;
    components: { schemas: Record<string, unknown> };
  };
  const names = new Set(Object.keys(known.components.schemas));
  const references = [...JSON.stringify(known).matchAll(/"\$ref":"([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(50);
  for (const [, reference] of references) {
    expect(reference).toMatch(/^#\/components\/schemas\//);
    expect(names).toContain(reference!.split('/').at(-1));
  }
  const ids = Object.values(known.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(known.paths)).toContain(templateOf('/v1/models/:name'));
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

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Readonly<Record<string, unknown>>;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content }>
  >;
  readonly security?: unknown;
}
type Content = Readonly<Record<string, { readonly schema: object; readonly example?: unknown }>>;

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly security: unknown;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = openApiDocument() as unknown as Document;
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('for a code generator', () => {
  test('names are those of functions', () => {
    for (const { operation } of described) {
      expect(operation.operationId).toMatch(/^[a-z][a-zA-Z]+$/);
    }
    expect(document.paths['/v1/forecast']!.post!.operationId).toBe('forecast');
    expect(document.paths['/v1/models']!.get!.operationId).toBe('listModels');
    for (const name of Object.keys(document.components.schemas)) {
      expect(name).toMatch(/^[A-Z][a-zA-Z0-9]+$/);
    }
  });

  test('each place of a path is a parameter, and no parameter comes twice', () => {
    for (const { path, method, operation } of described) {
      const parameters = operation.parameters ?? [];
      const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const told = parameters.filter((one) => one.in === 'path');
      expect(told.map(({ name }) => name).toSorted(), `${method} ${path}`).toEqual(
        places.toSorted(),
      );
      expect(told.every(({ required }) => required === true)).toBe(true);
      expect(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(
        parameters.length,
      );
      for (const { schema } of parameters) expect(schema).toHaveProperty('type');
    }
  });

  test('every answer that is JSON, lines or events has a named schema', () => {
    for (const { path, method, operation } of described) {
      const { default: other, ...statuses } = operation.responses;
      expect(other, `${method} ${path}`).toBeDefined();
      const success = Object.keys(statuses).filter((status) => status.startsWith('2'));
      expect(success, `${method} ${path}`).toHaveLength(
        path.startsWith('/v2/execute_step') ? 0 : 1,
      );
      for (const [status, { content, description }] of Object.entries(statuses)) {
        expect(status).toMatch(/^[245]\d\d$/);
        expect(description).not.toBe('');
        for (const [type, { schema }] of Object.entries(content ?? {})) {
          const isData = /json|event-stream/.test(type);
          expect(schema, `${method} ${path} ${type}`).toHaveProperty(isData ? '$ref' : 'type');
        }
      }
    }
  });

  test('schemas are schemas, and have names for their objects', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'document');
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect(ajv.validateSchema(schema), name).toBe(true);
      expect(() => ajv.compile({ $ref: `document#/components/schemas/${name}` })).not.toThrow();
    }
  });

  test('examples are of their schemas', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'document');
    const examples = described.flatMap(({ path, method, operation }) => {
      const contents = [operation.requestBody, ...Object.values(operation.responses)];
      return contents.flatMap((one) =>
        Object.values(one?.content ?? {})
          .filter(({ example }) => example !== undefined)
          .map((content) => ({ path, method, ...content })),
      );
    });
    for (const { path, method, schema, example } of examples) {
      const { $ref } = schema as { $ref: string };
      const validate = ajv.compile({ $ref: `document${$ref}` });
      const isRight = validate(example);
      expect(isRight, `${method} ${path} ${JSON.stringify(validate.errors)}`).toBe(true);
    }
    expect(new Set(examples.map(({ path }) => path)).size).toBeGreaterThanOrEqual(10);
  });
});

test('where there are keys each request needs one, but for pages that are left open', async () => {
  expect(document.security).toEqual([{}, { key: [] }]);
  const env = { TOLLAMA_DOCS_PUBLIC: '1', TOLLAMA_DASHBOARD_REQUIRE_AUTH: '1' };
  await using closed = await startTestDaemon(env);
  const served = async () => (await (await fetch(`${closed.url}/openapi.json`)).json()) as Document;
  expect((await served()).security).toEqual([{}, { key: [] }]);
  const config = JSON.stringify({ auth: { api_keys: ['secret'] } });
  await writeFile(join(closed.home, 'config.json'), config);
  await expect.poll(async () => (await served()).security).toEqual([{ key: [] }]);
  const { paths } = await served();
  expect(paths['/docs']!.get!.security).toEqual([]);
  expect(paths['/dashboard']!.get!.security).toBeUndefined();
  expect((await fetch(`${closed.url}/v1/health`)).status).toBe(401);
});
