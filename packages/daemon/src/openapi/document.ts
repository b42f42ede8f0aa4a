/** The OpenAPI 3.1 document of the daemon, out of the schemas that parse its requests. */
import { Forecast } from '@tollama/core/forecast-response';
import { Series } from '@tollama/core/series';
import { VERSION } from '@tollama/core/version';
import { z } from 'zod';
import { type Dialect, dialectOf } from '../http/dialects.ts';
import { type Operation, TAGS } from './operation.ts';
import { OPERATIONS } from './operations.ts';

export type Json = Readonly<Record<string, unknown>>;

const ErrorBody = z.object({
  detail: z
    .union([
      z.string(),
      z.array(z.record(z.string(), z.unknown())),
      z.record(z.string(), z.unknown()),
    ])
    .describe('what was wrong; a list of issues for a body that does not fit its schema'),
  hint: z.string().optional().describe('what to do'),
});

/** The same told to clients of the Open Inference Protocol. */
const InferenceError = z.object({ error: z.string() });

/** ... and to those of KServe's time series. */
const TimeSeriesError = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    param: z.string().nullable(),
    type: z.string(),
  }),
});

const ERROR_OF: Readonly<Record<Dialect, string>> = {
  tollama: 'ErrorBody',
  timegpt: 'ErrorBody',
  'open-inference': 'InferenceError',
  'kserve-time-series': 'TimeSeriesError',
};

const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** All named schemas; those within others are references. */
const components = (): Json => {
  const named = new Map<string, z.ZodType>([
    ['Series', Series],
    ['Forecast', Forecast],
    ['ErrorBody', ErrorBody],
    ['InferenceError', InferenceError],
    ['TimeSeriesError', TimeSeriesError],
  ]);
  for (const { body, form, answer } of OPERATIONS) {
    for (const part of [body, form, answer]) if (part) named.set(part.name, part.schema);
  }
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of named) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
  );
};

const parametersOf = ({ path, query }: Operation): Json[] => [
  ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  })),
  ...Object.entries(query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  })),
];

const requestBodyOf = ({ body, form }: Operation): Json => {
  if (body) {
    return { required: true, content: { 'application/json': { schema: refTo(body.name) } } };
  }
  const file = {
    type: 'object',
    required: ['file'],
    properties: { file: { type: 'string', format: 'binary' } },
  };
  const schema = { allOf: [file, refTo(form!.name)] };
  return { required: true, content: { 'multipart/form-data': { schema } } };
};

const responsesOf = ({ path, answers, answer }: Operation): Json => {
  const types = answers ?? ['application/json'];
  const content = types.map((type) => [
    type,
    type === 'application/json' ? { schema: answer ? refTo(answer.name) : { type: 'object' } } : {},
  ]);
  return {
    200: { description: 'The answer', content: Object.fromEntries(content) },
    default: {
      description: 'What went wrong',
      content: {
        'application/json': { schema: refTo(ERROR_OF[dialectOf(path)]) },
        // A page that cannot be shown is told on a page.
        ...(types.includes('text/html') && { 'text/html': {} }),
      },
    },
  };
};

/** `/v1/models/:name` as OpenAPI writes it. */
export const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

const operationId = ({ method, path }: Operation): string =>
  [method, ...path.split(/[^a-zA-Z0-9]+/).filter(Boolean)].join('_');

const describe = (operation: Operation): Json => {
  const parameters = parametersOf(operation);
  return {
    operationId: operationId(operation),
    tags: [operation.tag],
    summary: operation.summary,
    ...(parameters.length > 0 && { parameters }),
    ...((operation.body || operation.form) && { requestBody: requestBodyOf(operation) }),
    responses: responsesOf(operation),
  };
};

const paths = (): Json => {
  const all: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const template = templateOf(operation.path);
    all[template] = { ...all[template], [operation.method]: describe(operation) };
  }
  return all;
};

/** Made anew at each call; who serves it keeps it. */
export const openApiDocument = (): Json => ({
  openapi: '3.1.0',
  info: {
    title: 'tollama',
    version: VERSION,
    description: 'Forecasts by time-series foundation models, on this machine.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  security: [{}, { key: [] }],
  paths: paths(),
  components: {
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    schemas: components(),
  },
});
