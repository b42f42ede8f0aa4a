import { z } from 'zod';
import { quickNumbers } from './trusted-array.ts';

export const Forecast = z.object({
  id: z.string(),
  freq: z.string(),
  /** The first forecast step, in the input's own format. */
  start_timestamp: z.string(),
  mean: quickNumbers(z.array(z.number())),
  /** Keys print like C's %g: "0.1". */
  quantiles: z.record(z.string(), quickNumbers(z.array(z.number()))).nullish(),
  /** How the forecast was made, for models that choose per series. */
  explanation: z.record(z.string(), z.unknown()).nullish(),
});
export type Forecast = z.infer<typeof Forecast>;

export const Timing = z.object({
  model_load_ms: z.number(),
  inference_ms: z.number(),
  total_ms: z.number().optional(),
});

/** What a runner answers to `forecast`. */
export const RunnerForecast = z.object({
  model: z.string(),
  forecasts: z.array(Forecast),
  usage: z.record(z.string(), z.unknown()).nullish(),
  timing: Timing.nullish(),
  warnings: z.array(z.string()).nullish(),
});
export type RunnerForecast = z.infer<typeof RunnerForecast>;

const Values = z.record(z.string(), z.number());

/** Accuracy against the actuals; a measure without a value is left out. */
export const ForecastMetrics = z.object({
  aggregate: Values,
  series: z.array(z.object({ id: z.string(), values: Values })),
});
export type ForecastMetrics = z.infer<typeof ForecastMetrics>;

export const TrendDirection = z.enum(['up', 'down', 'flat']);
export type TrendDirection = z.infer<typeof TrendDirection>;

export const SeriesExplanation = z.object({
  id: z.string(),
  trend_direction: TrendDirection,
  confidence_assessment: z.string(),
  historical_comparison: z.string(),
  notable_patterns: z.array(z.string()),
  /** The model's own account, where it gives one. */
  model_explanation: z.record(z.string(), z.unknown()).optional(),
  /** The numbers behind the sentences, with response_options.explain. */
  evidence: z.record(z.string(), z.unknown()).optional(),
});
export type SeriesExplanation = z.infer<typeof SeriesExplanation>;

export const SeriesNarrative = z.object({
  id: z.string(),
  summary: z.string(),
  trend: z.object({ direction: TrendDirection, strength: z.number() }),
  confidence: z.object({
    level: z.enum(['high', 'medium', 'low', 'unknown']),
    spread_ratio: z.number().nullable(),
    reason: z.string(),
  }),
  seasonality: z.object({ detected: z.boolean(), period: z.number().nullable() }),
  anomalies: z.object({ count: z.number(), indices: z.array(z.number()) }),
  key_insight: z.string(),
  comparison_to_history: z.object({
    mean_delta_pct: z.number().nullable(),
    volatility_change: z.enum(['lower', 'stable', 'higher', 'unknown']),
  }),
});
export type SeriesNarrative = z.infer<typeof SeriesNarrative>;

/** What clients get. */
export const ForecastResponse = z.object({
  model: z.string(),
  forecasts: z.array(Forecast).readonly(),
  metrics: ForecastMetrics.nullable(),
  timing: z.object({
    model_load_ms: z.number(),
    inference_ms: z.number(),
    total_ms: z.number(),
  }),
  explanation: z.object({ series: z.array(SeriesExplanation) }).nullable(),
  narrative: z.object({ series: z.array(SeriesNarrative) }).nullable(),
  /** Repairs of the data, for series that came from tables. */
  preprocessing: z.object({ series: z.array(z.record(z.string(), z.unknown())) }).nullable(),
  usage: z.record(z.string(), z.unknown()),
  warnings: z.array(z.string()).readonly().nullable(),
});
export type ForecastResponse = Readonly<z.infer<typeof ForecastResponse>>;

/**
 * The key of a quantile level, as C's %g prints it.
 *
 * @example
 * quantileKey(0.1); // '0.1'
 */
export const quantileKey = (level: number): string => String(Number(level.toPrecision(6)));
