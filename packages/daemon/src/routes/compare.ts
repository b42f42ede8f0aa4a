import { CompareRequest } from '@tollama/core/forecast-variants';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { compareModels } from '../forecast/compare.ts';
import { callerOf } from '../forecast/serve-forecast.ts';
import { readBody } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';

export const compareRoutes = (context: DaemonContext): Hono<RequestVariables> =>
  new Hono<RequestVariables>().post('/api/compare', async (c) => {
    const request = await readBody(c, CompareRequest, context.settings.maxBodyBytes);
    return c.json(await compareModels(request, context, callerOf(c)));
  });
