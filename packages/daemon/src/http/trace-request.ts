import { inCallersTrace, type Tracer } from '@tollama/telemetry';
import type { MiddlewareHandler } from 'hono';

/** `/api/models/x` -> `/api/models`: names of spans stay few. */
const routeOf = (path: string): string => path.split('/').slice(0, 3).join('/');

/**
 * Serves a request in the trace of its headers, in a span of its own where there is a collector. Reads that are part
 * of no trace start none: watchers ask again and again.
 */
export const traceRequest =
  (tracer: Tracer | undefined): MiddlewareHandler =>
  async (c, next) => {
    const { method, path } = c.req;
    const traceparent = c.req.header('traceparent');
    if (traceparent === undefined && (!tracer || method === 'GET')) return next();
    const headers = { traceparent, tracestate: c.req.header('tracestate') };
    const attributes = { 'http.request.method': method, 'url.path': path };
    const name = `${method} ${routeOf(path)}`;
    await inCallersTrace(tracer, headers, { name, attributes }, async (span) => {
      await next();
      const { status } = c.res;
      span?.set({ 'http.response.status_code': status });
      if (status >= 500) span?.end({ error: c.error ?? `status ${status}` });
    });
  };
