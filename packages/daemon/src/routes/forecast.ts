import { setTimeout as delay } from 'node:timers/promises';
/** Forecasts: `/v1/forecast` always JSON, `/api/forecast` lines, `/api/forecast/stream` events. */
import { toTollamaError } from '@tollama/core/errors';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { parseBody } from '@tollama/core/schema-issues';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { type ResolvedRequest, resolveRequest } from '../forecast/resolve-request.ts';
import { callerOf, prepareForecast } from '../forecast/serve-forecast.ts';
import { errorBody } from '../http/errors.ts';
import { readJson } from '../http/json-body.ts';
import { ndjsonResponse } from '../http/ndjson.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { sseResponse } from '../http/sse.ts';

const Stream = z.looseObject({ stream: z.boolean().default(true) });

/** Lines of a stream leave out what is absent. */
export const withoutNulls = (response: ForecastResponse): Partial<ForecastResponse> =>
  Object.fromEntries(Object.entries(response).filter(([, value]) => value !== null));

/** A runner that does not start or refuses the request says so within this time. */
const AT_ONCE_MS = 250;

/** Whether the work is refused before a stream would be worth its start: that is a plain status then. */
const failsAtOnce = async (work: Promise<unknown>): Promise<boolean> => {
  const late = new AbortController();
  const isFailed = await Promise.race([
    work.then(
      () => false,
      () => true,
    ),
    delay(AT_ONCE_MS, false, { signal: late.signal }).catch(() => false),
  ]);
  late.abort();
  return isFailed;
};

export const forecastRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, events } = context;

  const read = async (
    c: Context<RequestVariables>,
  ): Promise<ResolvedRequest & { stream: boolean }> => {
    const { stream, ...rest } = parseBody(Stream, await readJson(c, settings.maxBodyBytes));
    return { ...(await resolveRequest(rest, context, c.req.raw.signal)), stream };
  };

  return new Hono<RequestVariables>()
    .post('/v1/forecast', async (c) => {
      const body = await readJson(c, settings.maxBodyBytes);
      const resolved = await resolveRequest(body, context, c.req.raw.signal);
      return c.json(await (await prepareForecast(context, resolved, callerOf(c))).run());
    })
    .post('/api/forecast', async (c) => {
      const resolved = await read(c);
      // What fails before the model runs is a plain status; the stream starts once the way is clear.
      const ready = await prepareForecast(context, resolved, callerOf(c));
      const answer = ready.run();
      if (!resolved.stream || (await failsAtOnce(answer))) return c.json(await answer);
      return ndjsonResponse(
        async (send) => {
          send({ status: 'loading model' });
          send({ status: 'running forecast' });
          send({ done: true, response: withoutNulls(await answer) });
        },
        (error) => ({
          error: { ...errorBody(toTollamaError(error)), status: toTollamaError(error).status },
        }),
      );
    })
    .post('/api/forecast/stream', async (c) => {
      const resolved = await read(c);
      const caller = callerOf(c);
      const ready = await prepareForecast(context, resolved, caller);
      const { model, horizon, series } = resolved.request;
      return sseResponse(
        async ({ send, signal }) => {
          const loading = { model, status: 'loading' };
          send({ event: 'model_loading', data: loading });
          events.publish(caller.keyId, 'forecast.stream', { phase: 'model_loading', model });
          const running = { model, series_count: series.length, horizon };
          send({ event: 'inference_started', data: running });
          const response = await ready.run(AbortSignal.any([signal, caller.signal]));
          response.forecasts.forEach(({ id, mean }, series_index) => {
            const place = { series_index, total_series: series.length };
            send({
              event: 'series_complete',
              data: { series_id: id, ...place, mean_length: mean.length },
            });
          });
          send({ event: 'done', data: { response: withoutNulls(response) } });
          events.publish(caller.keyId, 'forecast.stream', { phase: 'done', model });
        },
        (error) => {
          const { status, message } = toTollamaError(error);
          return { event: 'error', data: { code: status, message } };
        },
      );
    });
};
