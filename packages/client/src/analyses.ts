/** Requests that are made of several forecasts, and their answers. */
import type {
  AutoForecastRequest,
  CompareRequest,
  CounterfactualRequest,
  PipelineRequest,
  ReportRequest,
  ScenarioTreeRequest,
  WhatIfRequest,
} from '@tollama/core/forecast-variants';
import type { Series } from '@tollama/core/series';
import type {
  AnalyzeRequest,
  ConformalForecastRequest,
  ConformalSeriesRequest,
  GenerateRequest,
  ReconcileForecastRequest,
  ReconcileSeriesRequest,
} from '@tollama/core/series-requests';
import type { z } from 'zod';

export type {
  PipelineResponse,
  Recommendation,
  ReportResponse,
} from '@tollama/core/answers/reports';
export type {
  AnalyzeResponse,
  ConformalResponse,
  GenerateResponse,
  ReconcileResponse,
  SeriesAnalysis,
} from '@tollama/core/answers/series';
export type {
  AutoForecastResponse,
  CompareResponse,
  CounterfactualResponse,
  Failure,
  RankedModel,
  ScenarioTreeResponse,
  WhatIfResponse,
} from '@tollama/core/answers/variants';

export type AutoForecastBody = z.input<typeof AutoForecastRequest>;
export type CompareBody = z.input<typeof CompareRequest>;
export type WhatIfBody = z.input<typeof WhatIfRequest>;
export type CounterfactualBody = z.input<typeof CounterfactualRequest>;
export type ScenarioTreeBody = z.input<typeof ScenarioTreeRequest>;
export type PipelineBody = z.input<typeof PipelineRequest>;
export type ReportBody = z.input<typeof ReportRequest>;
export type AnalyzeBody = z.input<typeof AnalyzeRequest>;
export type GenerateBody = z.input<typeof GenerateRequest>;
export type ReconcileBody =
  | z.input<typeof ReconcileForecastRequest>
  | z.input<typeof ReconcileSeriesRequest>;
export type ConformalBody =
  | z.input<typeof ConformalForecastRequest>
  | z.input<typeof ConformalSeriesRequest>;

export type BodySeries = z.input<typeof Series>;
