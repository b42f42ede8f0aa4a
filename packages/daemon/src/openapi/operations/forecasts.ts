/** Forecasts, alone and several in one. */

import { PipelineResponse, ReportResponse } from '@tollama/core/answers/reports';
import { ForecastEvent, ForecastLine, ProgressiveEvent } from '@tollama/core/answers/streams';
import {
  AutoForecastResponse,
  CompareResponse,
  CounterfactualResponse,
  ScenarioTreeResponse,
  ValidationResponse,
  WhatIfResponse,
} from '@tollama/core/answers/variants';
import { ForecastRequest } from '@tollama/core/forecast-request';
import { ForecastResponse } from '@tollama/core/forecast-response';
import {
  AutoForecastRequest,
  CompareRequest,
  CounterfactualRequest,
  PipelineRequest,
  ReportRequest,
  ScenarioTreeRequest,
  WhatIfRequest,
} from '@tollama/core/forecast-variants';
import { z } from 'zod';
import { ForecastUploadFields } from '../../routes/ingest.ts';
import { OF_FORECAST, OF_PULL } from '../errors.ts';
import * as example from '../examples.ts';
import { body, events, json, type Operation, operationsOf } from '../operation.ts';
import { uploadForm } from '../upload-form.ts';

/** A forecast as clients may send it: what a modelfile or a table brings may be missing. */
const ForecastBody = z.strictObject({
  ...ForecastRequest.shape,
  model: ForecastRequest.shape.model.optional().describe('may come from the modelfile'),
  horizon: ForecastRequest.shape.horizon.optional().describe('may come from the modelfile'),
  series: ForecastRequest.shape.series.optional().describe('or data_url'),
});

const StreamedForecastBody = z.strictObject({
  ...ForecastBody.shape,
  stream: z.boolean().default(true),
});

const forecasts = operationsOf('forecasts');
const scenarios = operationsOf('scenarios');

/** Errors of a forecast, and of a modelfile that is not there. */
const errors = [...OF_FORECAST, 'NOT_FOUND'] as const;

export const FORECASTS: readonly Operation[] = [
  forecasts.post('/v1/forecast', 'forecast', 'Forecast series', {
    ...body('ForecastBody', ForecastBody, { example: example.FORECAST_BODY }),
    ...json(ForecastResponse),
    example: example.FORECAST,
    errors,
  }),
  forecasts.post(
    '/api/forecast',
    'forecastLines',
    'Forecast series; a stream of lines unless stream is false',
    {
      ...body('StreamedForecastBody', StreamedForecastBody, {
        example: { ...example.FORECAST_BODY, stream: false },
      }),
      answer: { 'application/json': ForecastResponse, 'application/x-ndjson': ForecastLine },
      example: example.FORECAST,
      errors,
    },
  ),
  forecasts.post('/api/forecast/stream', 'forecastEvents', 'Forecast series, told as events', {
    ...body('StreamedForecastBody', StreamedForecastBody),
    ...events(ForecastEvent),
    errors,
  }),
  forecasts.post(
    '/api/forecast/progressive',
    'forecastProgressively',
    'A quick forecast, then a better one, as events',
    {
      ...body('AutoForecastRequest', AutoForecastRequest),
      ...events(ProgressiveEvent),
      errors: OF_FORECAST,
    },
  ),
  forecasts.post('/api/forecast/upload', 'forecastUpload', 'Forecast the series of a table', {
    form: uploadForm('ForecastUploadForm', ForecastUploadFields.shape),
    ...json(ForecastResponse),
    errors: [...errors, 'INVALID_INPUT', 'DEPENDENCY_MISSING'],
  }),
  forecasts.post('/api/auto-forecast', 'autoForecast', 'Forecast by the model that fits', {
    ...body('AutoForecastRequest', AutoForecastRequest, { example: example.AUTO_FORECAST_BODY }),
    ...json(AutoForecastResponse),
    example: example.AUTO_FORECAST,
    errors: OF_FORECAST,
  }),
  forecasts.post(
    '/api/validate',
    'validateForecast',
    'Check a forecast request without running it',
    {
      ...body('StreamedForecastBody', StreamedForecastBody, { example: example.FORECAST_BODY }),
      ...json(ValidationResponse),
      example: example.VALIDATION,
    },
  ),
];

export const SCENARIOS: readonly Operation[] = [
  scenarios.post('/api/compare', 'compareModels', 'The same forecast by several models', {
    ...body('CompareRequest', CompareRequest, { example: example.COMPARE_BODY }),
    ...json(CompareResponse),
    errors: ['RATE_LIMITED'],
  }),
  scenarios.post('/api/what-if', 'whatIf', 'Forecasts of changed data beside the plain one', {
    ...body('WhatIfRequest', WhatIfRequest),
    ...json(WhatIfResponse),
    errors: OF_FORECAST,
  }),
  scenarios.post(
    '/api/counterfactual',
    'counterfactual',
    'What would have come without an intervention',
    {
      ...body('CounterfactualRequest', CounterfactualRequest),
      ...json(CounterfactualResponse),
      errors: OF_FORECAST,
    },
  ),
  scenarios.post('/api/scenario-tree', 'scenarioTree', 'Paths that branch at quantiles', {
    ...body('ScenarioTreeRequest', ScenarioTreeRequest),
    ...json(ScenarioTreeResponse),
    errors: OF_FORECAST,
  }),
  scenarios.post('/api/pipeline', 'runPipeline', 'Analysis, recommendation and forecast', {
    ...body('PipelineRequest', PipelineRequest),
    ...json(PipelineResponse),
    errors: [...OF_FORECAST, ...OF_PULL],
  }),
  scenarios.post('/api/report', 'runReport', 'The pipeline with a baseline and metrics', {
    ...body('ReportRequest', ReportRequest),
    ...json(ReportResponse),
    errors: [...OF_FORECAST, ...OF_PULL],
  }),
];
