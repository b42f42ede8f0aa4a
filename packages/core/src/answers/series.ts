/** Answers about series: their analysis, new ones, tables, forecasts made coherent or calibrated. */
import { z } from 'zod';
import { Forecast, TrendDirection } from '../forecast-response.ts';
import { REPAIR_METHODS } from '../ingest-options.ts';
import { Series } from '../series.ts';
import type { Answer } from './answer.ts';
import { Warnings } from './variants.ts';

export const Anomaly = z.object({
  index: z.int(),
  type: z.enum(['spike', 'dip', 'shift', 'trend_break']),
  severity: z.enum(['low', 'medium', 'high']),
  value: z.number(),
  range_start: z.int(),
  range_end: z.int(),
  suggested_handling: z.string(),
});

export const SeriesAnalysis = z.object({
  id: z.string(),
  detected_frequency: z.string(),
  seasonality_periods: z.array(z.int()).describe('steps, ascending'),
  trend: z.object({ direction: TrendDirection, slope: z.number(), r2: z.number() }),
  anomaly_indices: z.array(z.int()),
  anomalies: z.array(Anomaly),
  stationarity_flag: z.boolean().nullable().describe('null where there are too few points to say'),
  data_quality_score: z.number(),
  warnings: Warnings,
});
export type SeriesAnalysis = Answer<typeof SeriesAnalysis>;

/** The analysis of one series in a sentence, and what to mind. */
export const AnalysisNarrative = z.object({
  id: z.string(),
  summary: z.string(),
  trend_direction: TrendDirection,
  dominant_seasonality_period: z.int().nullable(),
  anomaly_count: z.int(),
  data_quality_score: z.number(),
  key_risks: z.array(z.string()),
});

export const AnalyzeResponse = z.object({
  results: z.array(SeriesAnalysis),
  warnings: Warnings,
  narrative: z.object({ series: z.array(AnalysisNarrative) }).nullable(),
});
export type AnalyzeResponse = Answer<typeof AnalyzeResponse>;

export const GeneratedSeries = z.object({
  id: z.string(),
  source_id: z.string(),
  freq: z.string(),
  timestamps: z.array(z.string()),
  target: z.array(z.number()),
});

export const GenerateResponse = z.object({
  method: z.string(),
  seed: z.int().describe('makes the same series again'),
  generated: z.array(GeneratedSeries),
  warnings: Warnings,
});
export type GenerateResponse = Answer<typeof GenerateResponse>;

/** What was found and repaired in one series of a table. */
export const SeriesRepair = z.object({
  id: z.string(),
  original_row_count: z.int(),
  regularized_row_count: z.int(),
  raw_null_target_count: z.int(),
  missing_timestamp_count: z.int(),
  imputed_point_count: z.int(),
  max_gap: z.int(),
  missing_ratio: z.number(),
  requested_method: z.enum(REPAIR_METHODS),
  used_method: z.string(),
  warnings: Warnings,
});

export const UploadedSeries = z.object({
  filename: z.string(),
  series: z.array(Series),
  preprocessing: z.array(SeriesRepair).optional().describe('where a repair was asked for'),
  warnings: z.array(z.string()).nullish(),
});
export type UploadedSeries = Answer<typeof UploadedSeries>;

/** With `check_only` only `coherent` and `violations`. Fields of a given forecast come back with it. */
export const ReconcileResponse = z.looseObject({
  coherent: z.boolean().optional(),
  violations: z.array(z.string()).optional(),
  forecasts: z.array(Forecast).optional(),
  reconciliation: z
    .object({ method: z.string(), shrinkage: z.number().nullable(), levels: z.int() })
    .optional(),
  warnings: Warnings.optional(),
});
export type ReconcileResponse = Answer<typeof ReconcileResponse>;

/** Half widths of the intervals, and what they stand on. */
const WIDTHS = {
  widths: z.array(z.number()),
  by_step: z.boolean(),
  scores: z.int(),
} as const;

/** Of a given forecast its widths; of series those of each. */
export const Calibration = z.object({
  coverage: z.number(),
  method: z.enum(['split', 'adaptive']),
  widths: WIDTHS.widths.optional(),
  by_step: WIDTHS.by_step.optional(),
  scores: WIDTHS.scores.optional(),
  series: z.array(z.object({ id: z.string(), windows: z.int(), ...WIDTHS })).optional(),
});

/** Fields of a given forecast come back with it. */
export const ConformalResponse = z.looseObject({
  model: z.string(),
  forecasts: z.array(Forecast),
  calibration: Calibration,
  warnings: Warnings,
});
export type ConformalResponse = Answer<typeof ConformalResponse>;
