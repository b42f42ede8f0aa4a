/** `metrics` of an answer: the forecasts against the actuals that the request brought. */
import { type AccuracyCase, accuracyOf, UNDEFINED_BECAUSE } from '@tollama/core/accuracy';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { Forecast, ForecastMetrics } from '@tollama/core/forecast-response';
import type { Series } from '@tollama/core/series';
import { observedTarget } from '../analysis/observed.ts';

type MetricsChoice = NonNullable<ForecastRequest['parameters']['metrics']>;

const toCase = (series: Series, forecast: Forecast, seasonality: number): AccuracyCase => ({
  actual: series.actuals!,
  mean: forecast.mean,
  history: observedTarget(series),
  seasonality,
  quantiles: new Map(
    Object.entries(forecast.quantiles ?? {}).map(([level, path]) => [Number(level), path]),
  ),
});

export interface MeasuredAccuracy {
  readonly metrics: ForecastMetrics | null;
  readonly warnings: readonly string[];
}

/** The asked measures for each series, and their plain means; what is undefined is left out with a warning. */
export const measureAccuracy = (
  series: readonly Series[],
  forecasts: readonly Forecast[],
  { names, mase_seasonality }: MetricsChoice,
): MeasuredAccuracy => {
  const warnings: string[] = [];
  const measured = series.map((one, i) => {
    const accuracy = toCase(one, forecasts[i]!, mase_seasonality);
    const values = names.flatMap((name) => {
      const value = accuracyOf(name, accuracy);
      if (value !== undefined) return [[name, value] as const];
      warnings.push(`metric '${name}' left out for series '${one.id}': ${UNDEFINED_BECAUSE[name]}`);
      return [];
    });
    return { id: one.id, values: Object.fromEntries(values) as Record<string, number> };
  });
  const defined = measured.filter(({ values }) => Object.keys(values).length > 0);
  if (defined.length === 0) return { metrics: null, warnings };
  const aggregate = names.flatMap((name) => {
    const values = defined.map((one) => one.values[name]).filter((value) => value !== undefined);
    if (values.length === 0) return [];
    return [[name, values.reduce((sum, value) => sum + value, 0) / values.length] as const];
  });
  return { metrics: { aggregate: Object.fromEntries(aggregate), series: defined }, warnings };
};
