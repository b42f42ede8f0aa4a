/** Forecasts made coherent, and forecasts with calibrated intervals; given ones, or made for it. */
import { parseBody } from '@tollama/core/schema-issues';
import {
  ConformalForecastRequest,
  ConformalSeriesRequest,
  ReconcileForecastRequest,
  ReconcileSeriesRequest,
} from '@tollama/core/series-requests';
import { Hono } from 'hono';
import { conformalForecast, conformalSeries } from '../conformal/conformal.ts';
import type { DaemonContext } from '../context.ts';
import { callerOf } from '../forecast/serve-forecast.ts';
import { readJson } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { reconcileForecast } from '../reconcile/reconcile.ts';
import { reconcileSeries } from '../reconcile/reconcile-series.ts';

/** A body with series asks for a forecast; any other brings one. */
const hasSeries = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'series' in body && !('forecast' in body);

export const calibrationRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { maxBodyBytes } = context.settings;
  return new Hono<RequestVariables>()
    .post('/api/reconcile', async (c) => {
      const body = await readJson(c, maxBodyBytes);
      if (!hasSeries(body)) {
        return c.json(reconcileForecast(parseBody(ReconcileForecastRequest, body)));
      }
      const request = parseBody(ReconcileSeriesRequest, body);
      return c.json(await reconcileSeries(request, context, callerOf(c)));
    })
    .post('/api/conformal', async (c) => {
      const body = await readJson(c, maxBodyBytes);
      if (!hasSeries(body)) {
        return c.json(conformalForecast(parseBody(ConformalForecastRequest, body)));
      }
      const request = parseBody(ConformalSeriesRequest, body);
      return c.json(await conformalSeries(request, context, callerOf(c)));
    });
};
