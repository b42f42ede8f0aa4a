/** Requests that are made of several forecasts, and their answers, as far as clients rely on them. */
import type { Forecast, ForecastResponse } from '@tollama/core/forecast-response';
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

type Warnings = readonly string[] | null;

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

export interface RankedModel {
  readonly model: string;
  readonly family: string;
  readonly rank: number;
  readonly score: number;
  readonly reasons: readonly string[];
}

export interface AutoForecastResponse {
  readonly strategy: string;
  readonly selection: {
    readonly strategy: string;
    readonly chosen_model: string;
    readonly selected_models: readonly string[];
    readonly candidates: readonly RankedModel[];
    readonly rationale: readonly string[];
    readonly fallback_used: boolean;
  };
  readonly response: ForecastResponse;
}

/** One of several forecasts that failed. */
export interface Failure {
  readonly category: string;
  readonly status_code: number;
  readonly message: string;
}

interface Attempt {
  readonly ok: boolean;
  readonly response: ForecastResponse | null;
  readonly error: Failure | null;
}

export interface CompareResponse {
  readonly models: readonly string[];
  readonly horizon: number;
  readonly results: readonly (Attempt & { readonly model: string })[];
  readonly summary: {
    readonly requested_models: number;
    readonly succeeded: number;
    readonly failed: number;
  };
  readonly narrative: {
    readonly summary: string;
    readonly criterion: string;
    readonly best_model: string | null;
    readonly rankings: readonly {
      readonly model: string;
      readonly rank: number;
      readonly score: number | null;
    }[];
  } | null;
}

export interface WhatIfResponse {
  readonly model: string;
  readonly horizon: number;
  readonly baseline: ForecastResponse;
  readonly results: readonly (Attempt & { readonly scenario: string })[];
  readonly summary: {
    readonly requested_scenarios: number;
    readonly succeeded: number;
    readonly failed: number;
  };
}

export interface CounterfactualResponse {
  readonly model: string;
  readonly horizon: number;
  readonly intervention_index: number;
  readonly intervention_label: string | null;
  readonly baseline: ForecastResponse;
  readonly results: readonly {
    readonly id: string;
    readonly actual: readonly number[];
    readonly counterfactual: readonly number[];
    readonly delta: readonly number[];
    readonly absolute_delta: readonly number[];
    readonly mean_absolute_delta: number;
    readonly total_delta: number;
    readonly average_delta_pct: number | null;
    readonly direction: 'above_counterfactual' | 'below_counterfactual' | 'neutral';
    readonly steps_outside_band: number | null;
  }[];
  readonly warnings: Warnings;
}

export interface ScenarioTreeResponse {
  readonly model: string;
  readonly depth: number;
  readonly branch_quantiles: readonly number[];
  readonly nodes: readonly {
    readonly node_id: string;
    readonly parent_id: string | null;
    readonly series_id: string;
    readonly depth: number;
    readonly step: number;
    readonly branch: string;
    readonly quantile: number | null;
    readonly value: number | null;
    readonly probability: number;
  }[];
  readonly warnings: Warnings;
}

export interface SeriesAnalysis {
  readonly id: string;
  readonly detected_frequency: string;
  readonly seasonality_periods: readonly number[];
  readonly trend: {
    readonly direction: 'up' | 'down' | 'flat';
    readonly slope: number;
    readonly r2: number;
  };
  readonly anomaly_indices: readonly number[];
  readonly anomalies: readonly Readonly<Record<string, unknown>>[];
  readonly stationarity_flag: boolean | null;
  readonly data_quality_score: number;
  readonly warnings: Warnings;
}

export interface AnalyzeResponse {
  readonly results: readonly SeriesAnalysis[];
  readonly warnings: Warnings;
  readonly narrative: {
    readonly series: readonly Readonly<Record<string, unknown>>[];
  } | null;
}

export interface GenerateResponse {
  readonly method: string;
  readonly seed: number;
  readonly generated: readonly Readonly<Record<string, unknown>>[];
  readonly warnings: Warnings;
}

/** With `check_only` only `coherent` and `violations`. */
export interface ReconcileResponse {
  readonly coherent?: boolean;
  readonly violations?: readonly string[];
  readonly forecasts?: readonly Forecast[];
  readonly reconciliation?: {
    readonly method: string;
    readonly shrinkage: number | null;
    readonly levels: number;
  };
  readonly warnings?: Warnings;
}

export interface ConformalResponse {
  readonly model: string;
  readonly forecasts: readonly Forecast[];
  readonly calibration: Readonly<Record<string, unknown>> & {
    readonly coverage: number;
    readonly method: 'split' | 'adaptive';
  };
  readonly warnings: Warnings;
}

export interface Recommendation {
  readonly request: Readonly<Record<string, unknown>>;
  readonly recommendations: readonly (RankedModel & { readonly installed: boolean })[];
  readonly total_candidates: number;
  readonly excluded: readonly {
    readonly model: string;
    readonly family: string;
    readonly reason: string;
  }[];
}

type Narrative = Readonly<Record<string, unknown>> | null;

export interface PipelineResponse {
  readonly analysis: AnalyzeResponse;
  readonly recommendation: Recommendation;
  readonly pulled_model: string | null;
  readonly auto_forecast: AutoForecastResponse;
  readonly warnings: Warnings;
  readonly narrative: Narrative;
}

export interface ReportResponse {
  readonly analysis: AnalyzeResponse;
  readonly recommendation: Recommendation;
  readonly forecast: AutoForecastResponse;
  readonly baseline: ForecastResponse | null;
  readonly metrics: ForecastResponse['metrics'];
  readonly warnings: Warnings;
  readonly narrative: Narrative;
}

export type BodySeries = z.input<typeof Series>;
