/** Series, tables and calibration. */
import {
  AnalyzeResponse,
  ConformalResponse,
  GenerateResponse,
  ReconcileResponse,
  UploadedSeries,
} from '@tollama/core/answers/series';
import {
  AnalyzeRequest,
  ConformalForecastRequest,
  ConformalSeriesRequest,
  GenerateRequest,
  ReconcileForecastRequest,
  ReconcileSeriesRequest,
} from '@tollama/core/series-requests';
import { z } from 'zod';
import { UploadFields } from '../../routes/ingest.ts';
import { OF_FORECAST } from '../errors.ts';
import { body, json, type Operation, operationsOf } from '../operation.ts';
import { uploadForm } from '../upload-form.ts';

const { post } = operationsOf('series');

const ReconcileRequest = z.union([ReconcileForecastRequest, ReconcileSeriesRequest]);
const ConformalRequest = z.union([ConformalForecastRequest, ConformalSeriesRequest]);

export const SERIES: readonly Operation[] = [
  post('/api/analyze', 'analyzeSeries', 'Trend, seasons, anomalies and quality of series', {
    ...body('AnalyzeRequest', AnalyzeRequest),
    ...json(AnalyzeResponse),
  }),
  post('/api/generate', 'generateSeries', 'New series like given ones', {
    ...body('GenerateRequest', GenerateRequest),
    ...json(GenerateResponse),
  }),
  post('/api/ingest/upload', 'uploadSeries', 'Series of a table', {
    form: uploadForm('UploadForm', UploadFields.shape),
    ...json(UploadedSeries),
    errors: ['INVALID_INPUT', 'DEPENDENCY_MISSING'],
  }),
  post('/api/reconcile', 'reconcile', 'Make forecasts of a hierarchy add up', {
    ...body('ReconcileRequest', ReconcileRequest),
    ...json(ReconcileResponse),
    errors: OF_FORECAST,
  }),
  post('/api/conformal', 'conformal', 'Intervals that held what they promise in the past', {
    ...body('ConformalRequest', ConformalRequest),
    ...json(ConformalResponse),
    errors: OF_FORECAST,
  }),
];
