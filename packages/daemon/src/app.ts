/** The routes put together; no socket, so that tests can ask it directly. */
import { toTollamaError } from '@tollama/core/errors';
import { Hono } from 'hono';
import type { DaemonContext } from './context.ts';
import { errorResponse, methodNotAllowed, notFound } from './http/errors.ts';
import { forecastRoutes } from './routes/forecast.ts';
import { modelRoutes } from './routes/models.ts';
import { pullRoutes } from './routes/pull.ts';
import { systemRoutes } from './routes/system.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Paths of the routes, to tell a wrong method from an unknown path. */
const methodsAt = (app: Hono, path: string): readonly string[] =>
  METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );

export const createApp = (context: DaemonContext): Hono => {
  const app = new Hono();
  app.use(async (_, next) => {
    context.activity.begin();
    await next().finally(() => context.activity.end());
  });
  app.route('/', systemRoutes());
  app.route('/', modelRoutes(context));
  app.route('/', pullRoutes(context));
  app.route('/', forecastRoutes(context));
  app.notFound((c) => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length === 0) return errorResponse(c, notFound());
    c.header('allow', allowed.join(', '));
    return errorResponse(c, methodNotAllowed());
  });
  app.onError((thrown, c) => {
    const error = toTollamaError(thrown);
    const level = error.code === 'INTERNAL' ? 'error' : 'debug';
    context.log[level]({ path: c.req.path, code: error.code, err: thrown }, error.message);
    return errorResponse(c, error);
  });
  return app;
};
