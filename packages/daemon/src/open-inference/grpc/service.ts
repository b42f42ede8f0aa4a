/**
 * The service's methods, each as the HTTP route that means the same: keys, limits, counts and errors are those of
 * the routes.
 */
import { type BinaryBody, fromHttpAnswer, HEADER, toHttpBody } from './infer-messages.ts';
import type { ModelInferRequest } from './messages.ts';

export interface RouteRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly json?: object;
  readonly binary?: BinaryBody;
}

/** Asks a route; throws GrpcFailure for any answer that is not 2xx, but for those told to pass. */
export type AskRoute = (request: RouteRequest, passed?: readonly number[]) => Promise<Response>;

export type Method = (request: never, ask: AskRoute) => Promise<object>;

interface Named {
  readonly name: string;
  readonly version: string;
}

interface Loading {
  readonly repository_name: string;
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, object>>;
}

const pathOf = ({ name, version }: Named): string => {
  const model = `/v2/models/${encodeURIComponent(name)}`;
  return version ? `${model}/versions/${encodeURIComponent(version)}` : model;
};

const get = async (ask: AskRoute, path: string): Promise<Record<string, unknown>> =>
  (await (await ask({ method: 'GET', path })).json()) as Record<string, unknown>;

export const modelInfer = async (request: ModelInferRequest, ask: AskRoute): Promise<object> => {
  const { model_name: name, model_version: version, raw_input_contents } = request;
  const path = `${pathOf({ name, version })}/infer`;
  const response = await ask({ method: 'POST', path, binary: toHttpBody(request) });
  const body = new Uint8Array(await response.arrayBuffer());
  const headerLength = Number(response.headers.get(HEADER));
  return fromHttpAnswer(body, headerLength, raw_input_contents.length > 0);
};

const modelMetadata = async (request: Named, ask: AskRoute): Promise<object> => {
  const { parameters, ...metadata } = await get(ask, pathOf(request));
  const told = Object.entries((parameters ?? {}) as object);
  const properties = Object.fromEntries(told.map(([key, value]) => [key, String(value)]));
  return { ...metadata, properties };
};

const modelConfig = async (request: Named, ask: AskRoute): Promise<object> => ({
  config: await get(ask, `${pathOf(request)}/config`),
});

/** Whether a model is ready is the answer, not an error, also for one that there is not. */
const modelReady = async (request: Named, ask: AskRoute): Promise<object> => {
  const request_ = { method: 'GET', path: `${pathOf(request)}/ready` } as const;
  const response = await ask(request_, [404, 503]);
  return { ready: response.ok };
};

const whole = (count: number): string => String(Math.max(0, Math.round(count)));

/** Integers of 64 bits in the message, numbers with fractions in JSON. */
const wholeNumbers = (value: unknown): unknown => {
  if (typeof value === 'number') return whole(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, wholeNumbers(one)]));
};

const modelStatistics = async (request: Named, ask: AskRoute): Promise<object> => {
  const path = request.name ? `${pathOf(request)}/stats` : '/v2/models/stats';
  const { model_stats } = await get(ask, path);
  return { model_stats: (model_stats as object[]).map(wholeNumbers) };
};

const repositoryIndex = async (
  { ready }: { readonly ready: boolean },
  ask: AskRoute,
): Promise<object> => {
  const response = await ask({ method: 'POST', path: '/v2/repository/index', json: { ready } });
  return { models: await response.json() };
};

/** Only the names of parameters matter: all that would change the model are refused. */
const change =
  (verb: 'load' | 'unload', done: 'isLoaded' | 'isUnloaded') =>
  async (request: Loading, ask: AskRoute): Promise<object> => {
    const model_name = request.model_name || request.repository_name;
    const names = Object.keys(request.parameters).map((name) => [name, true]);
    const path = `/v2/repository/models/${encodeURIComponent(model_name)}/${verb}`;
    await ask({ method: 'POST', path, json: { parameters: Object.fromEntries(names) } });
    return { model_name, [done]: true };
  };

export const METHODS: Readonly<Record<string, Method>> = {
  ServerLive: async (_, ask) => get(ask, '/v2/health/live'),
  ServerReady: async (_, ask) => get(ask, '/v2/health/ready'),
  ServerMetadata: async (_, ask) => get(ask, '/v2'),
  ModelReady: modelReady,
  ModelMetadata: modelMetadata,
  ModelInfer: modelInfer,
  ModelConfig: modelConfig,
  ModelStatistics: modelStatistics,
  RepositoryIndex: repositoryIndex,
  RepositoryModelLoad: change('load', 'isLoaded'),
  RepositoryModelUnload: change('unload', 'isUnloaded'),
};
