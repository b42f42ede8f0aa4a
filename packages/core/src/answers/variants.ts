/** Answers that are made of several forecasts. */
import { z } from 'zod';
import { ForecastResponse } from '../forecast-response.ts';
import { STRATEGIES } from '../forecast-variants.ts';
import type { Answer } from './answer.ts';

export const Warnings = z.array(z.string()).nullable();

export const RankedModel = z.object({
  model: z.string(),
  family: z.string(),
  rank: z.int(),
  score: z.number().describe('higher is better; comparable within one answer'),
  reasons: z.array(z.string()),
});
export type RankedModel = Answer<typeof RankedModel>;

/** Which model was chosen, and why. */
export const Selection = z.object({
  strategy: z.enum(STRATEGIES),
  chosen_model: z.string(),
  selected_models: z.array(z.string()),
  candidates: z.array(RankedModel),
  rationale: z.array(z.string()),
  fallback_used: z.boolean(),
});

export const AutoForecastResponse = z.object({
  strategy: z.enum(STRATEGIES),
  selection: Selection,
  response: ForecastResponse,
});
export type AutoForecastResponse = Answer<typeof AutoForecastResponse>;

/** One of several forecasts that failed. */
export const Failure = z.object({
  category: z.string(),
  status_code: z.int(),
  message: z.string(),
});
export type Failure = Answer<typeof Failure>;

/** Either a response or an error is null. */
const ATTEMPT = {
  ok: z.boolean(),
  response: ForecastResponse.nullable(),
  error: Failure.nullable(),
} as const;

const Ranking = z.object({ model: z.string(), rank: z.int(), score: z.number().nullable() });

export const CompareResponse = z.object({
  models: z.array(z.string()),
  horizon: z.int(),
  results: z.array(z.object({ model: z.string(), ...ATTEMPT })),
  summary: z.object({ requested_models: z.int(), succeeded: z.int(), failed: z.int() }),
  narrative: z
    .object({
      summary: z.string(),
      criterion: z.string(),
      best_model: z.string().nullable(),
      rankings: z.array(Ranking),
    })
    .nullable(),
});
export type CompareResponse = Answer<typeof CompareResponse>;

export const WhatIfResponse = z.object({
  model: z.string(),
  horizon: z.int(),
  baseline: ForecastResponse,
  results: z.array(z.object({ scenario: z.string(), ...ATTEMPT })),
  summary: z.object({ requested_scenarios: z.int(), succeeded: z.int(), failed: z.int() }),
});
export type WhatIfResponse = Answer<typeof WhatIfResponse>;

const Numbers = z.array(z.number());

/** What an intervention did to one series, step by step from its place on. */
export const InterventionEffect = z.object({
  id: z.string(),
  actual: Numbers,
  counterfactual: Numbers,
  delta: Numbers,
  absolute_delta: Numbers,
  mean_absolute_delta: z.number(),
  total_delta: z.number(),
  average_delta_pct: z.number().nullable(),
  direction: z.enum(['above_counterfactual', 'below_counterfactual', 'neutral']),
  steps_outside_band: z.int().nullable().describe('null without two quantiles'),
});

export const CounterfactualResponse = z.object({
  model: z.string(),
  horizon: z.int(),
  intervention_index: z.int(),
  intervention_label: z.string().nullable(),
  baseline: ForecastResponse,
  results: z.array(InterventionEffect),
  warnings: Warnings,
});
export type CounterfactualResponse = Answer<typeof CounterfactualResponse>;

export const ScenarioNode = z.object({
  node_id: z.string(),
  parent_id: z.string().nullable(),
  series_id: z.string(),
  depth: z.int(),
  step: z.int(),
  branch: z.string(),
  quantile: z.number().nullable(),
  value: z.number().nullable(),
  probability: z.number().describe('of the path from the root to here'),
});

export const ScenarioTreeResponse = z.object({
  model: z.string(),
  depth: z.int(),
  branch_quantiles: Numbers,
  nodes: z.array(ScenarioNode),
  warnings: Warnings,
});
export type ScenarioTreeResponse = Answer<typeof ScenarioTreeResponse>;

/** Whether a forecast would run. */
export const ValidationResponse = z.object({
  valid: z.boolean(),
  errors: z.array(z.string()),
  warnings: z.array(z.string()),
  suggestions: z.array(z.string()),
});
export type ValidationResponse = Answer<typeof ValidationResponse>;
