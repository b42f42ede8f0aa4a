/** Forecasts: `/v1/forecast` always JSON, `/api/forecast` a stream of lines unless switched off. */
import { toTollamaError } from '@tollama/core/errors';
import { ForecastRequest } from '@tollama/core/forecast-request';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { parseBody } from '@tollama/core/schema-issues';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { withModelDefaults } from '../forecast/model-defaults.ts';
import { errorBody } from '../http/errors.ts';
import { readJson } from '../http/json-body.ts';
import { ndjsonResponse } from '../http/ndjson.ts';

const Stream = z.looseObject({ stream: z.boolean().default(true) });

/** Lines of a stream leave out what is absent. */
const withoutNulls = (response: ForecastResponse): Partial<ForecastResponse> =>
  Object.fromEntries(Object.entries(response).filter(([, value]) => value !== null));

export const forecastRoutes = ({ settings, forecaster, store }: DaemonContext): Hono =>
  new Hono()
    .post('/v1/forecast', async (c) => {
      const body = await withModelDefaults(await readJson(c, settings.maxBodyBytes), store);
      const request = parseBody(ForecastRequest, body);
      return c.json(await forecaster.forecast(request, c.req.raw.signal));
    })
    .post('/api/forecast', async (c) => {
      const body = await readJson(c, settings.maxBodyBytes);
      const { stream, ...rest } = parseBody(Stream, body);
      const request = parseBody(ForecastRequest, await withModelDefaults(rest, store));
      if (!stream) return c.json(await forecaster.forecast(request, c.req.raw.signal));
      // What fails before the model runs is a plain status; the stream starts once the way is clear.
      const prepared = await forecaster.prepare(request);
      return ndjsonResponse(
        async (send) => {
          send({ status: 'loading model' });
          send({ status: 'running forecast' });
          send({ done: true, response: withoutNulls(await prepared.run(c.req.raw.signal)) });
        },
        (error) => ({
          error: { ...errorBody(toTollamaError(error)), status: toTollamaError(error).status },
        }),
      );
    });
