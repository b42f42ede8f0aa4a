/** What the daemon adds to a runner's forecasts: metrics, the explanation, and a narrative on demand. */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { measureAccuracy } from './accuracy.ts';
import { explain } from './explain.ts';
import { narrate } from './narrate.ts';
import { outlookOf } from './outlook.ts';

type Enriched = Pick<ForecastResponse, 'metrics' | 'explanation' | 'narrative' | 'warnings'>;

/** Forecasts stand in the order of the request's series, whose frequencies are known. */
export const enrich = (
  { series, parameters, response_options, horizon }: ForecastRequest,
  { forecasts, warnings }: ForecastResponse,
): Enriched => {
  const { metrics, warnings: undefinedOnes } = parameters.metrics
    ? measureAccuracy(series, forecasts, parameters.metrics)
    : { metrics: null, warnings: [] };
  const outlooks = forecasts.map((forecast, i) => outlookOf(series[i]!, forecast));
  const all = [...(warnings ?? []), ...undefinedOnes];
  return {
    metrics,
    explanation: {
      series: forecasts.map((forecast, i) =>
        explain(forecast, outlooks[i]!, response_options.explain),
      ),
    },
    narrative: response_options.narrative
      ? { series: forecasts.map(({ id }, i) => narrate(id, horizon, outlooks[i]!)) }
      : null,
    warnings: all.length > 0 ? all : null,
  };
};

/** The same for forecasts that were changed after the run: their frequencies are known, auto or not. */
export const reEnriched = <R extends ForecastResponse>(
  request: ForecastRequest,
  response: R,
): R => {
  const { forecasts } = response;
  const series = request.series.map((one, i) => ({ ...one, freq: forecasts[i]!.freq }));
  return { ...response, ...enrich({ ...request, series }, response) };
};
