/** Lines and events of forecasts that are told while they are made. Lines leave out what is absent. */
import { z } from 'zod';
import { ForecastResponse } from '../forecast-response.ts';

/** The last line of a forecast that failed after its stream began. */
export const ForecastErrorLine = z.object({
  error: z.object({
    detail: z.unknown(),
    hint: z.string().optional(),
    status: z.int(),
  }),
});

/** A forecast without what is absent. */
export const StreamedForecast = z.object({
  ...ForecastResponse.partial().shape,
  model: ForecastResponse.shape.model,
  forecasts: ForecastResponse.shape.forecasts,
});

/** One line of `/api/forecast`. */
export const ForecastLine = z.union([
  z.object({ status: z.enum(['loading model', 'running forecast']) }),
  z.object({ done: z.literal(true), response: StreamedForecast }),
  ForecastErrorLine,
]);

export const EventError = z.object({ code: z.int().describe('status'), message: z.string() });

/** Data of an event of `/api/forecast/stream`: model_loading, inference_started, series_complete, done, error. */
export const ForecastEvent = z.union([
  z.object({ model: z.string(), status: z.literal('loading') }),
  z.object({ model: z.string(), series_count: z.int(), horizon: z.int() }),
  z.object({
    series_id: z.string(),
    series_index: z.int(),
    total_series: z.int(),
    mean_length: z.int(),
  }),
  z.object({ response: StreamedForecast }),
  EventError,
]);

const STAGE = {
  stage: z.int(),
  strategy: z.enum(['explicit', 'fastest', 'best_accuracy']),
  model: z.string(),
  family: z.string(),
  final: z.boolean(),
} as const;

/** Data of an event of `/api/forecast/progressive`. */
export const ProgressiveEvent = z.union([
  z.object({ event: z.literal('model.selected'), ...STAGE, status: z.literal('selected') }),
  z.object({ event: z.literal('forecast.progress'), ...STAGE, status: z.literal('running') }),
  z.object({
    event: z.literal('forecast.complete'),
    ...STAGE,
    status: z.literal('completed'),
    response: StreamedForecast,
  }),
  z.object({
    event: z.literal('forecast.complete'),
    ...STAGE,
    status: z.literal('failed'),
    error: z.string(),
  }),
  z.object({ message: z.string() }).describe('a forecast.warning'),
  EventError,
]);
