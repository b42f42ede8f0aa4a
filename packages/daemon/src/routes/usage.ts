import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import type { RequestVariables } from '../http/request-id.ts';

/** What the caller's own key has used. */
export const usageRoutes = ({ usage }: DaemonContext): Hono<RequestVariables> =>
  new Hono<RequestVariables>().get('/api/usage', async (c) =>
    c.json(await usage.of(c.get('keyId'))),
  );
