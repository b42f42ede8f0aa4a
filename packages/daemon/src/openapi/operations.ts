/** Every route of the daemon: what it is for, what goes in, what comes out. `/openapi.json` and `/docs` read it. */

import { BatchRun } from '@tollama/core/batch-run';
import { ForecastProfile } from '@tollama/core/forecast-profile';
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
import {
  AnalyzeRequest,
  ConformalForecastRequest,
  ConformalSeriesRequest,
  GenerateRequest,
  ReconcileForecastRequest,
  ReconcileSeriesRequest,
} from '@tollama/core/series-requests';
import { JobState, TrainBody } from '@tollama/core/training-job';
import { z } from 'zod';
import { PullBody } from '../pull/pull-options.ts';
import { ForecastUploadFields, UploadFields } from '../routes/ingest.ts';
import { ModelfileBody } from '../routes/modelfiles.ts';
import { ModelBody } from '../routes/models.ts';
import { V1PullBody } from '../routes/pull.ts';
import { CopyBody, CreateBody, PruneBody, VerifyBody } from '../routes/store.ts';
import { DROP_IN } from './drop-in.ts';
import type { Operation } from './operation.ts';

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

const FORECAST = { name: 'ForecastBody', schema: ForecastBody };
const STREAMED = { name: 'StreamedForecastBody', schema: StreamedForecastBody };
const AUTO = { name: 'AutoForecastRequest', schema: AutoForecastRequest };
const RESPONSE = { name: 'ForecastResponse', schema: ForecastResponse };
const LINES = ['application/json', 'application/x-ndjson'] as const;
const EVENTS = ['text/event-stream'] as const;

const post = (
  path: string,
  tag: Operation['tag'],
  summary: string,
  more: Partial<Operation> = {},
): Operation => ({ method: 'post', path, tag, summary, ...more });

const get = (
  path: string,
  tag: Operation['tag'],
  summary: string,
  more: Partial<Operation> = {},
): Operation => ({ method: 'get', path, tag, summary, ...more });

const body = (name: string, schema: z.ZodType): Pick<Operation, 'body'> => ({
  body: { name, schema },
});

const FORECASTS: readonly Operation[] = [
  post('/v1/forecast', 'forecasts', 'Forecast series', { body: FORECAST, answer: RESPONSE }),
  post('/api/forecast', 'forecasts', 'Forecast series; a stream of lines unless stream is false', {
    body: STREAMED,
    answers: LINES,
    answer: RESPONSE,
  }),
  post('/api/forecast/stream', 'forecasts', 'Forecast series, told as events', {
    body: STREAMED,
    answers: EVENTS,
  }),
  post('/api/forecast/progressive', 'forecasts', 'A quick forecast, then a better one, as events', {
    body: AUTO,
    answers: EVENTS,
  }),
  post('/api/forecast/upload', 'forecasts', 'Forecast the series of a table', {
    form: { name: 'ForecastUploadFields', schema: ForecastUploadFields },
    answer: RESPONSE,
  }),
  post('/api/auto-forecast', 'forecasts', 'Forecast by the model that fits', { body: AUTO }),
  post('/api/validate', 'forecasts', 'Check a forecast request without running it', {
    body: FORECAST,
  }),
];

const SCENARIOS: readonly Operation[] = [
  post(
    '/api/compare',
    'scenarios',
    'The same forecast by several models',
    body('CompareRequest', CompareRequest),
  ),
  post(
    '/api/what-if',
    'scenarios',
    'Forecasts of changed data beside the plain one',
    body('WhatIfRequest', WhatIfRequest),
  ),
  post(
    '/api/counterfactual',
    'scenarios',
    'What would have come without an intervention',
    body('CounterfactualRequest', CounterfactualRequest),
  ),
  post(
    '/api/scenario-tree',
    'scenarios',
    'Paths that branch at quantiles',
    body('ScenarioTreeRequest', ScenarioTreeRequest),
  ),
  post(
    '/api/pipeline',
    'scenarios',
    'Analysis, recommendation and forecast',
    body('PipelineRequest', PipelineRequest),
  ),
  post(
    '/api/report',
    'scenarios',
    'The pipeline with a baseline and metrics',
    body('ReportRequest', ReportRequest),
  ),
];

const SERIES: readonly Operation[] = [
  post(
    '/api/analyze',
    'series',
    'Trend, seasons, anomalies and quality of series',
    body('AnalyzeRequest', AnalyzeRequest),
  ),
  post(
    '/api/generate',
    'series',
    'New series like given ones',
    body('GenerateRequest', GenerateRequest),
  ),
  post('/api/ingest/upload', 'series', 'Series of a table', {
    form: { name: 'UploadFields', schema: UploadFields },
  }),
  post(
    '/api/reconcile',
    'series',
    'Make forecasts of a hierarchy add up',
    body('ReconcileRequest', z.union([ReconcileForecastRequest, ReconcileSeriesRequest])),
  ),
  post(
    '/api/conformal',
    'series',
    'Intervals that held what they promise in the past',
    body('ConformalRequest', z.union([ConformalForecastRequest, ConformalSeriesRequest])),
  ),
];

const MODELS: readonly Operation[] = [
  get('/api/tags', 'models', 'Installed models'),
  get('/v1/models', 'models', 'Models on offer and installed models'),
  get('/v1/models/:name/capabilities', 'models', 'What a model can do'),
  get('/api/ps', 'models', 'Loaded models'),
  post('/api/show', 'models', 'All about an installed model', body('ModelBody', ModelBody)),
  post('/api/pull', 'models', 'Pull a model', { ...body('PullBody', PullBody), answers: LINES }),
  post('/v1/models/pull', 'models', 'Pull a model', body('V1PullBody', V1PullBody)),
  post('/api/create', 'models', 'Make a model from a Modelfile, or with random weights', {
    ...body('CreateBody', CreateBody),
    answers: LINES,
  }),
  post('/api/copy', 'models', 'Copy a model', body('CopyBody', CopyBody)),
  post('/api/verify', 'models', 'Check the files of a model', {
    ...body('VerifyBody', VerifyBody),
    answers: ['application/x-ndjson'],
  }),
  post('/api/prune', 'models', 'Remove files that nothing needs', body('PruneBody', PruneBody)),
  post('/api/stop', 'models', 'Unload a model', body('ModelBody', ModelBody)),
  {
    method: 'delete',
    path: '/api/delete',
    tag: 'models',
    summary: 'Remove a model',
    ...body('ModelBody', ModelBody),
  },
  { method: 'delete', path: '/v1/models/:name', tag: 'models', summary: 'Remove a model' },
];

const PROFILES: readonly Operation[] = [
  get('/api/modelfiles', 'profiles', 'All profiles'),
  post(
    '/api/modelfiles',
    'profiles',
    'Write a profile, as JSON or as YAML',
    body('ModelfileBody', ModelfileBody),
  ),
  get('/api/modelfiles/:name', 'profiles', 'One profile', {
    answer: {
      name: 'StoredModelfile',
      schema: z.object({ name: z.string(), path: z.string(), profile: ForecastProfile }),
    },
  }),
  {
    method: 'delete',
    path: '/api/modelfiles/:name',
    tag: 'profiles',
    summary: 'Remove a profile',
  },
];

/** What DELETE answers with ?purge=true. */
const Deleted = z.object({ deleted: z.literal(true), id: z.string() });

const JOB = { answer: { name: 'TrainingJob', schema: JobState } };

const TRAINING: readonly Operation[] = [
  post('/api/train', 'training', 'Train a model; the job waits for its turn', {
    ...body('TrainBody', TrainBody),
    ...JOB,
  }),
  get('/api/train', 'training', 'All trainings, the newest first', {
    answer: { name: 'TrainingJobs', schema: z.object({ jobs: z.array(JobState) }) },
  }),
  get('/api/train/:id', 'training', 'One training', JOB),
  get('/api/train/:id/events', 'training', 'What a training tells, as events, until it ends', {
    query: { after: 'number of the last event that is known; Last-Event-ID does the same' },
    answers: EVENTS,
  }),
  post('/api/train/:id/resume', 'training', 'Let a stopped or halted training go on', JOB),
  {
    method: 'delete',
    path: '/api/train/:id',
    tag: 'training',
    summary: 'End a training after the step under way; its state is kept',
    query: { purge: 'true deletes a training that does not run, with its checkpoints' },
    answer: { name: 'StoppedTraining', schema: z.union([JobState, Deleted]) },
  },
];

const BATCH = { answer: { name: 'BatchRun', schema: BatchRun } };

const BATCHES: readonly Operation[] = [
  get('/api/batches', 'batches', 'All runs that are known, the latest first', {
    answer: { name: 'BatchRuns', schema: z.object({ batches: z.array(BatchRun) }) },
  }),
  get('/api/batches/:id', 'batches', 'One run', BATCH),
  {
    method: 'delete',
    path: '/api/batches/:id',
    tag: 'batches',
    summary: 'Ask a run to stop; the same command goes on with it',
    query: { purge: 'true forgets a run that is over; its output stays' },
    answer: { name: 'StoppedBatch', schema: z.union([BatchRun, Deleted]) },
  },
];

const SYSTEM: readonly Operation[] = [
  get('/', 'system', 'Says that the daemon runs', { answers: ['text/plain'] }),
  get('/v1/health', 'system', 'Whether the daemon answers'),
  get('/health/live', 'system', 'Whether the daemon answers'),
  get('/health/ready', 'system', 'Whether runners and disk are well'),
  get('/api/version', 'system', 'Version'),
  get('/api/info', 'system', 'Settings, models and runners'),
  get('/api/usage', 'system', "What the caller's key has used"),
  get('/api/events', 'system', 'What happens, as events', {
    query: {
      event: 'name of an event; may be repeated',
      events: 'names with commas between',
      heartbeat: 'seconds after which a silent stream shows life',
      max_events: 'events after which the stream ends',
    },
    answers: EVENTS,
  }),
  get('/dashboard', 'system', 'The dashboard', { answers: ['text/html'] }),
  get('/dashboard/:path', 'system', 'Its files', { answers: ['text/html'] }),
  get('/api/dashboard/state', 'system', 'What the dashboard shows first'),
  get('/metrics', 'system', 'Metrics for Prometheus', { answers: ['text/plain'] }),
  get('/openapi.json', 'system', 'This document'),
  get('/docs', 'system', 'This document for people', { answers: ['text/html'] }),
  get('/redoc', 'system', 'The same as /docs', { answers: ['text/html'] }),
];

export const OPERATIONS: readonly Operation[] = [
  ...FORECASTS,
  ...SCENARIOS,
  ...SERIES,
  ...MODELS,
  ...PROFILES,
  ...TRAINING,
  ...BATCHES,
  ...DROP_IN,
  ...SYSTEM,
];
