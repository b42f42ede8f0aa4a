import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { validateForecast } from '../forecast/validate.ts';
import { readJson } from '../http/json-body.ts';

/** `stream` belongs to `/api/forecast`, whose bodies are checked here too. */
const withoutStream = (body: unknown): unknown => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { stream, ...rest } = body as Readonly<Record<string, unknown>>;
  return stream === undefined || typeof stream === 'boolean' ? rest : body;
};

export const validateRoutes = (context: DaemonContext): Hono =>
  new Hono().post('/api/validate', async (c) => {
    const body = await readJson(c, context.settings.maxBodyBytes);
    return c.json(await validateForecast(withoutStream(body), context, c.req.raw.signal));
  });
