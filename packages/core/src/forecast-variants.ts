/** Requests that are made of several forecasts (daemon contract, section 9). */
import { z } from 'zod';
import {
  checkSeries,
  FORECAST_FIELDS,
  type ForecastRequest,
  Quantiles,
} from './forecast-request.ts';
import { LIMITS } from './limits.ts';
import { ModelReference } from './model-reference.ts';

const Model = ModelReference;

const isUnique = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** The same forecast by several models. */
export const CompareRequest = z
  .strictObject({
    models: z.array(Model).min(2).max(64).refine(isUnique, { error: 'models must be unique' }),
    ...FORECAST_FIELDS,
  })
  .superRefine((request, context) => checkSeries(request, context));
export type CompareRequest = z.infer<typeof CompareRequest>;

export const STRATEGIES = ['auto', 'fastest', 'best_accuracy', 'ensemble'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const ENSEMBLE_METHODS = ['mean', 'median', 'trimmed_mean', 'winsorized_mean'] as const;
export type EnsembleMethod = (typeof ENSEMBLE_METHODS)[number];

const AUTO_FIELDS = {
  /** Chosen when absent. */
  model: Model.nullish(),
  /** Go on with another model where the named one, or every installed one, cannot be used. */
  allow_fallback: z.boolean().default(false),
  strategy: z.enum(STRATEGIES).default('auto'),
  /** Which model of config.json's routing goes first. */
  mode: z.enum(['default', 'fast_path', 'high_accuracy']).default('default'),
  ensemble_top_k: z.int().min(2).max(8).default(3),
  ensemble_method: z.enum(ENSEMBLE_METHODS).default('mean'),
  ...FORECAST_FIELDS,
} as const;

/** A forecast by the model that fits. */
export const AutoForecastRequest = z
  .strictObject(AUTO_FIELDS)
  .superRefine((request, context) => checkSeries(request, context));
export type AutoForecastRequest = z.infer<typeof AutoForecastRequest>;

export const Transform = z
  .strictObject({
    operation: z.enum(['multiply', 'add', 'replace']),
    field: z.enum(['target', 'past_covariates', 'future_covariates']),
    /** Name of the covariate. */
    key: z.string().min(1).nullish(),
    value: z.union([z.number(), z.string()]),
    /** All series when absent. */
    series_id: z.string().min(1).nullish(),
  })
  .superRefine(({ operation, field, key, value }, context) => {
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (field === 'target' && key) issue('key', "key has no meaning for field 'target'");
    if (field !== 'target' && !key) issue('key', `key is needed: which covariate of ${field}`);
    if (typeof value === 'number') return;
    if (operation !== 'replace') issue('value', `value must be a number for '${operation}'`);
    else if (field === 'target') issue('value', "value must be a number for field 'target'");
  });
export type Transform = z.infer<typeof Transform>;

export const Scenario = z.strictObject({
  name: z.string().min(1).max(LIMITS.idLength),
  transforms: z.array(Transform).min(1).max(1000),
});
export type Scenario = z.infer<typeof Scenario>;

/** A forecast as it is, and under changed histories. */
export const WhatIfRequest = z
  .strictObject({
    model: Model,
    scenarios: z
      .array(Scenario)
      .min(1)
      .max(100)
      .refine((all) => isUnique(all.map(({ name }) => name)), {
        error: 'scenario names must be unique',
      }),
    /** Whether other scenarios are run after one that fails. */
    continue_on_error: z.boolean().default(true),
    ...FORECAST_FIELDS,
  })
  .superRefine((request, context) => {
    checkSeries(request, context);
    const ids = new Set(request.series.map(({ id }) => id));
    request.scenarios.forEach(({ transforms }, i) => {
      transforms.forEach(({ series_id }, j) => {
        if (!series_id || ids.has(series_id)) return;
        const path = ['scenarios', i, 'transforms', j, 'series_id'];
        context.addIssue({ code: 'custom', path, message: `there is no series '${series_id}'` });
      });
    });
  });
export type WhatIfRequest = z.infer<typeof WhatIfRequest>;

const { horizon: _horizon, ...WITHOUT_HORIZON } = FORECAST_FIELDS;

/** What would have come without an intervention: the forecast from the point where it happened. */
export const CounterfactualRequest = z
  .strictObject({
    model: Model,
    /** Place of the first value after the intervention. */
    intervention_index: z.int().min(1),
    intervention_label: z.string().min(1).nullish(),
    ...WITHOUT_HORIZON,
  })
  .superRefine((request, context) => {
    const { series, intervention_index } = request;
    const first = series[0]?.target.length ?? 0;
    series.forEach(({ id, target }, i) => {
      const issue = (message: string): void =>
        context.addIssue({ code: 'custom', path: ['series', i, 'target'], message });
      if (intervention_index >= target.length) {
        issue(
          `intervention_index ${intervention_index} is not within the ${target.length} values of series '${id}'`,
        );
      } else if (target.length !== first) {
        issue(`series '${id}' has ${target.length} values, the first one ${first}`);
      } else if (first - intervention_index > LIMITS.horizon) {
        issue(`${first - intervention_index} values after the intervention are too many`);
      }
    });
    // Future covariates come out of the past ones; given ones would end at another place.
    const bare = series.map((one) => ({ ...one, future_covariates: null, actuals: null }));
    checkSeries({ series: bare, horizon: 1, parameters: {} }, context);
  });
export type CounterfactualRequest = z.infer<typeof CounterfactualRequest>;

/** Paths that branch at quantiles, step by step. */
export const ScenarioTreeRequest = z
  .strictObject({
    model: Model,
    depth: z.int().min(1).max(6).default(2),
    branch_quantiles: Quantiles.min(2).max(7).default([0.1, 0.5, 0.9]),
    ...FORECAST_FIELDS,
  })
  .superRefine((request, context) => {
    checkSeries(request, context);
    const { depth, horizon } = request;
    if (depth <= horizon) return;
    const message = `depth ${depth} is beyond the horizon ${horizon}`;
    context.addIssue({ code: 'custom', path: ['depth'], message });
  });
export type ScenarioTreeRequest = z.infer<typeof ScenarioTreeRequest>;

/** Controls of the analysis of series. */
export const AnalyzeParameters = z.strictObject({
  /** The latest points that are looked at. */
  max_points: z.int().min(3).max(100_000).default(5000),
  /** Longest season that is looked for. */
  max_lag: z.int().positive().max(5000).default(365),
  top_k_seasonality: z.int().positive().max(20).default(3),
  /** Inter-quartile ranges beyond the quartiles from which a value is an anomaly. */
  anomaly_iqr_k: z.number().positive().default(1.5),
});
export type AnalyzeParameters = z.infer<typeof AnalyzeParameters>;

const PIPELINE_FIELDS = {
  ...AUTO_FIELDS,
  analyze_parameters: AnalyzeParameters.prefault({}),
  recommend_top_k: z.int().min(1).max(20).default(3),
  /** Whether models whose licence must be accepted are recommended. */
  allow_restricted_license: z.boolean().default(false),
  /** Pull the best recommended model first. Off: nothing is fetched that nobody asked for. */
  pull_if_missing: z.boolean().default(false),
  accept_license: z.boolean().default(false),
} as const;

/** Analysis, recommendation and forecast in one. */
export const PipelineRequest = z
  .strictObject(PIPELINE_FIELDS)
  .superRefine((request, context) => checkSeries(request, context));
export type PipelineRequest = z.infer<typeof PipelineRequest>;

export const ReportRequest = z
  .strictObject({
    ...PIPELINE_FIELDS,
    /** A seasonal naive forecast beside, to compare with. */
    include_baseline: z.boolean().default(true),
  })
  .superRefine((request, context) => checkSeries(request, context));
export type ReportRequest = z.infer<typeof ReportRequest>;

type SharedFields = Omit<ForecastRequest, 'model' | 'modelfile' | 'data_url' | 'ingest'>;

/** The plain forecast of one of these requests. */
export const asForecastRequest = (model: string, request: SharedFields): ForecastRequest => {
  const { horizon, series, quantiles, options, parameters } = request;
  const { keep_alive, timeout, response_options } = request;
  return {
    model,
    ...{ horizon, series, quantiles, options, parameters },
    ...{ keep_alive, timeout, response_options },
  };
};
