/** The TimeGPT API, for its own client. */
import { z } from 'zod';
import {
  AnomalyBody,
  CrossValidationBody,
  ExplainBody,
  FinetuneBody,
  ForecastBody,
  JobFields,
  OnlineAnomalyBody,
  SimulateBody,
} from '../../timegpt/requests.ts';
import { OF_FORECAST } from '../errors.ts';
import { body, json, type Operation, operationsOf, place, query } from '../operation.ts';
import * as answers from '../timegpt-answers.ts';

const { get, post, remove } = operationsOf('timegpt');

/** `h` and `full_history` are filled in. */
const HistoricForecastBody = CrossValidationBody.extend({
  h: CrossValidationBody.shape.h.optional(),
});

/** A task's body, with what is asked of the job. */
const job = <T extends z.ZodRawShape>(task: z.ZodObject<T>) =>
  z.object({ ...task.shape, ...JobFields.shape });

/** Bodies of jobs by their names in the document. */
export const JOB_BODIES = {
  TimegptForecastJob: job(ForecastBody),
  TimegptCrossValidationJob: job(CrossValidationBody),
  TimegptFinetuneJob: job(FinetuneBody),
  TimegptSimulateJob: job(SimulateBody),
  TimegptExplainJob: job(ExplainBody),
  TimegptAnomalyJob: job(OnlineAnomalyBody),
} as const;

const JobBody = z.union(Object.values(JOB_BODIES));

const task = place(
  'what to do',
  z.enum(['forecast', 'cross_validation', 'finetune', 'simulate', 'explain', 'anomaly_detection']),
);
const runs = { errors: OF_FORECAST } as const;
const tunes = { errors: [...OF_FORECAST, 'DEPENDENCY_MISSING', 'MODEL_EXISTS'] } as const;
const missing = { errors: ['NOT_FOUND'] } as const;

export const TIMEGPT: readonly Operation[] = [
  get('/validate_api_key', 'timegptValidateApiKey', 'Whether the key is valid', {
    ...json(answers.TimegptDetail),
  }),
  get('/usage', 'timegptUsage', 'Forecasts in the last minute and this month', {
    ...json(answers.TimegptUsage),
  }),
  get('/model_params', 'timegptModelParams', 'Points that a model reads and steps that it gives', {
    parameters: {
      model: query('name of a model', z.string().default('timegpt-1')),
      freq: query('pandas alias; the answer does not depend on it', z.string()),
    },
    ...json(answers.TimegptModelParams),
    errors: ['INVALID_REQUEST', 'MODEL_NOT_FOUND', 'RUNNER_ERROR', 'LICENSE_REQUIRED'],
  }),
  get('/v2/models', 'timegptModels', 'Models that can forecast', json(answers.TimegptModels)),
  post('/v2/forecast', 'timegptForecast', 'Forecast a panel', {
    ...body('TimegptForecastBody', ForecastBody),
    ...json(answers.TimegptForecast),
    ...runs,
  }),
  post('/v2/cross_validation', 'timegptCrossValidation', 'Forecasts from earlier origins', {
    ...body('TimegptCrossValidationBody', CrossValidationBody),
    ...json(answers.TimegptCrossValidation),
    ...runs,
  }),
  post('/v2/historic_forecast', 'timegptHistoricForecast', 'A fit of the history', {
    ...body('TimegptHistoricForecastBody', HistoricForecastBody),
    ...json(answers.TimegptCrossValidation),
    ...runs,
  }),
  post('/v2/anomaly_detection', 'timegptAnomalyDetection', 'Anomalies of the history', {
    ...body('TimegptAnomalyBody', AnomalyBody),
    ...json(answers.TimegptAnomalies),
    ...runs,
  }),
  post(
    '/v2/online_anomaly_detection',
    'timegptOnlineAnomalyDetection',
    'Anomalies among the latest points',
    {
      ...body('TimegptOnlineAnomalyBody', OnlineAnomalyBody),
      ...json(answers.TimegptOnlineAnomalies),
      ...runs,
    },
  ),
  post('/v2/finetune', 'timegptFinetune', 'Fine-tune a model', {
    ...body('TimegptFinetuneBody', FinetuneBody),
    ...json(answers.TimegptFinetuned),
    ...tunes,
  }),
  get('/v2/finetuned_models', 'timegptFinetunedModels', 'Fine-tuned models', {
    ...json(answers.TimegptTunedModels),
  }),
  get('/v2/finetuned_models/:id', 'timegptFinetunedModel', 'One of them', {
    ...json(answers.TimegptTunedModel),
    ...missing,
  }),
  remove('/v2/finetuned_models/:id', 'timegptDeleteFinetunedModel', 'Remove one', {
    status: 204,
    answer: {},
    ...missing,
  }),
  post('/v2/:task/async', 'timegptStartJob', 'Do a task as a job', {
    parameters: { task },
    ...body('TimegptJobBody', JobBody),
    ...json(answers.TimegptJobStarted),
    status: 202,
    errors: ['NOT_FOUND', 'NOT_OFFERED', 'RATE_LIMITED', 'DEPENDENCY_MISSING'],
  }),
  get('/v2/:task/jobs/:job', 'timegptJob', 'How a job stands, and its result', {
    parameters: { task },
    ...json(answers.TimegptJob),
    errors: ['NOT_FOUND', 'NOT_OFFERED'],
  }),
  get('/v2/execute_step/jobs/:job/result', 'timegptStepResult', 'Not offered', {
    ...json(answers.TimegptDetail),
    status: 501,
    isDeprecated: true,
  }),
  post('/v2/async/jobs/:job/cancel', 'timegptCancelJob', 'Cancel a job', {
    ...json(answers.TimegptJobCancelled),
    ...missing,
    otherErrors: { 409: 'the job is over' },
  }),
];
