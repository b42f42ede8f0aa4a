/** The Open Inference Protocol, and KServe's time series. */
import { z } from 'zod';
import { TimeSeriesBody } from '../../open-inference/time-series.ts';
import { OF_FORECAST } from '../errors.ts';
import * as schemas from '../inference-schemas.ts';
import { body, json, type Operation, operationsOf, place } from '../operation.ts';

const { get, post } = operationsOf('inference');

const missing = { errors: ['MODEL_NOT_FOUND'] } as const;
const runs = { errors: [...OF_FORECAST, 'FORECAST_UNAVAILABLE'] } as const;
const optional = { isOptional: true } as const;

const headerLength = {
  'inference-header-content-length': {
    in: 'header',
    description: 'bytes of JSON before the bytes of the tensors',
    schema: z.int().positive(),
  },
} as const;

/** suffix: sets the names of the routes with a version apart */
const ofModel = (base: string, suffix: string): readonly Operation[] => {
  const parameters = suffix
    ? { version: place('a model has one version', z.string().default('1')) }
    : {};
  return [
    get(base, `modelMetadata${suffix}`, 'Tensors of a model', {
      parameters,
      ...json(schemas.ModelMetadata),
      errors: [...missing.errors, 'RUNNER_ERROR', 'RUNNER_UNAVAILABLE', 'LICENSE_REQUIRED'],
    }),
    get(`${base}/ready`, `modelReady${suffix}`, 'Whether a model can be asked', {
      parameters,
      ...json(schemas.ModelReady),
      errors: [...missing.errors, 'FORECAST_UNAVAILABLE'],
    }),
    get(`${base}/config`, `modelConfig${suffix}`, 'Configuration of a model', {
      parameters,
      ...json(schemas.ModelConfig),
      errors: [...missing.errors, 'RUNNER_ERROR', 'RUNNER_UNAVAILABLE', 'LICENSE_REQUIRED'],
    }),
    get(`${base}/stats`, `modelStatistics${suffix}`, 'Inferences of a model', {
      parameters,
      ...json(schemas.StatisticsResponse),
      ...missing,
    }),
    post(`${base}/infer`, `infer${suffix}`, 'Forecast the rows of a tensor', {
      parameters: { ...parameters, ...headerLength },
      ...body('InferRequest', schemas.InferRequest, { alsoAs: ['application/octet-stream'] }),
      answer: { 'application/json': schemas.InferResponse, 'application/octet-stream': null },
      ...runs,
    }),
  ];
};

const MODEL = '/v2/models/:name';

export const INFERENCE: readonly Operation[] = [
  get('/v2', 'serverMetadata', 'Name, version and extensions', json(schemas.ServerMetadata)),
  get('/v2/health/live', 'serverLive', 'Whether the server answers', json(schemas.ServerLive)),
  get('/v2/health/ready', 'serverReady', 'Whether the server takes requests', {
    ...json(schemas.ServerReady),
  }),
  get('/v2/models/stats', 'allStatistics', 'Inferences of all models', {
    ...json(schemas.StatisticsResponse),
  }),
  ...ofModel(MODEL, ''),
  ...ofModel(`${MODEL}/versions/:version`, 'OfVersion'),
  post('/v2/repository/index', 'repositoryIndex', 'Models and their states', {
    ...body('RepositoryIndexBody', schemas.RepositoryIndexBody, optional),
    ...json(schemas.RepositoryIndex),
  }),
  post('/v2/repository/models/:name/load', 'repositoryLoad', 'Load a model for good', {
    ...body('RepositoryBody', schemas.RepositoryBody, optional),
    ...json(schemas.LoadedByRepository),
    ...runs,
  }),
  post('/v2/repository/models/:name/unload', 'repositoryUnload', 'Take a model out of memory', {
    ...body('RepositoryBody', schemas.RepositoryBody, optional),
    ...json(schemas.UnloadedByRepository),
    ...missing,
  }),
  get('/v1/timeseries/models', 'timeSeriesModels', 'Models of the time-series API', {
    ...json(schemas.ModelNames),
  }),
  post('/v1/timeseries/forecast', 'timeSeriesForecast', 'Forecast series as KServe has them', {
    ...body('TimeSeriesBody', TimeSeriesBody),
    ...json(schemas.TimeSeriesResponse),
    ...runs,
  }),
];
