/** The OpenAPI 3.1 document of the daemon, out of the schemas that parse its requests and name its answers. */
import { VERSION } from '@tollama/core/version';
import { dialectOf } from '../http/dialects.ts';
import { ERROR_OF, errorStatuses } from './errors.ts';
import type { Body, ContentType, Operation, Parameter } from './operation.ts';
import { TAGS } from './operation.ts';
import { OPERATIONS } from './operations/all.ts';
import { answerRef, bodyRef, componentsOf, inlineSchema, type Json } from './schemas.ts';

/** Who is let in, as the daemon is set up. */
export interface Access {
  /** Whether config.json has keys, so that each request needs one. */
  readonly hasKeys: boolean;
  /** Pages that need no key even so. */
  readonly open: readonly NonNullable<Operation['openBy']>[];
}

const EVERYBODY: Access = { hasKeys: false, open: [] };

const PLACES: Readonly<Record<string, string>> = {
  name: 'name of a model, or of a profile',
  id: 'as the list of them tells it',
  job: 'as it was told when the job began',
};

const TEXT = { type: 'string' };

const parameterOf = (name: string, { in: where, description, schema }: Parameter): Json => ({
  name,
  in: where,
  description,
  ...(where === 'path' && { required: true }),
  schema: inlineSchema(schema),
});

const parametersOf = ({ path, parameters = {} }: Operation): Json[] => {
  const places = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const plain = places
    .filter((name) => !Object.hasOwn(parameters, name))
    .map((name) => ({ name, in: 'path', description: PLACES[name], required: true, schema: TEXT }));
  return [...plain, ...Object.entries(parameters).map(([name, one]) => parameterOf(name, one))];
};

const requestBodyOf = ({ schema, example, isOptional, alsoAs = [] }: Body, type: string): Json => ({
  required: !isOptional,
  content: {
    [type]: { schema: bodyRef(schema), ...(example !== undefined && { example }) },
    ...Object.fromEntries(alsoAs.map((other) => [other, { schema: BINARY }])),
  },
});

const BINARY = { type: 'string', format: 'binary' };
const TEXT_TYPES: ReadonlySet<string> = new Set(['text/html', 'text/plain']);

const HOW: Partial<Record<ContentType, string>> = {
  'application/x-ndjson': 'as a stream: one JSON value a line, each of this schema',
  'text/event-stream': 'as server-sent events: the data of each is JSON of this schema',
};

const contentOf = ({ answer, example }: Operation): Json =>
  Object.fromEntries(
    Object.entries(answer).map(([type, schema]) => {
      if (!schema) return [type, { schema: TEXT_TYPES.has(type) ? TEXT : BINARY }];
      const isJson = type === 'application/json';
      return [
        type,
        { schema: answerRef(schema), ...(isJson && example !== undefined && { example }) },
      ];
    }),
  );

const answerOf = (operation: Operation): Json => {
  const types = Object.keys(operation.answer) as ContentType[];
  const how = types.flatMap((type) => HOW[type] ?? []);
  return {
    description: ['The answer', ...how].join('; '),
    ...(types.length > 0 && { content: contentOf(operation) }),
  };
};

const responsesOf = (operation: Operation): Json => {
  const { path, status = 200, otherErrors = {}, openBy } = operation;
  const content = {
    'application/json': { schema: answerRef(ERROR_OF[dialectOf(path)]) },
    // A page that cannot be shown is told on a page.
    ...(openBy === 'dashboard' && { 'text/html': { schema: TEXT } }),
  };
  const told = [...errorStatuses(operation)]
    .filter(([code]) => code !== status)
    .map(([code, names]) => [code, { description: names.join(', '), content }]);
  const others = Object.entries(otherErrors).map(([code, description]) => [
    code,
    { description, content },
  ]);
  return {
    [status]: answerOf(operation),
    ...Object.fromEntries([...told, ...others]),
    default: { description: 'What went wrong', content },
  };
};

/** `/v1/models/:name` as OpenAPI writes it. */
export const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

const KEY = { key: [] };

const describe = (operation: Operation, { open }: Access): Json => {
  const { id, tag, summary, isDeprecated, body, form, openBy } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(isDeprecated && { deprecated: true }),
    ...(openBy && open.includes(openBy) && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBodyOf(body, 'application/json') }),
    ...(form && { requestBody: requestBodyOf(form, 'multipart/form-data') }),
    responses: responsesOf(operation),
  };
};

const pathsFor = (access: Access): Json => {
  const all: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const template = templateOf(operation.path);
    all[template] = { ...all[template], [operation.method]: describe(operation, access) };
  }
  return all;
};

/** Made anew at each call; who serves it keeps it. */
export const openApiDocument = (access: Access = EVERYBODY): Json => {
  const paths = pathsFor(access);
  return {
    openapi: '3.1.0',
    info: {
      title: 'tollama',
      version: VERSION,
      description: 'Forecasts by time-series foundation models, on this machine.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: access.hasKeys ? [KEY] : [{}, KEY],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'a key of config.json' },
      },
      schemas: componentsOf(paths),
    },
  };
};
