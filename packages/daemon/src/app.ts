/** The routes put together; no socket, so that tests can ask it directly. */
import { toTollamaError } from '@tollama/core/errors';
import { Hono, type MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { getPath } from 'hono/utils/url';
import type { DaemonContext } from './context.ts';
import { authenticate } from './http/authenticate.ts';
import { errorResponse, methodNotAllowed, notFound } from './http/errors.ts';
import { refuseForeignPages } from './http/foreign-pages.ts';
import { rateLimit } from './http/rate-limit.ts';
import { type RequestVariables, requestId } from './http/request-id.ts';
import { traceRequest } from './http/trace-request.ts';
import type { ForecastEndpoint } from './observe/metrics.ts';
import { INFER_PATHS, openInferenceRoutes } from './open-inference/routes.ts';
import { timeSeriesRoutes } from './open-inference/time-series.ts';
import { autoForecastRoutes } from './routes/auto-forecast.ts';
import { batchRoutes } from './routes/batches.ts';
import { calibrationRoutes } from './routes/calibration.ts';
import { compareRoutes } from './routes/compare.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { dashboardStateRoutes } from './routes/dashboard-state.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { forecastRoutes } from './routes/forecast.ts';
import { infoRoutes } from './routes/info.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { modelfileRoutes } from './routes/modelfiles.ts';
import { modelRoutes } from './routes/models.ts';
import { pullRoutes } from './routes/pull.ts';
import { reportRoutes } from './routes/reports.ts';
import { scenarioRoutes } from './routes/scenarios.ts';
import { seriesRoutes } from './routes/series.ts';
import { storeRoutes } from './routes/store.ts';
import { systemRoutes } from './routes/system.ts';
import { trainingRoutes } from './routes/training.ts';
import { usageRoutes } from './routes/usage.ts';
import { validateRoutes } from './routes/validate.ts';
import { TIMEGPT_FORECAST_PATHS, timegptRoutes } from './timegpt/routes.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Methods that a path has routes for, to tell a wrong method from an unknown path. */
const methodsAt = (app: Hono<RequestVariables>, path: string): readonly string[] =>
  METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );

/** Routes whose requests are counted as forecasts. */
const FORECAST_ENDPOINTS: Readonly<Record<string, ForecastEndpoint>> = {
  '/v1/forecast': 'v1_forecast',
  '/api/forecast': 'api_forecast',
  '/api/auto-forecast': 'api_auto_forecast',
  '/api/compare': 'api_compare',
  ...Object.fromEntries(TIMEGPT_FORECAST_PATHS.map((path) => [path, 'timegpt'] as const)),
  '/v1/timeseries/forecast': 'open_inference',
  ...Object.fromEntries(INFER_PATHS.map((path) => [path, 'open_inference'] as const)),
};

/** Routes that run models: limited together, so that nobody gets round the limit by another path. */
const LIMITED_PATHS = [
  ...Object.keys(FORECAST_ENDPOINTS),
  '/api/forecast/stream',
  '/api/forecast/progressive',
  '/api/forecast/upload',
  '/api/what-if',
  '/api/counterfactual',
  '/api/scenario-tree',
  '/api/pipeline',
  '/api/report',
  '/api/reconcile',
  '/api/conformal',
];

/** Gateways may put the TimeGPT API under a prefix of its own. */
const pathWithoutPrefix = (request: Request): string =>
  getPath(request).replace(/^\/timegpt(?=\/)/, '');

const countForecasts =
  ({ metrics }: DaemonContext, endpoint: ForecastEndpoint): MiddlewareHandler =>
  async (c, next) => {
    const started = performance.now();
    await next();
    metrics.forecast(endpoint, c.res.status, (performance.now() - started) / 1000);
  };

const countActivity =
  ({ activity }: DaemonContext): MiddlewareHandler =>
  async (_, next) => {
    activity.begin();
    await next().finally(() => activity.end());
  };

export const createApp = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, config, log } = context;
  const app = new Hono<RequestVariables>({ getPath: pathWithoutPrefix });
  app.use(countActivity(context), requestId, traceRequest(context.tracer));
  if (settings.corsOrigins.length > 0) {
    app.use(cors({ origin: settings.corsOrigins.includes('*') ? '*' : [...settings.corsOrigins] }));
  }
  app.use(refuseForeignPages(settings, config));
  const pages = dashboardRoutes();
  if (settings.dashboard && !settings.dashboardRequireAuth) app.route('/', pages);
  if (settings.docsPublic) app.route('/', docsRoutes(settings, config));
  app.use(authenticate(config));
  if (settings.dashboard && settings.dashboardRequireAuth) app.route('/', pages);
  if (!settings.docsPublic) app.route('/', docsRoutes(settings, config));
  for (const [path, endpoint] of Object.entries(FORECAST_ENDPOINTS)) {
    app.use(path, countForecasts(context, endpoint));
  }
  const { rateLimitPerMinute: perMinute, rateLimitBurst: burst } = settings;
  if (perMinute !== undefined) {
    const limit = rateLimit({ perMinute, burst });
    for (const path of LIMITED_PATHS) app.use(path, limit);
  }
  app.route('/', systemRoutes());
  app.route('/', infoRoutes(context));
  app.route('/', modelRoutes(context));
  app.route('/', pullRoutes(context));
  app.route('/', storeRoutes(context));
  app.route('/', forecastRoutes(context));
  app.route('/', autoForecastRoutes(context));
  app.route('/', compareRoutes(context));
  app.route('/', ingestRoutes(context));
  app.route('/', scenarioRoutes(context));
  app.route('/', seriesRoutes(context));
  app.route('/', calibrationRoutes(context));
  app.route('/', reportRoutes(context));
  app.route('/', validateRoutes(context));
  app.route('/', modelfileRoutes(context));
  app.route('/', usageRoutes(context));
  app.route('/', eventRoutes(context));
  app.route('/', trainingRoutes(context));
  app.route('/', batchRoutes(context));
  app.route('/', openInferenceRoutes(context));
  app.route('/', timeSeriesRoutes(context));
  app.route('/', timegptRoutes(context));
  app.route(
    '/',
    dashboardStateRoutes((path, headers) => app.request(path, { headers })),
  );
  app.notFound((c) => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length === 0) return errorResponse(c, notFound());
    c.header('allow', allowed.join(', '));
    return errorResponse(c, methodNotAllowed());
  });
  app.onError((thrown, c) => {
    const error = toTollamaError(thrown);
    const level = error.code === 'INTERNAL' ? 'error' : 'debug';
    log[level]({ path: c.req.path, code: error.code, err: thrown }, error.message);
    return errorResponse(c, error);
  });
  return app;
};
