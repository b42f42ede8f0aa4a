/** The Open Inference Protocol, version 2, over HTTP with the binary tensor extension. */

import { TollamaError } from '@tollama/core/errors';
import { LIMITS } from '@tollama/core/limits';
import { timerMs } from '@tollama/core/timer';
import { VERSION } from '@tollama/core/version';
import { type Context, Hono } from 'hono';
import { knownFrequency } from '../columnar/frequency.ts';
import { ModelCalls } from '../columnar/model-calls.ts';
import type { DaemonContext } from '../context.ts';
import { parseDecoded, readDecoded } from '../http/decoded-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { compressed } from './compression.ts';
import { infer } from './infer.ts';
import { Repository } from './repository.ts';
import { configOf, metadataOf, signatureOf, VERSION_NUMBER } from './signature.ts';
import { refuse } from './tensor.ts';
import { decodeRequest, encodeAnswer, type InferRequest } from './wire.ts';

type Request = Context<RequestVariables>;

const EXTENSIONS = [
  'binary_tensor_data',
  'model_repository',
  'model_repository(unload_dependents)',
  'model_configuration',
  'statistics',
];

const HEADER = 'inference-header-content-length';
const NS_PER_MS = 1e6;

/** A model's routes come with and without a version. */
const MODEL_PATHS = ['/v2/models/:name', '/v2/models/:name/versions/:version'] as const;

export const INFER_PATHS = MODEL_PATHS.map((path) => `${path}/infer`);

const readBody = (c: Request, { settings }: DaemonContext): Promise<Buffer> =>
  readDecoded(c.req.raw, {
    maxBytes: Math.max(settings.maxBodyBytes, LIMITS.panelBodyBytes),
    encodings: ['gzip', 'deflate'],
  });

/** JSON of a body that may be absent. */
const readOptions = async (
  c: Request,
  context: DaemonContext,
): Promise<Record<string, unknown>> => {
  const bytes = await readBody(c, context);
  const json = bytes.length === 0 ? {} : parseDecoded(bytes);
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  return isObject ? (json as Record<string, unknown>) : refuse('the body is not a JSON object');
};

/** A parameter that counts; 0 and none are the same. Throws INVALID_REQUEST for anything else. */
const countOf = (
  { parameters }: InferRequest,
  name: 'timeout' | 'priority',
): number | undefined => {
  const given = parameters[name] ?? 0;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0) return given || undefined;
  return refuse(`parameter '${name}' is ${JSON.stringify(given)}, expected a whole number from 0`);
};

/** Ends when the caller goes away, or after the request's own timeout in microseconds. */
const deadlineOf = (request: InferRequest, caller: AbortSignal) => {
  const microseconds = countOf(request, 'timeout');
  if (microseconds === undefined) return { signal: caller, late: undefined };
  const late = AbortSignal.timeout(timerMs(Math.ceil(microseconds / 1000)));
  return { signal: AbortSignal.any([caller, late]), late };
};

const callsFor = async (
  { profiles, forecaster, supervisor }: DaemonContext,
  name: string,
  request: InferRequest,
  signal: AbortSignal,
): Promise<ModelCalls> => {
  const profile = await profiles.of(name);
  const isOwn = supervisor.isOwn(profile.family);
  return new ModelCalls({
    forecaster,
    profile,
    // Tensors have no calendar; a request may name one for models that look at it.
    freq: knownFrequency(String(request.parameters.freq ?? '1')).alias,
    options: {},
    timestampsOf: ({ target }) =>
      Array.from({ length: isOwn ? 1 : target.length }, (_, i) => String(i + 1)),
    signal,
    priority: countOf(request, 'priority'),
  });
};

const inferRoute = (context: DaemonContext, repository: Repository) => {
  const { profiles, statistics, usage } = context;
  return async (c: Request): Promise<Response> => {
    const name = c.req.param('name')!;
    await repository.check(name, c.req.param('version'));
    await repository.requireReady(name);
    const body = await readBody(c, context);
    const started = performance.now();
    try {
      const signature = signatureOf(await profiles.of(name));
      const request = decodeRequest(body, c.req.header(HEADER), signature);
      const { signal, late } = deadlineOf(request, c.req.raw.signal);
      const calls = await callsFor(context, name, request, signal);
      const decoded = performance.now();
      const tensors = await infer(request.inputs, calls).catch((error: unknown) => {
        if (!late?.aborted) throw error;
        throw new TollamaError(
          'TIMEOUT',
          `model '${name}' did not answer in the request's timeout`,
        );
      });
      const inferred = performance.now();
      const facts = { id: request.id, model: name, version: VERSION_NUMBER };
      const answer = encodeAnswer(tensors, request.outputs, facts);
      const response = await toResponse(answer, c.req.header('accept-encoding'));
      const ended = performance.now();
      const inModel = Math.min(calls.inferenceMs, inferred - decoded);
      statistics.succeeded(name, {
        compute_input: (decoded - started) * NS_PER_MS,
        queue: (inferred - decoded - inModel) * NS_PER_MS,
        compute_infer: inModel * NS_PER_MS,
        compute_output: (ended - inferred) * NS_PER_MS,
      });
      const series = tensors[0]!.shape[0]!;
      usage.record(c.get('keyId'), { inferenceMs: calls.inferenceMs, series });
      return response;
    } catch (error) {
      statistics.failed(name, (performance.now() - started) * NS_PER_MS);
      throw error;
    }
  };
};

const toResponse = async (
  { body, headerLength }: ReturnType<typeof encodeAnswer>,
  accepted: string | undefined,
): Promise<Response> => {
  const { body: sent, encoding } = await compressed(body, accepted);
  const isBinary = headerLength !== undefined;
  return new Response(sent as Uint8Array<ArrayBuffer>, {
    headers: {
      'content-type': isBinary ? 'application/octet-stream' : 'application/json',
      ...(isBinary && { [HEADER]: String(headerLength) }),
      ...(encoding && { 'content-encoding': encoding }),
    },
  });
};

const repositoryRoutes = (context: DaemonContext, repository: Repository): Hono<RequestVariables> =>
  new Hono<RequestVariables>()
    .post('/v2/repository/index', async (c) => {
      const { ready } = await readOptions(c, context);
      const entries = await repository.index();
      return c.json(ready === true ? entries.filter(({ state }) => state === 'READY') : entries);
    })
    .post('/v2/repository/models/:name/load', async (c) => {
      const name = c.req.param('name');
      const { parameters } = await readOptions(c, context);
      const overrides = Object.keys((parameters ?? {}) as object).filter(
        (key) => key === 'config' || key.startsWith('file:'),
      );
      if (overrides.length > 0) {
        refuse(`a model cannot be loaded with another ${overrides[0]}`, 'leave it out');
      }
      await repository.load(name);
      return c.json({ name, load: true });
    })
    .post('/v2/repository/models/:name/unload', async (c) => {
      const name = c.req.param('name');
      await readOptions(c, context);
      await repository.unload(name);
      return c.json({ name, unload: true });
    });

const modelRoutes = (context: DaemonContext, repository: Repository): Hono<RequestVariables> => {
  const { profiles, statistics } = context;
  const app = new Hono<RequestVariables>();
  const checked = async (c: Request): Promise<string> => {
    const name = c.req.param('name')!;
    await repository.check(name, c.req.param('version'));
    return name;
  };
  const serve = inferRoute(context, repository);
  // Before the models, one of which could not have this name.
  app.get('/v2/models/stats', async (c) => {
    const names = await repository.names();
    return c.json({ model_stats: names.map((name) => statistics.of(name)) });
  });
  for (const path of MODEL_PATHS) {
    app
      .get(path, async (c) => c.json(metadataOf(await profiles.of(await checked(c)))))
      .get(`${path}/ready`, async (c) => {
        const name = await checked(c);
        const ready = await repository.isReady(name);
        return ready
          ? c.json({ name, ready })
          : c.json({ error: `model '${name}' is not ready` }, 503);
      })
      .get(`${path}/config`, async (c) => c.json(configOf(await profiles.of(await checked(c)))))
      .get(`${path}/stats`, async (c) => c.json({ model_stats: [statistics.of(await checked(c))] }))
      .post(`${path}/infer`, serve);
  }
  return app;
};

export const openInferenceRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const repository = new Repository(context);
  return new Hono<RequestVariables>()
    .get('/v2', (c) => c.json({ name: 'tollama', version: VERSION, extensions: EXTENSIONS }))
    .get('/v2/health/live', (c) => c.json({ live: true }))
    .get('/v2/health/ready', (c) => c.json({ ready: true }))
    .route('/', repositoryRoutes(context, repository))
    .route('/', modelRoutes(context, repository));
};
