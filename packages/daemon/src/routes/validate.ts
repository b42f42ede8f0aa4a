import { TollamaError } from '@tollama/core/errors';
import type { SchemaIssue } from '@tollama/core/schema-issues';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { invalid, validateForecast } from '../forecast/validate.ts';
import { readJson } from '../http/json-body.ts';

/** `stream` belongs to `/api/forecast`, whose bodies are checked here too. */
const withoutStream = (body: unknown): unknown => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { stream, ...rest } = body as Readonly<Record<string, unknown>>;
  return stream === undefined || typeof stream === 'boolean' ? rest : body;
};

/** Whether the body could be read, but a field of it is not what it must be: that is an answer here. */
const isAboutFields = (error: unknown): boolean =>
  error instanceof TollamaError &&
  Array.isArray(error.data) &&
  (error.data as readonly SchemaIssue[]).every(({ type }) => type === 'int_type');

export const validateRoutes = (context: DaemonContext): Hono =>
  new Hono().post('/api/validate', async (c) => {
    try {
      const body = await readJson(c, context.settings.maxBodyBytes);
      return c.json(await validateForecast(withoutStream(body), context, c.req.raw.signal));
    } catch (error) {
      if (isAboutFields(error)) return c.json(invalid(error));
      throw error;
    }
  });
