/** The TimeGPT API, as the `nixtla` client speaks it. */

import { TollamaError } from '@tollama/core/errors';
import { LIMITS } from '@tollama/core/limits';
import { parseBody } from '@tollama/core/schema-issues';
import { EMBEDDED_MODEL_NAMES, isEmbeddedName } from '@tollama/core/statistical';
import { type Context, Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { type DecodeOptions, parseDecoded, readDecoded } from '../http/decoded-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import type { JobState } from './jobs.ts';
import { modelBehind, TIMEGPT_NAMES } from './model-names.ts';
import { RepeatedAnswers } from './repeated-answers.ts';
import { JobFields } from './requests.ts';
import { type Task, TimegptService } from './service.ts';
import type { TunedModel } from './tuned-models.ts';

/** Paths that run models: limited and counted like other forecasts. */
export const TIMEGPT_FORECAST_PATHS = [
  '/v2/forecast',
  '/v2/historic_forecast',
  '/v2/cross_validation',
  '/v2/anomaly_detection',
  '/v2/online_anomaly_detection',
  '/v2/finetune',
  '/v2/:task/async',
] as const;

const unknownRoute = (): never => {
  throw new TollamaError('NOT_FOUND', 'Not Found');
};

/** Models that can forecast, by name; TimeGPT's own names say what stands behind them. */
const listModels = async ({ store, settings }: DaemonContext) => {
  const installed = (await store.list())
    .filter(({ metadata }) => metadata?.forecast_ready !== false)
    .filter(({ license }) => !license.needs_acceptance || license.accepted)
    .map(({ name, family }) => ({ name, family }));
  const embedded = EMBEDDED_MODEL_NAMES.map((name) => ({ name, family: 'statistical' }));
  const known = new Set([...installed.map(({ name }) => name), ...EMBEDDED_MODEL_NAMES]);
  const aliases = TIMEGPT_NAMES.map((name) => ({
    name,
    alias_of: modelBehind(name, settings.timegptModels),
  })).filter(({ alias_of }) => known.has(alias_of));
  const own = [...installed, ...embedded.filter(({ name }) => isEmbeddedName(name))];
  return [...own, ...aliases].toSorted((a, b) => (a.name < b.name ? -1 : 1));
};

const shownTuned = ({ installed_as: _, job_id: __, ...model }: TunedModel) => model;

const jobRoutes = (
  context: DaemonContext,
  tasks: Readonly<Record<string, Task>>,
): Hono<RequestVariables> => {
  const { jobs } = context;
  const notOffered = (task: string): never => {
    if (task !== 'execute_step') return unknownRoute();
    throw new TollamaError('NOT_OFFERED', 'execute_step is not offered by this server');
  };
  jobs.runBy(async ({ task, body, ...caller }) => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return (tasks[task] ?? notOffered(task))(parseDecoded(bytes))(caller);
  });
  const told = ({ status, job_id, result, error }: JobState) => ({ job_id, status, result, error });
  const app = new Hono<RequestVariables>();
  app
    .post('/v2/:task/async', async (c) => {
      const name = c.req.param('task');
      const task = tasks[name] ?? notOffered(name);
      const bytes = await readDecoded(c.req.raw, bodyLimit(context));
      const body = parseDecoded(bytes);
      const seconds = parseBody(JobFields, body).job_options?.timeout_seconds;
      // What can be refused is refused now; the job reads its body again.
      task(body);
      const state = await jobs.submit({
        keyId: c.get('keyId'),
        task: name,
        timeoutMs: seconds ? seconds * 1000 : undefined,
        body: bytes,
      });
      return c.json({ job_id: state.job_id, status: state.status }, 202);
    })
    .get('/v2/:task/jobs/:job', async (c) => {
      const name = c.req.param('task');
      if (!tasks[name]) notOffered(name);
      return c.json(told(await jobs.get(c.req.param('job'), c.get('keyId'), name)));
    })
    .get('/v2/execute_step/jobs/:job/result', () => notOffered('execute_step'))
    .post('/v2/async/jobs/:job/cancel', async (c) => {
      const id = c.req.param('job');
      const { isOver } = await jobs.cancel(id, c.get('keyId'));
      if (isOver) return c.json({ detail: `job '${id}' is over` }, 409);
      return c.json({ job_id: id, status: 'cancelled' });
    });
  return app;
};

const bodyLimit = ({ settings }: DaemonContext): DecodeOptions => ({
  maxBytes: Math.max(settings.maxBodyBytes, LIMITS.panelBodyBytes),
});

const taskRoutes = (
  context: DaemonContext,
  tasks: Readonly<Record<string, Task>>,
): Hono<RequestVariables> => {
  const repeated = new RepeatedAnswers();
  const app = new Hono<RequestVariables>();
  const answer = (path: string, task: Task) => async (c: Context<RequestVariables>) => {
    const bytes = await readDecoded(c.req.raw, bodyLimit(context));
    const keyId = c.get('keyId');
    // Not tied to the connection: a client that gave up after a minute comes back for the answer.
    const value = await repeated.answer([keyId, path, bytes], async () =>
      task(parseDecoded(bytes))({ keyId }),
    );
    return c.json(value as object);
  };
  for (const [name, task] of Object.entries(tasks)) app.post(`/v2/${name}`, answer(name, task));
  return app;
};

export const timegptRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, usage } = context;
  const service = new TimegptService(context);
  const app = new Hono<RequestVariables>();
  app
    .get('/validate_api_key', (c) => c.json({ detail: 'the API key is valid' }))
    .get('/usage', async (c) => {
      const { minute, month } = await usage.recentOf(c.get('keyId'));
      return c.json({
        minute: { used: minute, limit: settings.rateLimitPerMinute ?? 0 },
        month: { used: month, limit: 0 },
      });
    })
    .get('/model_params', async (c) => {
      const name = c.req.query('model') || TIMEGPT_NAMES[0];
      return c.json({ detail: await service.modelParams(name) });
    })
    .get('/v2/models', async (c) => c.json({ models: await listModels(context) }))
    .get('/v2/finetuned_models', async (c) => {
      const models = await service.tuned.list();
      return c.json({ finetuned_models: models.map(shownTuned) });
    })
    .get('/v2/finetuned_models/:id', async (c) =>
      c.json(shownTuned(await service.tuned.get(c.req.param('id')))),
    )
    .delete('/v2/finetuned_models/:id', async (c) => {
      await service.removeTuned(c.req.param('id'));
      return c.body(null, 204);
    });
  const { forecast, crossValidation: cross_validation, finetune, simulate, explain } = service;
  app.route(
    '/',
    taskRoutes(context, {
      forecast,
      cross_validation,
      finetune,
      historic_forecast: service.historicForecast,
      anomaly_detection: service.anomalyDetection,
      online_anomaly_detection: service.onlineAnomalyDetection,
    }),
  );
  // The job of that name carries the body of the online route.
  const anomaly_detection = service.onlineAnomalyDetection;
  app.route(
    '/',
    jobRoutes(context, {
      forecast,
      cross_validation,
      finetune,
      simulate,
      explain,
      anomaly_detection,
    }),
  );
  return app;
};
