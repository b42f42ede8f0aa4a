/** Everything on some series in one answer. */
import { PipelineRequest, ReportRequest } from '@tollama/core/forecast-variants';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { callerOf } from '../forecast/serve-forecast.ts';
import { readBody } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { runPipeline, runReport } from '../report/pipeline.ts';

export const reportRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { maxBodyBytes } = context.settings;
  return new Hono<RequestVariables>()
    .post('/api/pipeline', async (c) => {
      const request = await readBody(c, PipelineRequest, maxBodyBytes);
      return c.json(await runPipeline(request, context, callerOf(c)));
    })
    .post('/api/report', async (c) => {
      const request = await readBody(c, ReportRequest, maxBodyBytes);
      return c.json(await runReport(request, context, callerOf(c)));
    });
};
