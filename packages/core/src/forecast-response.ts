import { z } from 'zod';

export const Forecast = z.object({
  id: z.string(),
  freq: z.string(),
  /** The first forecast step, in the input's own format. */
  start_timestamp: z.string(),
  mean: z.array(z.number()),
  /** Keys print like C's %g: "0.1". */
  quantiles: z.record(z.string(), z.array(z.number())).nullish(),
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

/** What clients get. */
export interface ForecastResponse {
  readonly model: string;
  readonly forecasts: readonly Forecast[];
  readonly metrics: unknown;
  readonly timing: {
    readonly model_load_ms: number;
    readonly inference_ms: number;
    readonly total_ms: number;
  };
  readonly explanation: unknown;
  readonly narrative: unknown;
  readonly preprocessing: unknown;
  readonly usage: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[] | null;
}

/**
 * The key of a quantile level, as C's %g prints it.
 *
 * @example
 * quantileKey(0.1); // '0.1'
 */
export const quantileKey = (level: number): string => String(Number(level.toPrecision(6)));
