/** The routes that other products' clients call: the TimeGPT API, the Open Inference Protocol, KServe's. */
import { z } from 'zod';
import { TimeSeriesBody } from '../open-inference/time-series.ts';
import {
  AnomalyBody,
  CrossValidationBody,
  FinetuneBody,
  ForecastBody,
  OnlineAnomalyBody,
} from '../timegpt/requests.ts';
import type { Operation } from './operation.ts';

const timegpt = (
  method: Operation['method'],
  path: string,
  summary: string,
  more: Partial<Operation> = {},
): Operation => ({ method, path, tag: 'timegpt', summary, ...more });

const body = (name: string, schema: z.ZodType): Pick<Operation, 'body'> => ({
  body: { name: `Timegpt${name}`, schema },
});

const CROSS_VALIDATION = body('CrossValidationBody', CrossValidationBody);

const TIMEGPT: readonly Operation[] = [
  timegpt('get', '/validate_api_key', 'Whether the key is valid'),
  timegpt('get', '/usage', 'Forecasts in the last minute and this month'),
  timegpt('get', '/model_params', 'Points that a model reads and steps that it gives', {
    query: { model: 'name', freq: 'pandas alias' },
  }),
  timegpt('get', '/v2/models', 'Models that can forecast'),
  timegpt('post', '/v2/forecast', 'Forecast a panel', body('ForecastBody', ForecastBody)),
  timegpt('post', '/v2/cross_validation', 'Forecasts from earlier origins', CROSS_VALIDATION),
  timegpt('post', '/v2/historic_forecast', 'A fit of the history', CROSS_VALIDATION),
  timegpt(
    'post',
    '/v2/anomaly_detection',
    'Anomalies of the history',
    body('AnomalyBody', AnomalyBody),
  ),
  timegpt(
    'post',
    '/v2/online_anomaly_detection',
    'Anomalies among the latest points',
    body('OnlineAnomalyBody', OnlineAnomalyBody),
  ),
  timegpt('post', '/v2/finetune', 'Fine-tune a model', body('FinetuneBody', FinetuneBody)),
  timegpt('get', '/v2/finetuned_models', 'Fine-tuned models'),
  timegpt('get', '/v2/finetuned_models/:id', 'One of them'),
  timegpt('delete', '/v2/finetuned_models/:id', 'Remove one'),
  timegpt('post', '/v2/:task/async', 'Do a task as a job'),
  timegpt('get', '/v2/:task/jobs/:job', 'How a job stands, and its result'),
  timegpt('get', '/v2/execute_step/jobs/:job/result', 'Not offered'),
  timegpt('post', '/v2/async/jobs/:job/cancel', 'Cancel a job'),
];

const inference = (
  method: Operation['method'],
  path: string,
  summary: string,
  more: Partial<Operation> = {},
): Operation => ({ method, path, tag: 'inference', summary, ...more });

const RepositoryIndex = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    state: z.enum(['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE']),
    reason: z.string(),
  }),
);

const MODEL = '/v2/models/:name';

const ofModel = (base: string): readonly Operation[] => [
  inference('get', base, 'Tensors of a model'),
  inference('get', `${base}/ready`, 'Whether a model can be asked'),
  inference('get', `${base}/config`, 'Configuration of a model'),
  inference('get', `${base}/stats`, 'Inferences of a model'),
  inference('post', `${base}/infer`, 'Forecast the rows of a tensor', {
    answers: ['application/json', 'application/octet-stream'],
  }),
];

const INFERENCE: readonly Operation[] = [
  inference('get', '/v2', 'Name, version and extensions'),
  inference('get', '/v2/health/live', 'Whether the server answers'),
  inference('get', '/v2/health/ready', 'Whether the server takes requests'),
  inference('get', '/v2/models/stats', 'Inferences of all models'),
  ...ofModel(MODEL),
  ...ofModel(`${MODEL}/versions/:version`),
  inference('post', '/v2/repository/index', 'Models and their states', {
    answer: { name: 'RepositoryIndex', schema: RepositoryIndex },
  }),
  inference('post', '/v2/repository/models/:name/load', 'Load a model for good'),
  inference('post', '/v2/repository/models/:name/unload', 'Take a model out of memory'),
  inference('get', '/v1/timeseries/models', 'Models of the time-series API', {
    answer: { name: 'ModelNames', schema: z.array(z.string()) },
  }),
  inference('post', '/v1/timeseries/forecast', 'Forecast series as KServe has them', {
    body: { name: 'TimeSeriesBody', schema: TimeSeriesBody },
  }),
];

export const DROP_IN: readonly Operation[] = [...TIMEGPT, ...INFERENCE];
