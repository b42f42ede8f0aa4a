/** Answers that have everything on some series. */
import { z } from 'zod';
import { ForecastMetrics, ForecastResponse } from '../forecast-response.ts';
import type { Answer } from './answer.ts';
import { AnalyzeResponse } from './series.ts';
import { AutoForecastResponse, RankedModel, Warnings } from './variants.ts';

/** Models that suit a request, installed or not. */
export const Recommendation = z.object({
  request: z.object({
    horizon: z.int(),
    series_count: z.int(),
    longest_history: z.int(),
    covariates: z.array(z.string()),
  }),
  recommendations: z.array(z.object({ ...RankedModel.shape, installed: z.boolean() })),
  total_candidates: z.int(),
  excluded: z.array(z.object({ model: z.string(), family: z.string(), reason: z.string() })),
});
export type Recommendation = Answer<typeof Recommendation>;

export const PipelineResponse = z.object({
  analysis: AnalyzeResponse,
  recommendation: Recommendation,
  pulled_model: z.string().nullable(),
  auto_forecast: AutoForecastResponse,
  warnings: Warnings,
  narrative: z
    .object({
      summary: z.string(),
      chosen_model: z.string(),
      pulled_model: z.string().nullable(),
      warnings_count: z.int(),
    })
    .nullable(),
});
export type PipelineResponse = Answer<typeof PipelineResponse>;

export const ReportResponse = z.object({
  analysis: AnalyzeResponse,
  recommendation: Recommendation,
  forecast: AutoForecastResponse,
  baseline: ForecastResponse.nullable(),
  metrics: ForecastMetrics.nullable(),
  warnings: Warnings,
  narrative: z
    .object({
      summary: z.string(),
      chosen_model: z.string(),
      anomaly_count: z.int(),
      key_insights: z.array(z.string()),
      warnings_count: z.int(),
    })
    .nullable(),
});
export type ReportResponse = Answer<typeof ReportResponse>;
