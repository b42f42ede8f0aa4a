/** Forecasts by whichever model fits; the progressive one answers twice, quickly and well. */
import { errorMessage, toTollamaError } from '@tollama/core/errors';
import { AutoForecastRequest } from '@tollama/core/forecast-variants';
import { Hono } from 'hono';
import { autoForecast } from '../auto/auto-forecast.ts';
import { memberRequest } from '../auto/pick.ts';
import { progressiveStages } from '../auto/progressive.ts';
import type { DaemonContext } from '../context.ts';
import type { EventName } from '../events/event-bus.ts';
import { callerOf, serveForecast } from '../forecast/serve-forecast.ts';
import { readBody } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { sseResponse } from '../http/sse.ts';
import { withoutNulls } from './forecast.ts';

export const autoForecastRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, events } = context;
  return new Hono<RequestVariables>()
    .post('/api/auto-forecast', async (c) => {
      const request = await readBody(c, AutoForecastRequest, settings.maxBodyBytes);
      return c.json(await autoForecast(request, context, callerOf(c)));
    })
    .post('/api/forecast/progressive', async (c) => {
      const request = await readBody(c, AutoForecastRequest, settings.maxBodyBytes);
      const caller = callerOf(c);
      const { stages, warnings } = await progressiveStages(request, context);
      return sseResponse(
        async ({ send, signal }) => {
          const either = AbortSignal.any([signal, caller.signal]);
          for (const message of warnings) send({ event: 'forecast.warning', data: { message } });
          for (const stage of stages) {
            const facts = { ...stage, final: stage.stage === stages.length };
            const tell = (event: EventName, more: Readonly<Record<string, unknown>>): void =>
              send({ event, data: { event, ...facts, ...more } });
            tell('model.selected', { status: 'selected' });
            events.publish(caller.keyId, 'model.selected', facts);
            tell('forecast.progress', { status: 'running' });
            try {
              const own = memberRequest(request, stage.model);
              const response = await serveForecast(context, own, { ...caller, signal: either });
              const shown = withoutNulls(response);
              tell('forecast.complete', { status: 'completed', response: shown });
            } catch (error) {
              if (either.aborted) return;
              tell('forecast.complete', { status: 'failed', error: errorMessage(error) });
            }
          }
        },
        (error) => {
          const { status, message } = toTollamaError(error);
          return { event: 'error', data: { code: status, message } };
        },
      );
    });
};
