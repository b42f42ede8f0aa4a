/** The routes put together; no socket, so that tests can ask it directly. */
import type { HttpBindings } from '@hono/node-server';
import { inCallersTrace } from '@tollama/telemetry';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ForecastRequest } from '../request/forecast-request.ts';
import type { Caller } from './caller.ts';
import { compareWithBaseline } from './comparison.ts';
import { type Desk, FORECAST_PATH, type Reply } from './desk.ts';
import { Outcomes, takeOutcomes } from './outcomes.ts';
import { readIncoming } from './read-body.ts';
import { refusalOf } from './refusal.ts';

interface Bindings {
  readonly Bindings: Partial<HttpBindings>;
}

type Asked = Context<Bindings>;

const callerOf = (c: Asked): Caller => ({
  authorization: c.req.header('authorization'),
  apiKey: c.req.header('x-api-key'),
  address: c.env?.incoming?.socket?.remoteAddress ?? 'unknown',
});

const JSON_TYPE = { 'content-type': 'application/json' };

const send = (c: Asked, { status, text, headers }: Reply): Response =>
  c.body(text, status as ContentfulStatusCode, { ...JSON_TYPE, ...headers });

const sendJson = (c: Asked, status: number, body: unknown): Response =>
  send(c, { status, text: JSON.stringify(body), headers: {} });

/** A posted request in the trace of its headers. */
const traced = (
  { gateway }: Desk,
  c: Asked,
  route: string,
  serve: () => Promise<Reply>,
): Promise<Response> => {
  const headers = {
    traceparent: c.req.header('traceparent'),
    tracestate: c.req.header('tracestate'),
  };
  const attributes = { 'http.request.method': 'POST', 'http.route': route };
  return inCallersTrace(
    gateway.tracer,
    headers,
    { name: `POST ${route}`, attributes },
    async (span) => {
      const reply = await serve();
      span?.set({ 'http.response.status_code': reply.status });
      if (reply.status >= 500) span?.end({ error: `status ${reply.status}` });
      return send(c, reply);
    },
  );
};

const refuseOthers = (app: Hono<Bindings>, paths: readonly string[], allow: string): void => {
  for (const path of paths) {
    app.all(path, (c) => {
      c.header('allow', allow);
      return sendJson(c, 405, { detail: 'Method Not Allowed' });
    });
  }
};

const METRICS_PATHS = ['/metrics', '/tsfm/metrics'] as const;
const HEALTH_PATHS = ['/healthz', '/health', '/tsfm/health'] as const;
const READY_PATH = '/readyz';
const CANARY_PATH = '/tsfm/canary';

/** What only shows: metrics, health, readiness, the canary. */
const showing = ({ gateway }: Desk): Hono<Bindings> => {
  const app = new Hono<Bindings>();
  for (const path of METRICS_PATHS) {
    app.get(path, async (c) =>
      c.body(await gateway.metrics.text(), 200, { 'content-type': gateway.metrics.contentType }),
    );
  }
  for (const path of HEALTH_PATHS) {
    app.get(path, (c) => sendJson(c, 200, { status: 'ok' }));
  }
  app.get(READY_PATH, (c) => {
    const isReady = gateway.isReady && !gateway.isDraining;
    const reason = gateway.isDraining ? 'draining' : isReady ? 'ready' : 'warming up';
    return sendJson(c, isReady ? 200 : 503, { status: reason });
  });
  app.get(CANARY_PATH, (c) =>
    sendJson(c, 200, {
      ...gateway.windows.data(gateway.clock.now()),
      verdict: gateway.canaryVerdict() ?? null,
    }),
  );
  refuseOthers(app, [...METRICS_PATHS, ...HEALTH_PATHS, READY_PATH, CANARY_PATH], 'GET, HEAD');
  return app;
};

const OUTCOMES_PATH = '/tsfm/outcomes';
const COMPARISON_PATH = '/markets/:id/comparison';

/** What is posted. */
const receiving = (desk: Desk): Hono<Bindings> => {
  const { gateway } = desk;
  const app = new Hono<Bindings>();
  const bodyOf = (c: Asked): Promise<string> => {
    const incoming = c.env?.incoming;
    return incoming
      ? readIncoming(incoming, gateway.settings.tsfm.limits.max_body_bytes)
      : c.req.text();
  };
  const withBody = async (c: Asked, serve: (body: string) => Promise<Reply>): Promise<Reply> => {
    let body: string;
    try {
      body = await bodyOf(c);
    } catch (thrown) {
      return desk.unread(thrown);
    }
    return serve(body);
  };
  app.post(FORECAST_PATH, (c) =>
    traced(desk, c, FORECAST_PATH, () => withBody(c, (body) => desk.forecast(body, callerOf(c)))),
  );
  app.post(COMPARISON_PATH, (c) => {
    const compare = (request: ForecastRequest) =>
      compareWithBaseline(desk, c.req.param('id') ?? '', request);
    return traced(desk, c, COMPARISON_PATH, () =>
      withBody(c, (body) => desk.receive(body, desk.requestSchema, callerOf(c), compare)),
    );
  });
  app.post(OUTCOMES_PATH, async (c) => {
    const take = async (outcomes: Outcomes) => takeOutcomes(gateway, outcomes);
    const receive = (body: string) => desk.receive(body, Outcomes, callerOf(c), take);
    return send(c, await withBody(c, receive));
  });
  refuseOthers(app, [FORECAST_PATH, OUTCOMES_PATH, COMPARISON_PATH], 'POST');
  return app;
};

export const createApp = (desk: Desk): Hono<Bindings> => {
  const app = new Hono<Bindings>();
  app.use(async (c, next) => {
    await next();
    // A connection that is kept open would hold up the end.
    if (desk.gateway.isDraining) c.header('connection', 'close');
  });
  app.route('/', receiving(desk));
  app.route('/', showing(desk));
  app.notFound((c) => sendJson(c, 404, { detail: 'Not Found' }));
  app.onError((thrown, c) => {
    const refusal = refusalOf(thrown);
    if (refusal.status === 500) {
      desk.gateway.log.error({ err: thrown, path: c.req.path }, 'a request failed');
    }
    return send(c, refusal);
  });
  return app;
};
